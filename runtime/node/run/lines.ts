/** A file of lines, appended to. Half a line at the end, of a process that was killed, is cut off when it is opened. */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { LineStore } from '../../core/train/storage.ts';
import { exists, onFile } from './files.ts';
import type { AppendFile, Files } from './files.ts';

export interface LineFile extends LineStore {
  close(): Promise<void>;
}

/** Opens `path`, or makes it. */
export async function openLines(files: Files, path: string): Promise<LineFile> {
  const known = (await exists(path)) ? await onFile(path, () => readFile(path)) : new Uint8Array();
  const file = await onFile(path, () => files.openAppend(path));
  // Bytes behind each whole line, so that a cut needs no reading.
  const ends: number[] = [];
  known.forEach((byte, i) => byte === 10 && ends.push(i + 1));
  const size = (): number => ends[ends.length - 1] ?? 0;
  if (known.length > size()) await onFile(path, () => file.truncate(size()));
  // Of all lines, so that a checkpoint of a long training need not read them again.
  let all = createHash('sha256').update(known.subarray(0, size()));
  const first = async (bytes: number): Promise<Hash> =>
    createHash('sha256').update((await onFile(path, () => readFile(path))).subarray(0, bytes));
  return {
    read: async () => {
      const text = (await onFile(path, () => readFile(path))).subarray(0, size()).toString('utf8');
      return text === '' ? [] : text.slice(0, -1).split('\n');
    },
    truncate: async (count) => {
      if (count >= ends.length) return;
      ends.length = count;
      await onFile(path, () => file.truncate(size()));
      all = await first(size());
    },
    append: async (lines) => {
      await onFile(path, () => appendWhole(file, lines, ends, size()));
      for (const line of lines) all.update(`${line}\n`);
    },
    flush: () => onFile(path, () => file.sync()),
    digest: async (count) => {
      if (count > ends.length) return undefined;
      return (count === ends.length ? all.copy() : await first(ends[count - 1] ?? 0)).digest('hex');
    },
    close: () => file.close(),
  };
}

/** Appends all of `lines` or, where that fails, none. */
async function appendWhole(file: AppendFile, lines: readonly string[], ends: number[], size: number): Promise<void> {
  const encoded = lines.map((line) => new TextEncoder().encode(`${line}\n`));
  try {
    await file.append(Buffer.concat(encoded));
  } catch (error) {
    // What a full disk let through is cut off again; if even that fails, the next opening does it.
    await file.truncate(size).catch(() => undefined);
    throw error;
  }
  for (const { length } of encoded) ends.push((ends[ends.length - 1] ?? 0) + length);
}
