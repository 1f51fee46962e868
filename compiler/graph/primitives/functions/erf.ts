/** The error function as WGSL. */
import { exp } from './exponential.ts';
import { horner, isNan } from './helper.ts';
import type { Helper } from './helper.ts';

/** Below SPLIT, erf(x) = x (1 + P(x^2)); above, 1 - exp(R(|x|) |x| - |x|). Highest power first. */
const SPLIT = 0.927734375;
const P = [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1];
const R = [-1.7285347e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2, -1.06777877e-1, -6.34846687e-1, -1.28717512e-1];

/** Minimax polynomials of N. Juffa ("Need a fast, accurate erff", 2013); from 4 on it is 1 in f32. No branch, so that it works on vectors. */
export const erf: Helper = {
  uses: [exp, isNan],
  text: `fn pivot_erf(x: F, zero: u32) -> F {
  let t = min(abs(x), F(4.0));
  let s = t * t;
  let near = (${horner(P, 's')} + F(1.0)) * t;
  let far = F(1.0) - pivot_exp(fma(${horner(R, 't')}, t, -t), zero);
  let signed = bitcast<U>(select(near, far, t > F(${SPLIT}f))) | (bitcast<U>(x) & U(0x80000000u));
  return bitcast<F>(select(signed, bitcast<U>(x), pivot_nan(x)));
}`,
};
