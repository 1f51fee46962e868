/** SHA-256 of what a run writes: taken while it is written, compared before it is used. */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { Checksum } from '../../core/run/store.ts';
import { isSystemError, onFile } from './files.ts';
import type { Files } from './files.ts';

/** One call takes less than 2 GiB. */
const CHUNK = 1 << 26;

/** `files` that note the checksum of every file that they write whole, by its path. */
export function recording(files: Files, written: Map<string, Checksum>): Files {
  const write: Files['write'] = async (path, parts) => {
    const hash = createHash('sha256');
    let bytes = 0;
    const tapped = async function* (): AsyncGenerator<Uint8Array | string> {
      for await (const part of parts) {
        bytes += update(hash, part);
        yield part;
      }
    };
    await files.write(path, tapped());
    written.set(path, { sha256: hash.digest('hex'), bytes });
  };
  return { ...files, write };
}

/** Feeds a part of any size to a hash; returns its bytes. */
function update(hash: Hash, part: Uint8Array | string): number {
  const bytes = typeof part === 'string' ? new TextEncoder().encode(part) : part;
  for (let at = 0; at < bytes.length; at += CHUNK) hash.update(bytes.subarray(at, at + CHUNK));
  return bytes.length;
}

/** Of a file as it lies on the disk, read in pieces. */
export function checksumOf(path: string): Promise<Checksum> {
  return onFile(path, async () => {
    const hash = createHash('sha256');
    const handle = await open(path, 'r');
    try {
      const buffer = new Uint8Array(1 << 20);
      let bytes = 0;
      for (;;) {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, bytes);
        if (bytesRead === 0) return { sha256: hash.digest('hex'), bytes };
        hash.update(buffer.subarray(0, bytesRead));
        bytes += bytesRead;
      }
    } finally {
      await handle.close();
    }
  });
}

/** What is wrong with a file that should have this checksum; undefined where nothing is. */
export async function damageOf(path: string, { sha256, bytes }: Checksum): Promise<string | undefined> {
  const size = await stat(path).then(
    (found) => found.size,
    (error: unknown) => {
      if (isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
      throw error;
    },
  );
  if (size === undefined) return 'is missing';
  if (size !== bytes) return `has ${size} bytes, and ${bytes} were written`;
  return (await checksumOf(path)).sha256 === sha256 ? undefined : 'is not what was written';
}
