/** `pivot check FILE`: everything that can be known without a device, and of the rows what two seconds show, or all. */
import { dirname, resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { checkRows, unreadText } from '../../runtime/node/run/check-rows.ts';
import { standardLog } from '../../runtime/node/run/log.ts';
import { compileText, textArguments } from '../compile-text.ts';
import type { TextArguments } from '../compile-text.ts';
import { printFailure, Rejected } from '../failure.ts';
import { print } from '../output.ts';

/** Milliseconds for rows, where not all are asked for. */
const WITHIN = 2000;

interface Arguments extends TextArguments {
  data: boolean;
}

export const check: CommandModule<object, Arguments> = {
  command: 'check <file>',
  describe: 'check a text: names, types, units, shapes, gradients, and rows; nothing runs',
  builder: (yargs) =>
    textArguments(yargs).option('data', {
      type: 'boolean',
      default: false,
      describe: 'read all rows and decode all pictures, however long it takes',
    }),
  handler: async (args) => {
    // The plan is not kept, so that gigabytes of weights and rows need not be hashed.
    const { plan, diagnostics } = compileText(args, [], { knows: 'stamps' });
    const base = dirname(resolve(args.file));
    const reports = await checkRows(plan, { base, log: standardLog(process.stderr), ...(args.data ? {} : { within: WITHIN }) });
    for (const { error } of reports) if (error !== undefined) printFailure(error);
    for (const { name, notes } of reports) for (const note of notes) print(/^(warning|note):/.test(note) ? note : `note: ${name}: ${note}`);
    for (const report of reports) {
      const unread = unreadText(report, `pivot check --data ${args.file}`);
      if (unread !== undefined) print(`note: ${unread}`);
    }
    if (reports.some(({ error }) => error !== undefined)) throw new Rejected();
    const warnings = diagnostics.length === 0 ? '' : `, ${diagnostics.length} warning${diagnostics.length === 1 ? '' : 's'}`;
    print(`${args.file}: sound (${plan.tasks.length} tasks${warnings})`);
  },
};
