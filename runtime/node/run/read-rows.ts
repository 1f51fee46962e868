/** Which rows the tasks of a plan read, and as what. */
import type { Collate, DataSource, Task } from '../../../plan/plan.ts';
import { needsDevice } from './estimate.ts';

/** Rows that a task reads. */
export interface ReadRows {
  task: string;
  data: DataSource;
  collate: Collate;
  /** Only their prompts are read, for a model to answer. */
  prompts: boolean;
}

/** Rows of these tasks. What an earlier task makes cannot be looked at before it has run, and is left out. */
export function rowsReadBy(tasks: readonly Task[]): ReadRows[] {
  return tasks.filter(needsDevice).flatMap((task): ReadRows[] => {
    if (readsResults(task.data)) return [];
    const { id, data, collate } = task;
    const own = { task: id, data, collate, prompts: task.kind === 'sample' };
    if (task.kind !== 'train' || task.evaluate === undefined) return [own];
    return [own, { task: id, data: task.evaluate.data, collate, prompts: false }];
  });
}

function readsResults(data: DataSource): boolean {
  return data.task !== undefined || (data.mix ?? []).some(readsResults);
}
