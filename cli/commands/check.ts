/** `pivot check FILE`: everything that can be known without a device. */
import type { CommandModule } from 'yargs';
import { compileText, textArguments } from '../compile-text.ts';
import type { TextArguments } from '../compile-text.ts';
import { print } from '../output.ts';

export const check: CommandModule<object, TextArguments> = {
  command: 'check <file>',
  describe: 'check a text: names, types, units, shapes, gradients; nothing runs',
  builder: (yargs) => textArguments(yargs),
  handler: (args) => {
    const { plan, diagnostics } = compileText(args, []);
    const warnings = diagnostics.length === 0 ? '' : `, ${diagnostics.length} warning${diagnostics.length === 1 ? '' : 's'}`;
    print(`${args.file}: sound (${plan.tasks.length} tasks${warnings})`);
  },
};
