/**
 * Loads of 16-bit floats. WGSL's own f16 is an option of the device, and `unpack2x16float` may drop subnormal numbers, of which weights have
 * many; so bits are widened by whole numbers, which every device does exactly. bfloat16 is the upper half of an f32.
 */
import type { Half } from '../../plan/dtypes.ts';

/** The element of an array that holds two 16-bit floats, or four as a vector. */
export function arrayType(vector: boolean): string {
  return vector ? 'vec2<u32>' : 'u32';
}

/** Four of them from one element of an array of vectors. */
export function widenFour(half: Half, element: string): string {
  return `${half}_x4(${element})`;
}

/** The one at `position` from the element of an array of words that holds it. */
export function widenOne(half: Half, array: string, position: string): string {
  return `${half}_x1(${array}[(${position}) >> 1u] >> (16u * ((${position}) & 1u)))`;
}

/** The functions that these calls name. */
export function widening(half: Half, vector: boolean): string {
  return HELPERS[half][vector ? 'four' : 'one'];
}

/** Sign, exponent and fraction to their places in an f32; subnormals are multiples of 2^-24. */
const F16 = (type: string, float: string): string =>
  `  let high = bitcast<${float}>(((h & ${type}(0x7fffu)) << ${type}(13u)) + ${type}(0x38000000u));
  let size = select(high, ${float}(h & ${type}(0x3ffu)) * 5.9604644775390625e-8, (h & ${type}(0x7c00u)) == ${type}(0u));
  return bitcast<${float}>(bitcast<${type}>(size) | ((h & ${type}(0x8000u)) << ${type}(16u)));`;

const HELPERS: Record<Half, { one: string; four: string }> = {
  bf16: {
    one: 'fn bf16_x1(h: u32) -> f32 { return bitcast<f32>(h << 16u); }',
    four: 'fn bf16_x4(v: vec2<u32>) -> vec4<f32> { return bitcast<vec4<f32>>(vec4<u32>(v.x << 16u, v.x & 0xffff0000u, v.y << 16u, v.y & 0xffff0000u)); }',
  },
  f16: {
    one: `fn f16_x1(h: u32) -> f32 {\n${F16('u32', 'f32')}\n}`,
    four: `fn f16_x4(v: vec2<u32>) -> vec4<f32> {
  let h = vec4<u32>(v.x & 0xffffu, v.x >> 16u, v.y & 0xffffu, v.y >> 16u);\n${F16('vec4<u32>', 'vec4<f32>')}\n}`,
  },
};
