/** Small pieces of WGSL text. */
import type { Dtype } from '../../plan/dtypes.ts';
import { GraphFault } from '../graph/errors.ts';
import { ZERO } from '../graph/primitives/functions/helper.ts';
import type { Width } from '../graph/primitives/functions/helper.ts';

export function typeName(dtype: Dtype, width: Width): string {
  return width === 1 ? dtype : `vec4<${dtype}>`;
}

/** A number as a literal of the given type. What is not finite has none (`hidden`). */
export function literal(value: number, dtype: Dtype): string {
  switch (dtype) {
    case 'bool':
      return value === 0 ? 'false' : 'true';
    case 'u32':
      return `${value}u`;
    case 'i32':
      return value < 0 ? `i32(${value})` : `${value}i`;
    case 'f32': {
      const rounded = Math.fround(value);
      if (!Number.isFinite(rounded)) throw new GraphFault(`the literal ${value} of a kernel is no f32`);
      return rounded < 0 ? `f32(${rounded})` : `${Object.is(rounded, -0) ? '-0.0' : rounded}f`;
    }
  }
}

/**
 * An f32 of any value that the driver's compiler does not know: an infinite one would not compile, a 0 hides what it is multiplied by, and two
 * factors in a row would be put together.
 */
export function hidden(value: number): string {
  const [bits] = new Uint32Array(Float32Array.of(value).buffer);
  return `bitcast<f32>(0x${bits.toString(16)}u ^ ${ZERO})`;
}

/** A computed f32 that the driver's compiler cannot see through. */
export function opaque(x: string, width: Width): string {
  return width === 1 ? `bitcast<f32>(bitcast<u32>(${x}) ^ ${ZERO})` : `bitcast<vec4<f32>>(bitcast<vec4<u32>>(${x}) ^ vec4<u32>(${ZERO}))`;
}
