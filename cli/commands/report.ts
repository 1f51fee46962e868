/** `pivot report RUN`: writes the report of a run folder anew, finished or not. */
import type { CommandModule } from 'yargs';
import { join, resolve } from 'node:path';
import { NODE_SOURCES } from '../../runtime/node/data/sources.ts';
import { readPlan } from '../../runtime/node/run/plan-folder.ts';
import { formatSummary } from '../../runtime/node/report/terminal.ts';
import { writeReport } from '../../runtime/node/report/report.ts';
import { print } from '../output.ts';

export const report: CommandModule<object, { run: string; base: string }> = {
  command: 'report <run>',
  describe: 'write report.html of a run folder anew',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'a run folder' })
      .option('base', { type: 'string', default: '.', describe: "folder that the text's files are relative to" }),
  handler: async ({ run, base }) => {
    const plan = await readPlan(join(run, 'plan'));
    await writeReport(run, plan, { openers: NODE_SOURCES, resolve: (path) => resolve(base, path) });
    print(formatSummary(run, plan));
  },
};
