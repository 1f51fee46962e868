/** `pivot data export FILE NAME -o DIR`: the rows of a text's data as PNG files and JSON lines in TRL's columns. */
import type { CommandModule } from 'yargs';
import { PivotError } from '../../plan/errors.ts';
import { dataSources } from '../../compiler/data-sources.ts';
import { exportScenes } from '../../runtime/node/data/export-rows.ts';
import { settings, textArguments } from '../compile-text.ts';
import type { TextArguments } from '../compile-text.ts';
import { hostOf } from '../host.ts';

interface Arguments extends TextArguments {
  name: string;
  out: string;
}

const exportRows: CommandModule<object, Arguments> = {
  command: 'export <file> <name>',
  describe: 'write the rows of `data NAME` of a text as a folder that trainers read',
  builder: (yargs) =>
    textArguments(yargs)
      .positional('name', { type: 'string', demandOption: true, describe: 'the data declared in the text' })
      .option('out', { alias: 'o', type: 'string', demandOption: true, describe: 'folder to write' }),
  handler: async (args) => {
    const { path, host } = hostOf(args.file);
    const sources = dataSources(path, host, settings(args.set));
    const source = sources.get(args.name);
    if (!source)
      throw new PivotError('C0107', `${args.file} declares no data \`${args.name}\``, {
        cure: `it declares ${[...sources.keys()].join(', ') || 'none'}`,
      });
    await exportScenes(args.out, source);
    process.stdout.write(`${args.out}: ${source.count} rows of ${source.source}\n`);
  },
};

export const data: CommandModule = {
  command: 'data <command>',
  describe: 'look at and write data',
  builder: (yargs) => yargs.command(exportRows).demandCommand(1, 'say what to do with the data: export'),
  handler: () => undefined,
};
