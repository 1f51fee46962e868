/** Where results lie in the run folder of a test, by the id of a task: such a folder holds those of one plan. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nameOf } from '../../runtime/node/run/task-folders.ts';

/** The folder of the task `id` in the run folder `out`; throws where there is not just one. */
export function folderOf(out: string, id: string): string {
  const stem = nameOf({ id, hash: '' });
  const found = readdirSync(join(out, 'tasks')).filter((name) => name.startsWith(stem));
  if (found.length !== 1) throw new Error(`${out} has ${found.length} folders of ${id}`);
  return join(out, 'tasks', found[0]);
}

/** Ids of the tasks that have a folder, sorted. */
export function idsIn(out: string): string[] {
  return readdirSync(join(out, 'tasks'))
    .map((name) => name.replace(/~[0-9a-f]{16}$/, ''))
    .sort();
}
