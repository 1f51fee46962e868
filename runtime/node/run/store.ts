/**
 * The results of a run on the disk, a folder a task (`task-folders.ts`):
 *
 *     task.json                      id, hash and kind, written first
 *     metrics.jsonl, timings.jsonl   training
 *     checkpoint-<step>.safetensors  the newest two, each with its own checksum
 *     weights.safetensors            the result of training
 *     table.safetensors, rows.jsonl  the result of embedding
 *     rows.jsonl, pairs.jsonl, kept.json   the results of sampling
 *     score.json, select.json        the results of scoring and choosing
 *     failed.json                    why there is no result
 *     done.json                      hash, seconds, flops, adapter, checksums of all results; written last
 *
 * A task is finished when its done.json bears its hash and its files are what that says.
 */
import { lstat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Task } from '../../../plan/plan.ts';
import type { Checksum, Done, Failure, Kept, OpenTask, RunStore, TaskKey, Work } from '../../core/run/store.ts';
import type { Tensor } from '../../core/safetensors/format.ts';
import type { Table } from '../../core/score/types.ts';
import { runError } from '../../core/train/errors.ts';
import type { ReferenceCache } from '../../core/train/storage.ts';
import { readWeight } from '../safetensors/checkpoint.ts';
import { readSafetensors } from '../safetensors/files.ts';
import { checksumOf, damageOf, recording } from './checksums.ts';
import { exists, makeFolder, move, namesIn, onFile, readJson, readText, remove, sweep } from './files.ts';
import type { Files } from './files.ts';
import { nameOf, TaskFolders } from './task-folders.ts';
import { openTaskFolder, referenceCache } from './task-folder.ts';

/** Files of a task's folder that are no results: notes, what only goes on is read from, and what was set aside. */
const NO_RESULT = /^(task|done|failed)\.json$|^checkpoint-|^timings\.jsonl$|\.parts$|\.damaged$|^\./;

interface StoreOptions {
  out: string;
  /** Folder that paths of exports are relative to. */
  base: string;
  files: Files;
  warn(text: string): void;
}

export class DiskStore implements RunStore {
  readonly references: ReferenceCache;
  private readonly folders: TaskFolders;
  private readonly options: StoreOptions;
  /** Records whose files have been compared, by hash; files that lie in memory's cache twice a run are compared once. */
  private readonly compared = new Map<string, Promise<Done | undefined>>();
  /** Names of files that were found damaged, by hash of the task. */
  private readonly damaged = new Map<string, string[]>();
  /** Checksums of what this process wrote, by path. */
  private readonly written = new Map<string, Checksum>();

  constructor(options: StoreOptions) {
    this.options = options;
    this.folders = new TaskFolders(options.out);
    this.references = referenceCache(options.files, options.out);
  }

  /** Where the results of a task lie. */
  folder(task: TaskKey): string {
    return this.folders.of(task);
  }

  done(task: TaskKey): Promise<Done | undefined> {
    const known = this.compared.get(task.hash) ?? this.compare(task);
    this.compared.set(task.hash, known);
    return known;
  }

  private async compare(task: TaskKey): Promise<Done | undefined> {
    const folder = this.folder(task);
    const done = await readDone(folder, task.hash);
    if (done === undefined) return undefined;
    // An earlier version noted no checksums; what it wrote outside of the store is not known to be this task's.
    if (done.files === undefined) return (await resultsIn(folder)).length > 0 ? { ...done, files: {} } : undefined;
    if (Object.keys(done.files).length === 0 && done.outside === undefined) return undefined;
    const faults: string[] = [];
    for (const [name, checksum] of Object.entries(done.files)) {
      const fault = await onFile(folder, () => damageOf(join(folder, name), checksum));
      if (fault === undefined) continue;
      faults.push(`${join(folder, name)} ${fault}`);
      this.damaged.set(task.hash, [...(this.damaged.get(task.hash) ?? []), name]);
    }
    for (const [name, checksum] of Object.entries(done.outside ?? {})) {
      const path = resolve(this.options.base, name);
      const fault = await onFile(path, () => damageOf(path, checksum));
      if (fault !== undefined) faults.push(`${path} ${fault}`);
    }
    if (faults.length === 0) return { ...done, files: done.files };
    this.options.warn(`${task.id} is done again: ${faults.join('; ')}`);
    return undefined;
  }

  async begin(task: Task): Promise<OpenTask> {
    const folder = this.folder(task);
    await makeFolder(folder);
    await sweep(folder);
    // Nothing may look finished while it is written anew.
    for (const name of ['done.json', 'failed.json']) await remove(join(folder, name));
    this.compared.set(task.hash, Promise.resolve(undefined));
    for (const name of this.damaged.get(task.hash) ?? [])
      if (await exists(join(folder, name))) await move(join(folder, name), join(folder, `${name}.damaged`));
    this.damaged.delete(task.hash);
    const files = recording(this.options.files, this.written);
    const known = await readJson(join(folder, 'task.json'));
    if (known?.hash !== task.hash || known.id !== task.id)
      await this.write(join(folder, 'task.json'), `${JSON.stringify({ id: task.id, hash: task.hash, kind: task.kind })}\n`);
    const storage = openTaskFolder(files, folder);
    return {
      ...storage,
      writeText: (name, text) => onFile(join(folder, name), () => files.write(join(folder, name), [text])),
    };
  }

  async finish(task: TaskKey, { seconds, flops, adapter }: Work, outside: Record<string, Checksum> = {}): Promise<Done> {
    const folder = this.folder(task);
    const files: Record<string, Checksum> = {};
    for (const name of await resultsIn(folder)) {
      const path = join(folder, name);
      files[name] = this.written.get(path) ?? (await checksumOf(path));
    }
    const done: Done = { hash: task.hash, seconds, flops, adapter, files };
    if (Object.keys(outside).length > 0) done.outside = this.fromBase(outside);
    await this.write(join(folder, 'done.json'), `${JSON.stringify(done, undefined, 2)}\n`);
    this.compared.set(task.hash, Promise.resolve(done));
    return done;
  }

  private fromBase(outside: Record<string, Checksum>): Record<string, Checksum> {
    return Object.fromEntries(Object.entries(outside).map(([path, checksum]) => [relative(this.options.base, path), checksum]));
  }

  async fail(task: TaskKey, failure: Failure): Promise<void> {
    const folder = this.folder(task);
    await makeFolder(folder);
    await this.write(join(folder, 'failed.json'), `${JSON.stringify({ hash: task.hash, ...failure }, undefined, 2)}\n`);
  }

  async weight(task: TaskKey, name: string): Promise<Tensor> {
    return readWeight(join(await this.finished(task), 'weights.safetensors'), name);
  }

  async table(task: Task): Promise<Table> {
    const folder = await this.finished(task);
    const lines = ((await readText(join(folder, 'rows.jsonl'))) ?? '').split('\n').filter((line) => line !== '');
    const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    return { tensors: task.kind === 'sample' ? new Map() : (await readSafetensors(join(folder, 'table.safetensors'))).tensors, rows };
  }

  async text(task: TaskKey, name: string): Promise<string | undefined> {
    return readText(join(await this.finished(task), name));
  }

  /** The folder of a task whose results are whole. Throws R0614: nothing else is ever read as a result. */
  private async finished(task: TaskKey): Promise<string> {
    if ((await this.done(task)) !== undefined) return this.folder(task);
    throw runError('R0614', `${task.id} has no whole result in ${this.options.out}`, 'finish the run with `pivot run`');
  }

  async kept(): Promise<Kept[]> {
    const all: Kept[] = [];
    for (const { path, id, hash } of this.folders.all()) {
      const noted = await readJson(join(path, 'task.json'));
      const name = typeof noted?.id === 'string' ? noted.id : id;
      all.push({ id: name, hash, finished: await exists(join(path, 'done.json')), bytes: await bytesBelow(path) });
    }
    return all;
  }

  async remove({ id, hash }: Kept): Promise<void> {
    await remove(this.folder({ id, hash }));
  }

  /** Gives folders of earlier versions, and of tasks that have another name now, the names and checksums that they would get today. */
  async adopt(tasks: readonly Task[]): Promise<void> {
    for (const { path, hash } of this.folders.all()) {
      const done = await readDone(path, hash);
      if (done !== undefined && done.files === undefined && (await resultsIn(path)).length > 0)
        await this.finish({ id: '', ...done }, done);
    }
    const ids = new Map(tasks.map((task) => [task.hash, task.id]));
    for (const { path, id, hash } of this.folders.all()) {
      const wanted = join(path, '..', nameOf({ id: ids.get(hash) ?? id, hash }));
      if (path !== wanted && !(await exists(wanted))) await move(path, wanted);
    }
    this.folders.read();
  }

  /** Looks again at what there is, after something else removed folders. */
  reread(): void {
    this.folders.read();
    this.compared.clear();
  }

  private write(path: string, text: string): Promise<void> {
    return onFile(path, () => this.options.files.write(path, [text]));
  }
}

/** What done.json says, where it is whole and bears `hash`; `files` is missing where an earlier version wrote it. */
export async function readDone(
  folder: string,
  hash: string,
): Promise<(Omit<Done, 'files'> & { files?: Record<string, Checksum> }) | undefined> {
  const done = await readJson(join(folder, 'done.json'));
  if (done === undefined || done.hash !== hash) return undefined;
  const { seconds, flops, adapter, files, outside } = done;
  if (typeof seconds !== 'number' || typeof flops !== 'number' || typeof adapter !== 'string') return undefined;
  if (files !== undefined && !areChecksums(files)) return undefined;
  return { hash, seconds, flops, adapter, ...(files ? { files } : {}), ...(areChecksums(outside) ? { outside } : {}) };
}

async function resultsIn(folder: string): Promise<string[]> {
  return (await namesIn(folder)).filter((name) => !NO_RESULT.test(name)).sort();
}

function areChecksums(value: unknown): value is Record<string, Checksum> {
  const one = (entry: unknown): boolean =>
    typeof entry === 'object' &&
    entry !== null &&
    'sha256' in entry &&
    typeof entry.sha256 === 'string' &&
    'bytes' in entry &&
    typeof entry.bytes === 'number';
  return typeof value === 'object' && value !== null && Object.values(value).every(one);
}

/** Bytes of all files below a folder; links count as what they are. */
export async function bytesBelow(path: string): Promise<number> {
  const info = await onFile(path, () => lstat(path));
  if (!info.isDirectory()) return info.size;
  let sum = 0;
  for (const name of await namesIn(path)) sum += await bytesBelow(join(path, name));
  return sum;
}
