/** Writing tensors in the types that a checkpoint has: bytes as they were, or f32 rounded to half precision. */

import { elements } from '../../../plan/dtypes.ts';
import { STORED_BYTES } from './convert.ts';
import type { FileDtype } from './convert.ts';

/** A tensor as it lies in a file. */
export interface RawTensor {
  name: string;
  dtype: FileDtype;
  shape: readonly number[];
}

/** Length and JSON of a safetensors header for these tensors, in this order, padded to 8 bytes; their bytes follow. */
export function encodeRawHeader(tensors: readonly RawTensor[], metadata: Record<string, string>): Uint8Array {
  let at = 0;
  const entries = tensors.map(({ name, dtype, shape }): [string, unknown] => {
    const from = at;
    at += elements(shape) * STORED_BYTES[dtype];
    return [name, { dtype, shape, data_offsets: [from, at] }];
  });
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries([['__metadata__', metadata], ...entries])));
  const padded = Math.ceil(text.length / 8) * 8;
  const header = new Uint8Array(8 + padded).fill(32);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(text, 8);
  return header;
}

/** The bytes of f32 values in a file's type, rounded to the nearest, ties to even; undefined for a type that holds no fractions. */
export function floatBytes(dtype: FileDtype, values: Float32Array): Uint8Array | undefined {
  if (dtype === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (dtype !== 'BF16' && dtype !== 'F16') return undefined;
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = dtype === 'BF16' ? Uint16Array.from(words, toBfloat) : Uint16Array.from(values, toHalf);
  return new Uint8Array(halves.buffer);
}

/** The upper half of an f32's bits. A NaN stays one. */
function toBfloat(word: number): number {
  if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

/** IEEE 754 binary16 of a number. */
function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | roundEven(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  // log2 may be off by one at powers of two.
  const right = 2 ** exponent > size ? exponent - 1 : 2 ** (exponent + 1) <= size ? exponent + 1 : exponent;
  return sign + ((right + 14) << 10) + roundEven((size / 2 ** right) * 1024);
}

function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
