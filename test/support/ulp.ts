/** Distances between an f32 and an exact value. */

const SMALLEST_NORMAL = 2 ** -126;

/** NaN, an infinity, or a zero of a certain sign; `finite` is all else. */
export function classOf(x: number): string {
  if (Number.isFinite(x) && x !== 0) return 'finite';
  return Object.is(x, -0) ? '-0' : String(x);
}

/**
 * How far `found` is from `exact` in units in the last place of `exact` as an f32; infinite where one is NaN or infinite and the other is not.
 * Below the smallest normal number, 0 of either sign and the smallest normal number are right too.
 */
export function ulps(found: number, exact: number): number {
  if (Number.isNaN(exact)) return Number.isNaN(found) ? 0 : Infinity;
  const size = Math.abs(exact);
  if (size < SMALLEST_NORMAL) {
    if (exact === 0) return Object.is(found, exact) ? 0 : Infinity;
    return Math.abs(found) <= SMALLEST_NORMAL ? 0 : Infinity;
  }
  const rounded = Math.fround(exact);
  if (found === rounded) return 0.5;
  // Next to the largest number, infinity is one unit away.
  const value = Number.isFinite(found) ? found : Math.sign(found) * 2 ** 128;
  if (Number.isNaN(found) || Math.sign(value) !== Math.sign(exact)) return Infinity;
  const exponent = Math.min(127, Math.max(-126, Math.floor(Math.log2(size))));
  return Math.abs(value - Math.sign(exact) * Math.min(size, 2 ** 128)) / 2 ** (exponent - 23);
}
