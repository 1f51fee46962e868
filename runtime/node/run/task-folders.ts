/**
 * Where in a run folder the results of a task lie: `tasks/<id>~<first 16 digits of its hash>`. They are found by the hash alone, so a task
 * that was renamed finds its results, and the results of other values of a text lie beside those of the present ones.
 *
 * Runs of earlier versions have `tasks/<id>`, with the hash in its task.json; these are found too, and get their name once a run goes on.
 */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskKey } from '../../core/run/store.ts';

/** Digits of a hash in the name of a folder. */
const DIGITS = 16;
const NAME = /^(.*)~([0-9a-f]{16})$/;

export interface TaskFolder {
  path: string;
  /** Name of the folder without the hash. */
  id: string;
  /** As much of the hash as the folder's name has, or all of it. */
  hash: string;
}

/** The folders of tasks in `out` as they are when this is made; those that are made later have the names that `of` gives. */
export class TaskFolders {
  private readonly root: string;
  private readonly byHash = new Map<string, TaskFolder>();

  constructor(out: string) {
    this.root = join(out, 'tasks');
    this.read();
  }

  /** Looks again, after folders were moved. */
  read(): void {
    this.byHash.clear();
    for (const folder of foldersIn(this.root)) this.byHash.set(folder.hash.slice(0, DIGITS), folder);
  }

  /** The folder of a task's results, whether it is there or not. */
  of(task: TaskKey): string {
    return this.byHash.get(task.hash.slice(0, DIGITS))?.path ?? join(this.root, nameOf(task));
  }

  all(): TaskFolder[] {
    return [...this.byHash.values()];
  }
}

/** The folder of one task; whoever looks for many keeps a `TaskFolders`. */
export function taskFolder(out: string, task: TaskKey): string {
  return new TaskFolders(out).of(task);
}

/** Name of a new folder. Letters, digits, dot, dash and @ of the id stay; anything else becomes `_` and two or more hex digits. */
export function nameOf({ id, hash }: TaskKey): string {
  return `${safe(id)}~${safe(hash.slice(0, DIGITS))}`;
}

function safe(id: string): string {
  return id.replace(/[^A-Za-z0-9.@-]/g, (c) => `_${(c.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`).replace(/^\./, '_2e');
}

function foldersIn(root: string): TaskFolder[] {
  return namesIn(root).flatMap((name): TaskFolder[] => {
    const path = join(root, name);
    const [, id, digits] = NAME.exec(name) ?? [];
    // The name holds a part of the hash only; task.json, where it is whole, has all of it.
    const noted = notedHash(path);
    if (digits !== undefined) return isFolder(path) ? [{ path, id, hash: noted?.startsWith(digits) === true ? noted : digits }] : [];
    return noted === undefined || !isFolder(path) ? [] : [{ path, id: name.replace(/\.moving$/, ''), hash: noted }];
  });
}

function namesIn(root: string): string[] {
  try {
    return readdirSync(root);
  } catch {
    return [];
  }
}

/** A link is not one of ours. */
function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function notedHash(folder: string): string | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(folder, 'task.json'), 'utf8'));
    const hash: unknown = typeof value === 'object' && value !== null && 'hash' in value ? value.hash : undefined;
    return typeof hash === 'string' && hash !== '' ? hash : undefined;
  } catch {
    return undefined;
  }
}
