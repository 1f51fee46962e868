/**
 * Sine and cosine for kernels. WGSL asks for 2^-11 of its own, and software drivers give no more; position encodings need f32. Up to 1,600 a
 * whole multiple of pi/2 is subtracted in four pieces, three of them exactly (Cody & Waite). Beyond, the fraction is multiplied by those bits of
 * 2/pi that count, in whole numbers (Payne & Hanek 1983), up to the largest float. Then come polynomials on [-pi/4, pi/4] (Cephes, S. Moshier).
 */
import { horner, nameOf, ZERO } from './helper.ts';
import type { Helper, Width } from './helper.ts';

/** pi/2 in pieces; products of the first three with whole numbers up to 1,024 are exact. */
const PIECES = [1.5706787109375, 1.1761486530303955e-4, 9.920313459588215e-10, 6.223371969669989e-14];
const LARGEST = 1600;
/** sin(r) = r + r z S(z), cos(r) = 1 - z / 2 + z^2 C(z), with z = r^2. Highest power first. */
const S = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1];
const C = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2];

/** WGSL of sin(x + quarters * pi/2): 0 quarters for the sine, 1 for the cosine. */
export function sineCall(x: string, quarters: 0 | 1, width: Width): string {
  return `${nameOf('sine', width)}(${x}, ${quarters}, ${ZERO})`;
}

/** The upper 32 bits of a product. */
const upper: Helper = {
  text: `fn pivot_upper(a: U, b: U) -> U {
  let low = (a & U(0xffffu)) * (b & U(0xffffu));
  let first = (a >> U(16u)) * (b & U(0xffffu)) + (low >> U(16u));
  let second = (a & U(0xffffu)) * (b >> U(16u)) + (first & U(0xffffu));
  return (a >> U(16u)) * (b >> U(16u)) + (first >> U(16u)) + (second >> U(16u));
}`,
};

/** 32 bits of 2/pi / 4 from the bit `at` on, counted from the point. */
const digits: Helper = {
  text: `fn pivot_twooverpi(at: U) -> U {
  let word = at >> U(5u);
  let bit = at & U(31u);
  var a = select(U(0x28be60dbu), U(0x9391054au), word == U(1u));
  a = select(a, U(0x7f09d5f4u), word == U(2u));
  a = select(a, U(0x7d4d3770u), word == U(3u));
  a = select(a, U(0x36d8a566u), word == U(4u));
  a = select(a, U(0x4f10e410u), word == U(5u));
  var b = select(U(0x9391054au), U(0x7f09d5f4u), word == U(1u));
  b = select(b, U(0x7d4d3770u), word == U(2u));
  b = select(b, U(0x36d8a566u), word == U(3u));
  b = select(b, U(0x4f10e410u), word == U(4u));
  return (a << bit) | ((b >> U(1u)) >> (U(31u) - bit));
}`,
};

/**
 * The quadrant of |x| >= 2 in the two upper bits of `high`, and how far it lies in it in the 62 bits below. Exponent e: |x| = ia 2^(e - 32), so the
 * first e bits of 2/pi / 4 make whole turns.
 */
const reduce: Helper = {
  uses: [upper, digits],
  four: `fn pivot_reduce4(x: vec4<f32>, quadrant: ptr<function, vec4<i32>>, zero: u32) -> vec4<f32> {
  var r = x;
  var quadrants = vec4<i32>(0);
  for (var i = zero; i < 4u; i++) {
    var q = 0;
    r[i] = pivot_reduce(x[i], &q, zero);
    quadrants[i] = q;
  }
  *quadrant = quadrants;
  return r;
}`,
  text: `fn pivot_reduce(x: F, quadrant: ptr<function, I>, zero: u32) -> F {
  let bits = bitcast<U>(x);
  let e = max((bits >> U(23u)) & U(0xffu), U(126u)) - U(126u);
  let ia = ((bits << U(8u)) & U(0x7fffff00u)) | U(0x80000000u);
  let start = max(e, U(32u)) - U(32u);
  let whole = select(pivot_twooverpi(start), U(0x28be60dbu) >> (U(32u) - min(e, U(31u))), e < U(32u));
  let first = select(whole, U(0u), e == U(0u));
  let second = pivot_twooverpi(e);
  let third = pivot_twooverpi(e + U(32u));
  let carried = pivot_upper(ia, third);
  let low = ia * second + carried;
  let over = select(U(0u), U(1u), low < carried);
  let high = ia * first + pivot_upper(ia, second) + over;
  let nearest = (high + U(0x20000000u)) >> U(30u);
  let h = high - (nearest << U(30u));
  let negative = h >= U(0x80000000u);
  let low2 = select(low, U(0u) - low, negative);
  let high2 = select(h, ~h + select(U(0u), U(1u), low == U(0u)), negative);
  let size = fma(F(high2), F(4294967296.0), F(low2)) * F(3.4061215800304e-19f);
  let flip = negative != (bits >= U(0x80000000u));
  let q = bitcast<I>(nearest & U(3u));
  *quadrant = select(q, -q, bits >= U(0x80000000u));
  return select(size, -size, flip);
}`,
};

/** The function that `sineCall` names. */
export const sine: Helper = {
  uses: [reduce],
  text: `fn pivot_sine(x: F, quarters: i32, zero: u32) -> F {
  let t = bitcast<I>(fma(x, F(0.6366197723675814f), F(12582912.0))) - I(0x4b400000);
  let k = F(t);
  let first = bitcast<F>(bitcast<U>(fma(k, F(${-PIECES[0]}f), x)) ^ U(zero));
  let second = bitcast<F>(bitcast<U>(fma(k, F(${-PIECES[1]}f), first)) ^ U(zero));
  let third = bitcast<F>(bitcast<U>(fma(k, F(${-PIECES[2]}f), second)) ^ U(zero));
  var r = fma(k, F(${-PIECES[3]}f), third);
  var quadrant = t;
  let large = abs(x) > F(${LARGEST}.0);
  if (any(large)) {
    var turned = I(0);
    let far = pivot_reduce(x, &turned, zero);
    r = select(r, far, large);
    quadrant = select(quadrant, turned, large);
  }
  quadrant += I(quarters);
  let z = r * r;
  let sine = select(fma(r * z, ${horner(S, 'z')}, r), r, z < F(4e-8f));
  let cosine = fma(z * z, ${horner(C, 'z')}, fma(z, F(-0.5), F(1.0)));
  let value = bitcast<U>(select(sine, cosine, (quadrant & I(1)) == I(1)));
  let signed = value ^ (bitcast<U>(quadrant & I(2)) << U(30u));
  let ends = (bitcast<U>(x) & U(0x7fffffffu)) >= U(0x7f800000u);
  return bitcast<F>(select(signed, U(0x7fc00000u), ends));
}`,
};
