/** Comparisons that NaN takes part in as IEEE 754 has it: it is equal to nothing, and the larger and the smaller of any pair that it is in. */
import { isNan } from './helper.ts';
import type { Helper } from './helper.ts';

const extreme = (name: 'max' | 'min'): Helper => ({
  text: `fn pivot_${name}(x: F, y: F) -> F {
  let worst = max(bitcast<U>(x) & U(0x7fffffffu), bitcast<U>(y) & U(0x7fffffffu));
  return bitcast<F>(select(bitcast<U>(${name}(x, y)), worst, worst > U(0x7f800000u)));
}`,
});

/** NaN if either is; of two zeros any. */
export const max = extreme('max');
export const min = extreme('min');

/** A driver may take x == x and x <= x for true. */
export const equal: Helper = { uses: [isNan], text: `fn pivot_equal(x: F, y: F) -> B {\n  return (x == y) & !pivot_nan(x);\n}` };
export const lessEqual: Helper = { uses: [isNan], text: `fn pivot_less_equal(x: F, y: F) -> B {\n  return (x <= y) & !pivot_nan(x);\n}` };

/** Towards 0, to the nearest end where it does not fit, and 0 for NaN. */
export const toI32: Helper = { uses: [isNan], text: `fn pivot_to_i32(x: F) -> I {\n  return select(I(x), I(0), pivot_nan(x));\n}` };
export const toU32: Helper = { uses: [isNan], text: `fn pivot_to_u32(x: F) -> U {\n  return select(U(x), U(0u), pivot_nan(x));\n}` };
