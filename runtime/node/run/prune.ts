/** Removing what the present plan of a run folder does not use: results of other values of its text, their reports and caches. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource, Plan } from '../../../plan/plan.ts';
import type { Kept } from '../../core/run/store.ts';
import { runError } from '../../core/train/errors.ts';
import { referenceKey } from '../../core/train/reference.ts';
import { diskFiles, isSystemError, namesIn, readText, remove } from './files.ts';
import { planFolder, SHELVED } from './folder.ts';
import { lockFolder } from './lock.ts';
import { readPlan } from './plan-folder.ts';
import { bytesBelow, DiskStore } from './store.ts';

export interface Pruned {
  /** `post.dpo@0 (finished)`, or a path within the folder. */
  name: string;
  bytes: number;
}

/**
 * Removes what the plan in `out` does not use, and returns what that was; with `dryRun` nothing is removed. Throws R0213 where
 * there is no plan, R0601 where a process works in the folder, R0608 where its tasks are a link to elsewhere.
 */
export async function prune(out: string, dryRun: boolean): Promise<Pruned[]> {
  const plan = await readPlan(planFolder(out));
  const unlock = await lockFolder(out);
  try {
    await requireOwn(out);
    const store = new DiskStore({ out, base: '.', files: diskFiles, warn: () => undefined });
    const used = new Set(plan.tasks.map((task) => task.hash.slice(0, 16)));
    const unused = (await store.kept()).filter((kept) => !used.has(kept.hash.slice(0, 16)));
    const pruned = unused.map((kept): Pruned => ({ name: nameOf(kept), bytes: kept.bytes }));
    if (!dryRun) for (const kept of unused) await store.remove(kept);
    for (const path of [...(await shelved(out)), ...(await caches(out, plan, store))]) {
      pruned.push({ name: path, bytes: await bytesBelow(join(out, path)) });
      if (!dryRun) await remove(join(out, path));
    }
    return pruned;
  } finally {
    await unlock();
  }
}

function nameOf({ id, hash, finished }: Kept): string {
  return `${id} ${hash.slice(0, 8)} (${finished ? 'finished' : 'begun'})`;
}

/** What a link names is not this run's to remove. */
async function requireOwn(out: string): Promise<void> {
  for (const name of ['tasks', 'cache']) {
    const info = await lstat(join(out, name)).catch((error: unknown) => {
      if (isSystemError(error) && error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (info?.isSymbolicLink() === true) throw runError('R0608', `${join(out, name)} is a link`, 'remove what it names by hand');
  }
}

async function shelved(out: string): Promise<string[]> {
  return (await namesIn(out)).filter((name) => SHELVED.test(name));
}

/** Log-probabilities of references that no task of the plan asks for, finished or not. */
async function caches(out: string, plan: Plan, store: DiskStore): Promise<string[]> {
  const keys = new Set<string>();
  for (const task of plan.tasks) {
    if (task.kind !== 'train' || task.reference === undefined) continue;
    for (const data of [task.data, ...(task.evaluate === undefined ? [] : [task.evaluate.data])])
      keys.add(referenceKey(task.reference.hash, { ...data, count: await rowsOf(plan, data, store) }, task.collate));
  }
  return (await namesIn(join(out, 'cache'))).flatMap((name) => {
    const key = /^reference-([0-9a-f]+)\.safetensors/.exec(name)?.[1];
    return key === undefined || keys.has(key) ? [] : [join('cache', name)];
  });
}

/** How many pairs a sample task kept is known from its result only. */
async function rowsOf(plan: Plan, data: DataSource, store: DiskStore): Promise<number> {
  const task = plan.tasks.find(({ id }) => id === data.task);
  if (task?.kind !== 'sample') return data.count;
  const text = await readText(join(store.folder(task), 'pairs.jsonl'));
  return text === undefined ? data.count : text.split('\n').length - 1;
}
