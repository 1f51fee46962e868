/** Whether the rows that a probe judges on are drawn anew for each seed, or are the same for several. */
import { canonicalJson } from './hash.ts';
import type { DataSource, ScoreTask, Task } from './plan.ts';

/**
 * Whether score tasks of one probe and subject, of several seeds, have any rows in common: files, or rows of a seed that the text names.
 * What such rows happen to be is then shared by all seeds, and an interval has to count it.
 */
export function shareRows(scores: readonly ScoreTask[], tasks: readonly Task[]): boolean {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const seen = new Set<string>();
  for (const score of scores) {
    const own = new Set(Object.values(score.tables).flatMap((id) => rowsOf(byId.get(id), byId)));
    if ([...own].some((rows) => seen.has(rows))) return true;
    for (const rows of own) seen.add(rows);
  }
  return false;
}

function rowsOf(task: Task | undefined, byId: ReadonlyMap<string, Task>): string[] {
  return task?.kind === 'embed' || task?.kind === 'sample' ? leaves(task.data, byId) : [];
}

/** What is drawn or read in the end: parts of a mix, prompts of sampled pairs, the data of a table. */
function leaves(data: DataSource, byId: ReadonlyMap<string, Task>): string[] {
  if (data.mix) return data.mix.flatMap((part) => leaves(part, byId));
  if (data.base) return leaves(data.base, byId);
  if (data.task !== undefined) return rowsOf(byId.get(data.task), byId);
  const { source, params, content } = data;
  return [canonicalJson({ source, params, content })];
}
