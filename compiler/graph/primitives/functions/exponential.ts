/**
 * exp and expm1. Drivers compute exp(x) as a power of two, whose exponent x log2(e) is rounded: 59 units in the last place at -79, and infinity
 * for NaN on one of them.
 */
import { horner, isNan } from './helper.ts';
import type { Helper } from './helper.ts';

/** ln 2 in two pieces; products of the first with whole numbers below 2^14 are exact. */
const LN2 = [0.693359375, -2.1219444e-4];
/** (exp(r) - 1 - r) / r^2 on [-ln 2 / 2, ln 2 / 2] (Cephes, S. Moshier). Highest power first. */
const P = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1];

/**
 * x = k ln 2 + r, where k is taken from the bits of a sum with 1.5 * 2^23; p = exp(r) - 1. Where |x| is beyond some 2^21 they mean nothing.
 * Without `zero` a driver would put the two pieces of ln 2 together again.
 */
const REDUCE = `  let k = bitcast<I>(fma(x, F(1.4426950408889634f), F(12582912.0))) - I(0x4b400000);
  let n = F(k);
  let part = bitcast<F>(bitcast<U>(fma(n, F(${-LN2[0]}f), x)) ^ U(zero));
  let r = fma(n, F(${-LN2[1]}f), part);
  let p = fma(${horner(P, 'r')}, r * r, r);`;

export const exp: Helper = {
  uses: [isNan],
  text: `fn pivot_exp(x: F, zero: u32) -> F {
${REDUCE}
  var bits = bitcast<U>(bitcast<I>(p + F(1.0)) + (k << U(23u)));
  bits = select(bits, U(0x7f800000u), x > F(88.72283f));
  bits = select(bits, U(0u), x < F(-87.33654f));
  return bitcast<F>(select(bits, bitcast<U>(x), pivot_nan(x)));
}`,
};

export const expm1: Helper = {
  uses: [isNan],
  text: `fn pivot_expm1(x: F, zero: u32) -> F {
${REDUCE}
  let scale = bitcast<F>((clamp(k, I(-30), I(30)) + I(127)) << U(23u));
  let small = fma(scale, p, scale - F(1.0));
  var bits = select(bitcast<U>(small), bitcast<U>(bitcast<I>(p + F(1.0)) + (k << U(23u))), k > I(30));
  bits = select(bits, U(0x7f800000u), x > F(88.72283f));
  bits = select(bits, U(0xbf800000u), x < F(-18.0));
  let tiny = (bitcast<U>(x) & U(0x7fffffffu)) < U(0x33000000u);
  return bitcast<F>(select(bits, bitcast<U>(x), tiny | pivot_nan(x)));
}`,
};
