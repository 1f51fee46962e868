/**
 * The few file operations of a run folder, behind an interface, so that a test can put a full disk or a kill in their way.
 * A system error becomes a sentence here: R0604 for a full disk, R0605 for the rest.
 */
import { constants } from 'node:fs';
import { open, readFile, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { PivotError } from '../../../plan/errors.ts';
import { runError } from '../../core/train/errors.ts';
import { writeAtomic } from '../safetensors/atomic.ts';
import type { FileParts } from '../safetensors/atomic.ts';
import { makeFolders } from '../make-folder.ts';

/** A file that stays open for appending. */
export interface AppendFile {
  append(bytes: Uint8Array): Promise<void>;
  truncate(size: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface Files {
  /** Whole or not at all. */
  write(path: string, parts: FileParts): Promise<void>;
  openAppend(path: string): Promise<AppendFile>;
  /** Bytes that are free for this user on the disk that holds `folder`. */
  free(folder: string): Promise<number>;
}

export const diskFiles: Files = { write: writeAtomic, openAppend, free: freeBytes };

async function openAppend(path: string): Promise<AppendFile> {
  // A link is not followed: what lies behind it is not the run's.
  const handle = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o666);
  return {
    append: async (bytes) => {
      await handle.appendFile(bytes);
    },
    truncate: (size) => handle.truncate(size),
    sync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Runs a file operation; a system error becomes a `PivotError` that names `path`. */
export async function onFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(path, error);
  }
}

/** A system error as a `PivotError`, R0604 for a full disk and R0605 for the rest; any other error as it is. `path` is for messages. */
export function fileError(path: string, error: unknown): unknown {
  if (error instanceof PivotError || !isSystemError(error)) return error;
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
    return runError(
      'R0604',
      `the disk that holds ${path} is full`,
      'make room and run the same command again: it goes on where it stopped',
      error,
    );
  }
  return runError(
    'R0605',
    `${path}: ${error.message}`,
    'look at the path, its permissions and the disk, and run the same command again',
    error,
  );
}

/** By its members, since an error of Node's own is no `Error` of the realm that a test runs in. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    'errno' in error &&
    error.errno !== undefined
  );
}

/** A whole text file, or undefined where there is none. */
export async function readText(path: string): Promise<string | undefined> {
  return onFile(path, () =>
    readFile(path, 'utf8').catch((error: unknown) => {
      if (isSystemError(error) && error.code === 'ENOENT') return undefined;
      throw error;
    }),
  );
}

/** A JSON object, or undefined where the file is missing or holds no JSON object. */
export async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Names in a folder; none where there is no folder. */
export async function namesIn(folder: string): Promise<string[]> {
  return onFile(folder, () =>
    readdir(folder).catch((error: unknown) => {
      if (isSystemError(error) && error.code === 'ENOENT') return [];
      throw error;
    }),
  );
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

export async function remove(path: string): Promise<void> {
  await onFile(path, () => rm(path, { recursive: true, force: true }));
}

export async function makeFolder(path: string): Promise<void> {
  await onFile(path, () => makeFolders(path));
}

export async function move(from: string, to: string): Promise<void> {
  await onFile(to, () => rename(from, to));
}

/** Removes what killed writers left behind: temporary files of `writeAtomic` in `folder`. */
export async function sweep(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) if (/^\..*\.tmp$/.test(name)) await remove(`${folder}/${name}`);
}
