/** The error function: to float64 precision for the oracle, and as WGSL for kernels. */

/**
 * erf to about 1e-15, from the series erf(x) = 2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!! (Abramowitz and Stegun
 * 7.1.6), all of whose terms have one sign.
 */
export function erf(x: number): number {
  if (!(Math.abs(x) < 6)) return Number.isNaN(x) ? NaN : Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

// Below SPLIT, erf(x) = x + x P(x^2); above, 1 - exp(R(|x|) |x| - |x|). Highest power first.
const SPLIT = 0.927734375;
/** From here on, erf is 1 in f32. */
const CLAMP = 4;
const P = [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1];
const R = [-1.7285347e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2, -1.06777877e-1, -6.34846687e-1, -1.28717512e-1];

/** Name of the WGSL helper for f32 (`width` 1) or vec4<f32> (4). */
export function erfName(width: 1 | 4): string {
  return width === 1 ? 'pivot_erf' : 'pivot_erf4';
}

/**
 * The WGSL helper: minimax polynomials of N. Juffa ("Need a fast, accurate erff", 2013), within 1 ulp where products and
 * sums fuse and `exp` is exact. Both sides of the split are computed, so it needs no branch and works on vectors.
 */
export function erfHelper(width: 1 | 4): string {
  const type = width === 1 ? 'f32' : 'vec4<f32>';
  const number = (c: number) => `${type}(${Number.isInteger(c) ? c.toFixed(1) : c}f)`;
  const horner = (coefficients: readonly number[], x: string) =>
    coefficients.slice(1).reduce((text, c) => `fma(${text}, ${x}, ${number(c)})`, number(coefficients[0]));
  return `fn ${erfName(width)}(x: ${type}) -> ${type} {
  let t = min(abs(x), ${number(CLAMP)});
  let s = t * t;
  let inner = fma(${horner(P, 's')}, t, t);
  let outer = 1.0 - exp(fma(${horner(R, 't')}, t, -t));
  return sign(x) * select(inner, outer, t > ${number(SPLIT)});
}`;
}

/** The helper's arithmetic in f32 rounding, to test the approximation without a device. */
export function erfF32(v: number): number {
  const f = Math.fround;
  const horner = (coefficients: readonly number[], x: number) =>
    coefficients.slice(1).reduce((sum, c) => f(f(sum * x) + f(c)), f(coefficients[0]));
  const t = f(Math.min(Math.abs(f(v)), CLAMP));
  const inner = f(f(horner(P, f(t * t)) * t) + t);
  const outer = f(1 - f(Math.exp(f(f(horner(R, t) * t) - t))));
  return Math.sign(v) * (t > SPLIT ? outer : inner);
}
