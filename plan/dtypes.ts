/** The types in which tensors are computed and stored. `bool` is computed and never stored. */

export type Dtype = 'f32' | 'i32' | 'u32' | 'bool';
export type StoredDtype = Exclude<Dtype, 'bool'>;

/** Every stored type of today takes four bytes; 16-bit storage will be a separate property of a weight. */
export const BYTES: Record<StoredDtype, number> = { f32: 4, i32: 4, u32: 4 };

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
