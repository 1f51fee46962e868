/**
 * safetensors files on disk: whole, or one tensor at a time. The format itself is `runtime/core/safetensors`; this
 * adds opening, partial reading and atomic writing, and turns the system's errors into sentences.
 */
import { existsSync, readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { elements } from '../../../plan/dtypes.ts';
import { PivotError } from '../../../plan/errors.ts';
import { bytesOf, decodeTensor, encodeHeader, FIRST_BYTES, headerLength, parseHeader } from '../../core/safetensors/format.ts';
import type { Tensor, TensorInfo } from '../../core/safetensors/format.ts';
import { writeAtomic } from './atomic.ts';

export interface SafetensorsFile {
  names: string[];
  metadata: Record<string, string>;
  /** Throws R0503 for a name that the file does not have. */
  info(name: string): TensorInfo;
  /** One whole tensor. */
  read(name: string): Promise<Tensor>;
  /** Its bytes as they lie in the file. */
  bytes(name: string): Promise<Uint8Array>;
  /** `count` rows (along axis 0) from row `from` on; the shape begins with `count`. */
  readRows(name: string, from: number, count: number): Promise<Tensor>;
  close(): Promise<void>;
}

/** Opens a file, reads and checks its header only. Close it when done. */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const handle = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw new PivotError(
      'R0504',
      cause.code === 'ENOENT'
        ? `there is no file ${path}${otherWeights(path)}`
        : `${path} cannot be opened (${cause.code ?? cause.message})`,
      {
        cure: 'check the path and its permissions',
        place: { file: path },
        cause,
      },
    );
  });
  try {
    const { size } = await handle.stat();
    const first = await readAt(handle, 0, Math.min(FIRST_BYTES, size), path);
    const length = headerLength(first, size, path);
    const { metadata, tensors } = parseHeader(await readAt(handle, 8, length, path), size, path);
    const info = (name: string): TensorInfo => {
      const found = tensors.get(name);
      if (found === undefined) throw missing(path, name, [...tensors.keys()]);
      return found;
    };
    return {
      names: [...tensors.keys()],
      metadata,
      info,
      read: async (name) => {
        const tensor = info(name);
        return decodeTensor(tensor, await readAt(handle, tensor.begin, tensor.end - tensor.begin, path), path);
      },
      bytes: async (name) => {
        const { begin, end } = info(name);
        return readAt(handle, begin, end - begin, path);
      },
      readRows: async (name, from, count) => {
        const tensor = info(name);
        if (tensor.shape.length === 0 || from < 0 || from + count > tensor.shape[0]) {
          throw new RangeError(`rows ${from} to ${from + count} of ${name} [${tensor.shape.join(', ')}] in ${path}`);
        }
        const rowBytes = (tensor.end - tensor.begin) / Math.max(tensor.shape[0], 1);
        const bytes = await readAt(handle, tensor.begin + from * rowBytes, count * rowBytes, path);
        return decodeTensor({ ...tensor, shape: [count, ...tensor.shape.slice(1)] }, bytes, path);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Weights beside a file that is not there, in words: a folder of another format is common. */
function otherWeights(path: string): string {
  const folder = dirname(path);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const others = names.filter((name) => /\.(bin|pt|pth|ckpt|h5|msgpack|gguf|safetensors)$/.test(name));
  return others.length === 0 ? '' : `; its folder has ${others.slice(0, 4).join(', ')}`;
}

/** Reads a whole file. */
export async function readSafetensors(path: string): Promise<{ metadata: Record<string, string>; tensors: Map<string, Tensor> }> {
  const file = await openSafetensors(path);
  try {
    const tensors = new Map<string, Tensor>();
    for (const name of file.names) tensors.set(name, await file.read(name));
    return { metadata: file.metadata, tensors };
  } finally {
    await file.close();
  }
}

/** Writes tensors in the given order, atomically and without a second copy in memory. */
export async function writeSafetensors(path: string, tensors: readonly Tensor[], metadata: Record<string, string> = {}): Promise<void> {
  await writeAtomic(path, [encodeHeader(tensors, metadata), ...tensors.filter((t) => elements(t.shape) > 0).map((t) => bytesOf(t.data))]);
}

const CHUNK = 1 << 28;

async function readAt(handle: FileHandle, position: number, length: number, path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(CHUNK, length - at), position + at);
    if (bytesRead === 0) {
      throw new PivotError('R0501', `${path} ended while it was read: ${at} of ${length} bytes at ${position}`, {
        cure: 'something else changes this file; start again when it is at rest',
        place: { file: path },
      });
    }
    at += bytesRead;
  }
  return bytes;
}

function missing(path: string, name: string, names: string[]): PivotError {
  const some = names.slice(0, 8).join(', ') + (names.length > 8 ? `, and ${names.length - 8} more` : '');
  return new PivotError('R0503', `${path} has no tensor ${name}`, { cure: `it has ${some || 'none'}`, place: { file: path } });
}
