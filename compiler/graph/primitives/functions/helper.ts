/**
 * WGSL functions that kernels call for what the language leaves open: how accurate a function is, and what it makes of NaN, infinities and
 * arguments outside its domain. WGSL may assume that there are no NaNs and no infinities, and drivers fold float arithmetic by such rules, so
 * every special value is told and made by its bits, as a whole number.
 *
 * Each text is written once for numbers and for vectors of four: `F`, `I`, `U` and `B` stand for the types of f32, i32, u32 and bool, and names
 * that begin with `pivot_` get a suffix. A helper that has to keep a driver from seeing through a sum takes a last parameter `zero: u32`, which
 * is 0 whenever the kernel runs, and unknown when it is compiled.
 */
/** Kernels work on single values or on four at a time. */
export type Width = 1 | 4;

export interface Helper {
  /** Functions that the text calls. */
  uses?: readonly Helper[];
  text: string;
  /** For four, where that is a loop over the function of one: what is long and rare would take drivers long to compile four times over. */
  four?: string;
}

/** A number of the third dimension of the grid, which no kernel has: 0 at run time, unknown to the compiler of the driver. */
export const ZERO = 'wg.z';

/** The name of a helper for one value or four. */
export function nameOf(name: string, width: Width): string {
  return width === 1 ? `pivot_${name}` : `pivot_${name}4`;
}

/** The WGSL functions of helpers and of all that they use, each once. */
export function textsOf(helpers: readonly Helper[], width: Width): string[] {
  return [
    ...new Set(
      helpers.flatMap((helper) =>
        width === 4 && helper.four !== undefined
          ? [...textsOf([helper], 1), helper.four]
          : [...textsOf(helper.uses ?? [], width), written(helper.text, width)],
      ),
    ),
  ];
}

const TYPES: Record<string, string> = { F: 'f32', I: 'i32', U: 'u32', B: 'bool' };

function written(text: string, width: Width): string {
  return text
    .replace(/\b[FIUB]\b/g, (letter) => (width === 1 ? TYPES[letter] : `vec4<${TYPES[letter]}>`))
    .replace(/\bpivot_\w+/g, (name) => (width === 1 ? name : `${name}4`));
}

/** A polynomial in `x`, the coefficient of its highest power first. */
export function horner(coefficients: readonly number[], x: string): string {
  return coefficients.slice(1).reduce((text, c) => `fma(${text}, ${x}, F(${c}f))`, `F(${coefficients[0]}f)`);
}

/** Whether x is NaN. */
export const isNan: Helper = {
  text: `fn pivot_nan(x: F) -> B {
  return (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u);
}`,
};
