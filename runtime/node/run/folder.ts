/**
 * The layout of a run folder, in one place:
 *
 *     run.json                                  what runs, on what, since when, how it stands
 *     plan/                                     the plan (plan-folder.ts)
 *     lock                                      the process that works here (lock.ts)
 *     cache/reference-<key>.safetensors         reference log-probabilities
 *     report.html
 *     tasks/<id>/task.json                      id and hash, written first
 *                metrics.jsonl, timings.jsonl   training
 *                checkpoint-<step>.safetensors  the newest two
 *                weights.safetensors            the result of training
 *                table.safetensors, rows.jsonl  the result of embedding
 *                rows.jsonl, pairs.jsonl, kept.json   the results of sampling
 *                score.json                     the result of scoring
 *                select.json                    the result of a choice
 *                done.json                      hash, seconds, flops, adapter; written last
 *
 * A task is finished when its done.json bears its hash. Results are found by hash, not by name: a task that was renamed
 * keeps its folder's contents.
 */
import { join, resolve } from 'node:path';
import type { Plan, Task } from '../../../plan/plan.ts';
import { runError } from '../../core/train/errors.ts';
import { refuseLinks } from './access.ts';
import { exists, isFolder, makeFolder, move, namesIn, onFile, readJson, remove, sweep } from './files.ts';
import type { Files } from './files.ts';

export interface Done {
  hash: string;
  seconds: number;
  flops: number;
  adapter: string;
}

export type RunStatus = 'running' | 'done' | 'failed' | 'interrupted';

export interface RunRecord {
  name: string;
  plan: string;
  adapter: string;
  driver: string;
  target: string;
  versions: Record<string, string>;
  started: string;
  ended?: string;
  status: RunStatus;
}

/** Folder of a task's results. Letters, digits, dot, dash, underscore and @ stay; anything else becomes `_` and two hex digits. */
export function taskFolder(out: string, id: string): string {
  const safe = id.replace(/[^A-Za-z0-9.@-]/g, (c) => `_${(c.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`);
  return join(out, 'tasks', safe.replace(/^\./, '_2e'));
}

export const runFile = (out: string): string => join(out, 'run.json');
export const planFolder = (out: string): string => join(out, 'plan');

/** What `done.json` says, where it is whole and bears `hash`. */
export async function readDone(out: string, task: { id: string; hash: string }): Promise<Done | undefined> {
  const done = await readJson(join(taskFolder(out, task.id), 'done.json'));
  if (done === undefined || done.hash !== task.hash) return undefined;
  const { seconds, flops, adapter } = done;
  if (typeof seconds !== 'number' || typeof flops !== 'number' || typeof adapter !== 'string') return undefined;
  return { hash: task.hash, seconds, flops, adapter };
}

export async function writeDone(files: Files, out: string, id: string, done: Done): Promise<void> {
  const path = join(taskFolder(out, id), 'done.json');
  await onFile(path, () => files.write(path, [`${JSON.stringify(done, undefined, 2)}\n`]));
}

/** Notes whose results a task's folder will hold, before the first of them is written. */
export async function beginTask(files: Files, out: string, task: Task): Promise<string> {
  const folder = taskFolder(out, task.id);
  await makeFolder(folder);
  await sweep(folder);
  const path = join(folder, 'task.json');
  const known = await readJson(path);
  if (known?.hash !== task.hash || known.id !== task.id) {
    await onFile(path, () => files.write(path, [`${JSON.stringify({ id: task.id, hash: task.hash, kind: task.kind })}\n`]));
  }
  return folder;
}

export async function readRun(out: string): Promise<Record<string, unknown> | undefined> {
  return readJson(runFile(out));
}

export async function writeRun(files: Files, out: string, record: RunRecord): Promise<void> {
  await onFile(runFile(out), () => files.write(runFile(out), [`${JSON.stringify(record, undefined, 2)}\n`]));
}

/** Refuses a folder that has files in it and is no run, so that nothing of the user's is ever removed. Throws R0608. */
export async function requireRunFolder(out: string): Promise<void> {
  const names = (await namesIn(out)).filter((name) => name !== 'lock' && !name.endsWith('.tmp'));
  if (names.length === 0 || (await exists(runFile(out)))) return;
  throw runError(
    'R0608',
    `${out} has files in it (${names.slice(0, 5).join(', ')}) and is no run folder`,
    'name an empty or a new folder with --out',
  );
}

/** Refuses folders of the run that are links: what is deleted in them would be another folder's. Throws R0644. */
export async function refuseLinkedFolders(out: string): Promise<void> {
  for (const part of ['tasks', 'plan', 'cache']) {
    const folder = join(out, part);
    refuseLinks(out, folder);
    for (const name of await namesIn(folder)) {
      // A single file may be kept elsewhere; it is replaced, never followed.
      if (await isFolder(join(folder, name))) refuseLinks(folder, join(folder, name));
    }
  }
}

/**
 * Brings `tasks/` in line with the plan: results of a task that has another name now are moved to it, and what no task of the
 * plan asks for is removed. Returns the names of what was removed.
 */
export async function reconcile(out: string, plan: Plan): Promise<string[]> {
  const root = join(out, 'tasks');
  await sweep(out);
  const found = new Map<string, string>();
  for (const name of await namesIn(root)) {
    const folder = join(root, name);
    const hash = (await readJson(join(folder, 'task.json')))?.hash;
    found.set(folder, typeof hash === 'string' ? hash : '');
  }
  const wanted = plan.tasks.filter((task) => found.get(taskFolder(out, task.id)) !== task.hash);
  const claimed = new Set(plan.tasks.filter((task) => !wanted.includes(task)).map((task) => taskFolder(out, task.id)));
  const moves: { from: string; to: string }[] = [];
  for (const task of wanted) {
    const from = [...found].find(([folder, hash]) => hash === task.hash && !claimed.has(folder))?.[0];
    if (from === undefined) continue;
    claimed.add(from);
    moves.push({ from, to: taskFolder(out, task.id) });
  }
  const stale = [...found.keys()].filter((folder) => !claimed.has(folder));
  for (const folder of stale) await remove(folder);
  // Two tasks may have swapped names, so all go aside first.
  for (const { from } of moves) await move(from, `${from}.moving`);
  for (const { from, to } of moves) await move(`${from}.moving`, to);
  return stale.map((folder) => folder.slice(root.length + 1));
}

/** The file that a finished task cannot lack. */
export function resultPath(out: string, base: string, task: Task): string {
  const folder = taskFolder(out, task.id);
  switch (task.kind) {
    case 'train':
      return join(folder, 'weights.safetensors');
    case 'embed':
      return join(folder, 'table.safetensors');
    case 'sample':
      return join(folder, task.rank === undefined ? 'rows.jsonl' : 'pairs.jsonl');
    case 'score':
      return join(folder, 'score.json');
    case 'select':
      return join(folder, 'select.json');
    case 'export':
      return resolve(base, task.file);
    case 'report':
      return join(out, 'report.html');
  }
}
