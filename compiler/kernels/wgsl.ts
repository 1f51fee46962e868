/** Small pieces of WGSL text. */
import type { Dtype } from '../../plan/dtypes.ts';
import type { ReduceFn } from '../graph/graph.ts';
import type { Width } from '../graph/primitives/unary.ts';

export function typeName(dtype: Dtype, width: Width): string {
  return width === 1 ? dtype : `vec4<${dtype}>`;
}

const F32_MAX = 3.4028234663852886e38;

/** A number as a literal of the given type. WGSL has no infinite literals: they become the largest finite number. */
export function literal(value: number, dtype: Dtype): string {
  switch (dtype) {
    case 'bool':
      return value === 0 ? 'false' : 'true';
    case 'u32':
      return `${value}u`;
    case 'i32':
      return value < 0 ? `i32(${value})` : `${value}i`;
    case 'f32': {
      const rounded = Math.fround(Math.min(Math.max(value, -F32_MAX), F32_MAX));
      return rounded < 0 ? `f32(${rounded})` : `${Object.is(rounded, -0) ? '-0.0' : rounded}f`;
    }
  }
}

/** The value that a reduction begins with. */
export function identity(fn: ReduceFn, dtype: Dtype): string {
  if (fn === 'sum') return literal(0, dtype);
  return literal(dtype === 'f32' ? -F32_MAX : dtype === 'i32' ? -(2 ** 31) : 0, dtype);
}

/** One step of a reduction. */
export function combine(fn: ReduceFn, x: string, y: string): string {
  return fn === 'sum' ? `${x} + ${y}` : `max(${x}, ${y})`;
}

/** The reduction of a vector to one value. */
export function horizontal(fn: ReduceFn, x: string): string {
  return fn === 'sum' ? `(${x}.x + ${x}.y) + (${x}.z + ${x}.w)` : `max(max(${x}.x, ${x}.y), max(${x}.z, ${x}.w))`;
}
