/** The types in which tensors are computed and stored. `bool` is computed and never stored. */

export type Dtype = 'f32' | 'i32' | 'u32' | 'bool';
export type StoredDtype = Exclude<Dtype, 'bool'>;

export const BYTES: Record<StoredDtype, number> = { f32: 4, i32: 4, u32: 4 };

/** 16-bit floats that an f32 tensor which is only read may be held as: two in a u32, the first in its low bits. Kernels widen them, exactly. */
export type Half = 'f16' | 'bf16';

/** Bytes that a tensor takes on the device. */
export function storageBytes({ dtype, shape, half }: { dtype: StoredDtype; shape: readonly number[]; half?: Half }): number {
  const length = elements(shape);
  return half === undefined ? length * BYTES[dtype] : Math.ceil(length / 2) * 4;
}

export type TypedArrayOf = Float32Array | Int32Array | Uint32Array;

/** A zeroed array of `length` elements of the given type. */
export function arrayOf(dtype: StoredDtype, length: number): TypedArrayOf {
  return dtype === 'f32' ? new Float32Array(length) : dtype === 'i32' ? new Int32Array(length) : new Uint32Array(length);
}

/** Number of elements of a shape; 1 for a scalar `[]`. */
export function elements(shape: readonly number[]): number {
  let count = 1;
  for (let axis = 0; axis < shape.length; axis++) count *= shape[axis];
  return count;
}
