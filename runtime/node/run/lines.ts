/** A file of lines, appended to. Half a line at the end, of a process that was killed, is cut off when it is opened. */
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
  return {
    read: async () => {
      const text = (await onFile(path, () => readFile(path))).subarray(0, size()).toString('utf8');
      return text === '' ? [] : text.slice(0, -1).split('\n');
    },
    truncate: async (count) => {
      if (count >= ends.length) return;
      ends.length = count;
      await onFile(path, () => file.truncate(size()));
    },
    append: (lines) => onFile(path, () => appendWhole(file, lines, ends, size())),
    flush: () => onFile(path, () => file.sync()),
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
