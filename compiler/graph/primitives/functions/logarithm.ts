/** log and log1p. One driver gives finite numbers for log(0) and log(-1), and neither has digits near 1. */
import { horner } from './helper.ts';
import type { Helper } from './helper.ts';

/** (log(1 + f) - f + f^2 / 2) / f^3 on [sqrt(1/2) - 1, sqrt(2) - 1] (Cephes, S. Moshier). Highest power first. */
const P = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1,
  3.3333331174e-1,
];

/** e ln 2 + log(1 + f) */
const sum: Helper = {
  text: `fn pivot_logsum(e: F, f: F) -> F {
  let z = f * f;
  let y = fma(e, F(-2.1219444e-4f), f * z * ${horner(P, 'f')});
  return fma(e, F(0.693359375f), f + fma(z, F(-0.5), y));
}`,
};

/** The bits of log(x), or what stands for it where x, of the given bits, is no positive normal number. */
const ends: Helper = {
  text: `fn pivot_logends(log: F, x: U) -> F {
  var bits = select(bitcast<U>(log), x, x == U(0x7f800000u));
  bits = select(bits, U(0x7fc00000u), x > U(0x7f800000u));
  return bitcast<F>(select(bits, U(0xff800000u), (x & U(0x7fffffffu)) < U(0x00800000u)));
}`,
};

export const log: Helper = {
  uses: [sum, ends],
  text: `fn pivot_log(x: F) -> F {
  let i = bitcast<I>(x) - I(0x3f3504f3);
  let m = bitcast<F>((i & I(0x007fffff)) + I(0x3f3504f3));
  return pivot_logends(pivot_logsum(F(i >> U(23u)), m - F(1.0)), bitcast<U>(x));
}`,
};

/** With u = 1 + x, rounded, the rest x - (u - 1) is added to the fraction. */
export const log1p: Helper = {
  uses: [sum, ends],
  text: `fn pivot_log1p(x: F, zero: u32) -> F {
  let u = bitcast<U>(F(1.0) + x) ^ U(zero);
  let i = bitcast<I>(u) - I(0x3f3504f3);
  let e = i >> U(23u);
  let m = bitcast<F>((i & I(0x007fffff)) + I(0x3f3504f3));
  let rest = (x - (bitcast<F>(u) - F(1.0))) * bitcast<F>(max(I(127) - e, I(0)) << U(23u));
  let large = e > I(30);
  let log = pivot_logends(pivot_logsum(F(e), (m - F(1.0)) + select(rest, F(0.0), large)), u);
  let tiny = (bitcast<U>(x) & U(0x7fffffffu)) < U(0x33000000u);
  return bitcast<F>(select(bitcast<U>(log), bitcast<U>(x), tiny));
}`,
};
