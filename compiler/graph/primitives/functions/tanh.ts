/** tanh. Drivers compute it from exponentials that cancel near 0 and overflow far from it. */
import { exp } from './exponential.ts';
import { horner, isNan } from './helper.ts';
import type { Helper } from './helper.ts';

/** (tanh(x) / x - 1) / x^2 in powers of x^2 for |x| < 5/8 (Cephes, S. Moshier). Highest power first. */
const P = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1];

export const tanh: Helper = {
  uses: [exp, isNan],
  text: `fn pivot_tanh(x: F, zero: u32) -> F {
  let t = abs(x);
  let z = x * x;
  let near = fma(${horner(P, 'z')} * z, x, x);
  let far = F(1.0) - F(2.0) / (pivot_exp(t + t, zero) + F(1.0));
  let signed = bitcast<U>(far) | (bitcast<U>(x) & U(0x80000000u));
  let bits = select(signed, bitcast<U>(near), t < F(0.625));
  return bitcast<F>(select(bits, bitcast<U>(x), (t < F(2.4e-4f)) | pivot_nan(x)));
}`,
};
