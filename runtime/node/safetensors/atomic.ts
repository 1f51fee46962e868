/**
 * Writing a file so that its name never points at half of it: a temporary file beside it, flushed, renamed over it,
 * and the folder flushed, so that the rename outlives a power cut.
 */
import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolders } from '../make-folder.ts';

/** What a file is made of, one behind the other; parts may be made as they are written, so that they need not all be held at once. */
export type FileParts = Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>;

/** Writes `parts` as the file `path`, atomically; makes the folder if there is none. */
export async function writeAtomic(path: string, parts: FileParts): Promise<void> {
  const folder = dirname(path);
  await makeFolders(folder);
  const temporary = join(folder, `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      for await (const part of parts) await writeAll(handle, typeof part === 'string' ? new TextEncoder().encode(part) : part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Flushes a folder's entries to the disk. Windows cannot open a folder, and needs no such flush. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** One call writes less than 2 GiB, and may write less than it was given. */
const CHUNK = 1 << 28;

async function writeAll(handle: Awaited<ReturnType<typeof open>>, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, at, Math.min(CHUNK, bytes.length - at));
    at += bytesWritten;
  }
}
