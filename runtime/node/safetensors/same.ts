/** Whether two tensors on disk are equal. A part at a time: tables of embeddings are large, and what differs does so at once. */
import { closeSync, openSync, readSync } from 'node:fs';
import { STORED_BYTES, toStored } from '../../core/safetensors/convert.ts';
import type { TensorInfo } from '../../core/safetensors/format.ts';
import { readHeader } from './checkpoint.ts';

/** Elements of one part. */
const PART = 1 << 20;

/**
 * Whether shapes and values are the same. Of two types those values count that each is read as; a type that is not computed with equals
 * only itself. @throws PivotError R0501 where a header is damaged.
 */
export function sameTensor(one: { file: string; name: string }, other: { file: string; name: string }): boolean {
  const [a, b] = [one, other].map(({ file, name }) => readHeader(file).get(name));
  if (a === undefined || b === undefined || a.shape.join() !== b.shape.join()) return false;
  const files = [openSync(one.file, 'r'), openSync(other.file, 'r')];
  try {
    const count = (a.end - a.begin) / STORED_BYTES[a.fileDtype];
    for (let from = 0; from < count; from += PART) {
      const length = Math.min(PART, count - from);
      const [x, y] = [partOf(files[0], a, from, length), partOf(files[1], b, from, length)];
      if (a.fileDtype === b.fileDtype ? Buffer.compare(x, y) !== 0 : !sameValues(a, x, b, y)) return false;
    }
    return true;
  } finally {
    files.forEach(closeSync);
  }
}

function partOf(file: number, { begin, fileDtype }: TensorInfo, from: number, length: number): Uint8Array {
  const size = STORED_BYTES[fileDtype];
  const bytes = new Uint8Array(length * size);
  for (let at = 0; at < bytes.length;) {
    const read = readSync(file, bytes, at, bytes.length - at, begin + from * size + at);
    if (read === 0) break;
    at += read;
  }
  return bytes;
}

function sameValues(a: TensorInfo, x: Uint8Array, b: TensorInfo, y: Uint8Array): boolean {
  const [left, right] = [toStored(a.fileDtype, x)?.data, toStored(b.fileDtype, y)?.data];
  return left !== undefined && right !== undefined && left.every((value, i) => value === right[i]);
}
