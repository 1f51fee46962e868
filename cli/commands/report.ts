/** `pivot report RUN`: writes the report of a run folder anew, finished or not. */
import type { CommandModule } from 'yargs';
import { join } from 'node:path';
import { readPlan } from '../../runtime/node/run/plan-folder.ts';
import { formatSummary } from '../../runtime/node/report/terminal.ts';
import { writeReport } from '../../runtime/node/report/report.ts';

export const report: CommandModule<object, { run: string }> = {
  command: 'report <run>',
  describe: 'write report.html of a run folder anew',
  builder: (yargs) => yargs.positional('run', { type: 'string', demandOption: true, describe: 'a run folder' }),
  handler: async ({ run }) => {
    const plan = await readPlan(join(run, 'plan'));
    const path = await writeReport(run, plan);
    process.stdout.write(`${formatSummary(run, plan)}\n${path}\n`);
  },
};
