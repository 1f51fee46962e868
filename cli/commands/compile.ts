/** `pivot compile FILE -o DIR`: the plan as a folder that `pivot run DIR` executes without the compiler. */
import type { CommandModule } from 'yargs';
import { TARGETS, targetNamed } from '../../compiler/lower/targets.ts';
import { print } from '../output.ts';
import { writePlan } from '../../runtime/node/run/plan-folder.ts';
import { compileText, textArguments } from '../compile-text.ts';
import type { TextArguments } from '../compile-text.ts';
import { holdLock } from '../lock.ts';

interface Arguments extends TextArguments {
  out: string;
  target?: string[];
  'update-lock'?: boolean;
}

export const compile: CommandModule<object, Arguments> = {
  command: 'compile <file>',
  describe: 'compile a text to a plan: JSON and WGSL that run anywhere',
  builder: (yargs) =>
    textArguments(yargs)
      .option('out', { alias: 'o', type: 'string', demandOption: true, describe: 'folder of the plan' })
      .option('target', {
        type: 'string',
        array: true,
        nargs: 1,
        describe: `targets to compile for (default: all): ${Object.keys(TARGETS).join(', ')}`,
      })
      .option('update-lock', { type: 'boolean', describe: 'accept that data, weights or the standard library have changed' }),
  handler: async (args) => {
    const targets = (args.target ?? Object.keys(TARGETS)).flatMap((t) => t.split(',')).map(targetNamed);
    const { plan, texts } = compileText(args, targets);
    holdLock(args.file, plan, texts, args['update-lock'] ?? false);
    await writePlan(args.out, plan);
    print(
      `${args.out}: ${plan.tasks.length} tasks, ${Object.keys(plan.programs).length} programs, ${Object.keys(plan.kernels).length} kernels for ${targets.map((t) => t.name).join(', ')}`,
    );
  },
};
