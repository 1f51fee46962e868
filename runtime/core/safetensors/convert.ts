/**
 * From the types of a safetensors file to the types that Pivot stores. Half precision becomes f32 exactly; integers
 * become i32 or u32, and a 64-bit integer that does not fit is refused by the caller's reader.
 */
import type { StoredDtype, TypedArrayOf } from '../../../plan/dtypes.ts';

/** Bytes of an element, for every type that a header may name. */
export const STORED_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;

export type FileDtype = keyof typeof STORED_BYTES;

type Stored = { dtype: StoredDtype; data: TypedArrayOf };
type Reader = (bytes: Uint8Array) => Stored | undefined;

const READERS: Partial<Record<FileDtype, Reader>> = {
  F32: (bytes) => ({ dtype: 'f32', data: new Float32Array(aligned(bytes)) }),
  I32: (bytes) => ({ dtype: 'i32', data: new Int32Array(aligned(bytes)) }),
  U32: (bytes) => ({ dtype: 'u32', data: new Uint32Array(aligned(bytes)) }),
  F16: (bytes) => ({ dtype: 'f32', data: Float32Array.from(new Uint16Array(aligned(bytes)), halfToFloat) }),
  BF16: (bytes) => ({ dtype: 'f32', data: bfloat(new Uint16Array(aligned(bytes))) }),
  U8: (bytes) => ({ dtype: 'u32', data: Uint32Array.from(bytes) }),
  BOOL: (bytes) => ({ dtype: 'u32', data: Uint32Array.from(bytes) }),
  I64: (bytes) => longs(new BigInt64Array(aligned(bytes))),
};

export function readableTypes(): string[] {
  return Object.keys(READERS);
}

/** The values in a type that Pivot stores; undefined where there is none (F64, or an I64 beyond 32 bits). */
export function toStored(dtype: FileDtype, bytes: Uint8Array): Stored | undefined {
  return READERS[dtype]?.(bytes);
}

/** A copy that begins at 0: tensors of a file may lie at any byte, and views must not. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy.buffer;
}

/** IEEE 754 binary16 to a number, subnormals included. */
export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** bfloat16 is the upper half of an f32. */
function bfloat(halves: Uint16Array): Float32Array {
  const bits = Uint32Array.from(halves, (h) => h << 16);
  return new Float32Array(bits.buffer);
}

function longs(values: BigInt64Array): Stored | undefined {
  const data = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== BigInt.asIntN(32, values[i])) return undefined;
    data[i] = Number(values[i]);
  }
  return { dtype: 'i32', data };
}
