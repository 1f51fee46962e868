/**
 * `pivot data export FILE NAME -o DIR`: the rows of a text's data as PNG files and JSON lines in TRL's columns.
 * `pivot data show PATH --row N`: a row of files as it is read, and as a checkpoint sees it.
 */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { PivotError } from '../../plan/errors.ts';
import { dataSources } from '../../compiler/data-sources.ts';
import { exportScenes } from '../../runtime/node/data/export-rows.ts';
import { LAYOUT_NAMES } from '../../runtime/node/data/layouts/detect.ts';
import type { LayoutName } from '../../runtime/node/data/layouts/layout.ts';
import { rowPage, rowText, showRow } from '../../runtime/node/data/show-row.ts';
import { seenRow } from '../../runtime/node/data/show-seen.ts';
import { onFile } from '../../runtime/node/run/files.ts';
import { settings, textArguments } from '../compile-text.ts';
import type { TextArguments } from '../compile-text.ts';
import { hostOf } from '../host.ts';
import { print } from '../output.ts';

interface Arguments extends TextArguments {
  name: string;
  out: string;
  seed?: number;
}

const exportRows: CommandModule<object, Arguments> = {
  command: 'export <file> <name>',
  describe: 'write the rows of `data NAME` of a text as a folder that trainers read',
  builder: (yargs) =>
    textArguments(yargs)
      .positional('name', { type: 'string', demandOption: true, describe: 'the data declared in the text' })
      .option('out', { alias: 'o', type: 'string', demandOption: true, describe: 'folder to write' })
      .option('seed', { type: 'number', describe: 'the seed whose rows are drawn (default: the first of the text)' }),
  handler: async (args) => {
    const { path, host } = hostOf(args.file);
    if (args.seed !== undefined && !(Number.isSafeInteger(args.seed) && args.seed >= 0))
      throw new PivotError('C0108', `${args.seed} is no seed`, { cure: 'give --seed a whole number of at least 0' });
    const sources = dataSources(path, host, settings(args.set), args.seed);
    const source = sources.get(args.name);
    if (!source)
      throw new PivotError('C0107', `${args.file} declares no data \`${args.name}\``, {
        cure: `it declares ${[...sources.keys()].join(', ') || 'none'}`,
      });
    await onFile(args.out, () => exportScenes(args.out, source));
    const { seed, fixed } = source.params;
    const drawn = seed === undefined ? '' : fixed === true ? `, seed ${seed} of the text` : `, as seed ${seed} draws them`;
    print(`${args.out}: ${source.count} rows of ${source.source}${drawn}`);
  },
};

interface ShowArguments {
  path: string;
  row: number;
  layout?: LayoutName;
  entry?: string;
  images?: string;
  html?: string;
  tokenizer?: string;
  processor?: string;
  imageToken?: string;
}

const show: CommandModule<object, ShowArguments> = {
  command: 'show <path>',
  describe: 'show a row of a file or folder of rows as it is read, and as a model sees it',
  builder: (yargs) =>
    yargs
      .positional('path', { type: 'string', demandOption: true, describe: 'JSON lines or lists, CSV, Parquet, tar, or a folder of such' })
      .option('row', { type: 'number', default: 1, describe: 'which row, from 1' })
      .option('layout', { choices: LAYOUT_NAMES, describe: 'how its columns are to be read (default: found out)' })
      .option('entry', { type: 'string', describe: 'entry of dataset_info.json' })
      .option('images', { type: 'string', describe: 'folder that paths of pictures are relative to' })
      .option('html', { type: 'string', describe: 'write a page with the pictures' })
      .option('tokenizer', { type: 'string', describe: 'folder of a checkpoint: tokens as its tokenizer and chat template make them' })
      .option('processor', { type: 'string', describe: 'folder of a checkpoint: pictures as its preprocessor_config.json makes them' })
      .option('image-token', { type: 'string', describe: 'the token that stands for a picture (default: found out)' }),
  handler: async ({ path, row, html, tokenizer, processor, imageToken, ...options }) => {
    const shown = await showRow(resolve(path), path, row, options);
    const seen = await seenRow(shown.row, { tokenizer, processor, imageToken });
    print(rowText(shown, seen));
    if (html !== undefined) {
      const text = await rowPage(shown, seen);
      await onFile(resolve(html), () => writeFile(html, text));
      print(html);
    }
    // The row is shown all the same: what is refused is seen best there.
    if (seen.refusal !== undefined) throw seen.refusal;
  },
};

export const data: CommandModule = {
  command: 'data <command>',
  describe: 'look at and write data',
  builder: (yargs) => yargs.command(exportRows).command(show).demandCommand(1, 'say what to do with the data: export or show'),
  handler: () => undefined,
};
