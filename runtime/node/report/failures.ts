/** What could not be measured or trained, and why: the results that are missing from the rest of the page. */
import { markup } from './html.ts';
import type { Content } from './html.ts';
import { failuresOf } from './read-run.ts';
import type { RunRecord } from './read-run.ts';
import { table } from './tables.ts';

/** False where nothing failed. */
export function failuresMarkup(run: RunRecord): Content {
  const failed = failuresOf(run);
  const damaged = run.tasks.filter((record) => record.damaged !== undefined);
  if (failed.length === 0 && damaged.length === 0) return false;
  const rows: Content[][] = [
    ...failed.map(({ task, failure }): Content[] => [
      markup`<code>${task.id}</code>`,
      failure.message,
      markup`<code>${failure.code}</code>`,
    ]),
    ...damaged.map((record): Content[] => [
      markup`<code>${record.task.id}</code>`,
      `${record.damaged?.join(', ')} is not what was written`,
      markup`<code>R0614</code>`,
    ]),
  ];
  return markup`<p class="legend">These tasks have no result, and neither have those that need them. The command that made this run tries them again.</p>
${table([{ head: 'task' }, { head: 'why' }, { head: 'code' }], rows)}`;
}
