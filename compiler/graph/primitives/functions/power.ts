/**
 * pow as C99 has it: WGSL leaves negative bases open, and drivers answer |x|^y or NaN. log2|x| is computed in two pieces, as in fdlibm's
 * `e_powf.c` (Sun Microsystems, 1993; I. L. Taylor), so that large exponents do not magnify its rounding. Pieces are cut off by their bits: a
 * driver that takes (a + b) - a for b cannot see through that.
 */
import { horner, isNan } from './helper.ts';
import type { Helper } from './helper.ts';

const ATANH = [0.20697501302, 0.23066075146, 0.27272811532, 0.33333298564, 0.42857143283, 0.60000002384];
/** (2^x - 1) / x on [-1/2, 1/2]. Highest power first. */
const EXP2 = [1.535336188e-4, 1.33988744e-3, 9.618437357e-3, 5.550332471e-2, 2.402264791e-1, 6.931472028e-1];

/** x without its last 12 bits. */
const cut: Helper = {
  text: `fn pivot_cut(x: F) -> F {
  return bitcast<F>(bitcast<U>(x) & U(0xfffff000u));
}`,
};

/** |x|^y for positive normal |x| and |y| up to 2^32; beyond, all but 1^y is out of range anyway. */
const magnitude: Helper = {
  uses: [cut],
  text: `fn pivot_powsize(a: F, y: F) -> F {
  let bits = bitcast<I>(a);
  let fraction = bits & I(0x007fffff);
  let half = (fraction > I(0x1cc471)) & (fraction < I(0x5db3d7));
  let up = fraction >= I(0x5db3d7);
  let n = F((bits >> U(23u)) - I(127) + select(I(0), I(1), up));
  let m = bitcast<F>((fraction | I(0x3f800000)) - select(I(0), I(0x00800000), up));
  let centre = select(F(1.0), F(1.5), half);
  let u = m - centre;
  let v = F(1.0) / (m + centre);
  let s = u * v;
  let sh = pivot_cut(s);
  let high = pivot_cut(m + centre);
  let low = m - (high - centre);
  let sl = v * ((u - sh * high) - sh * low);
  let s2 = s * s;
  let r = s2 * s2 * ${horner(ATANH, 's2')} + sl * (sh + s);
  let sh2 = sh * sh;
  let th = pivot_cut(F(3.0) + sh2 + r);
  let tl = r - ((th - F(3.0)) - sh2);
  let p = sh * th;
  let q = sl * th + tl * s;
  let ph = pivot_cut(p + q);
  let pl = q - (ph - p);
  let zh = ph * F(0.96191406250f);
  let zl = fma(pl, F(0.96179670095f), ph * F(-1.1736857402e-4f)) + select(F(0.0), F(1.56322085e-6f), half);
  let shift = select(F(0.0), F(0.584960938f), half);
  let lh = pivot_cut(((zh + zl) + shift) + n);
  let ll = zl - (((lh - n) - shift) - zh);
  let yh = pivot_cut(y);
  let eh = yh * lh;
  let el = (y - yh) * lh + y * ll;
  let e = eh + el;
  let k = round(clamp(e, F(-200.0), F(129.0)));
  let f = (eh - k) + el;
  let power = fma(${horner(EXP2, 'f')}, f, F(1.0));
  var result = bitcast<U>(bitcast<I>(power) + (I(k) << U(23u)));
  result = select(result, U(0x7f800000u), result >= U(0x7f800000u));
  result = select(result, U(0u), e < F(-126.0));
  return bitcast<F>(result);
}`,
};

export const pow: Helper = {
  uses: [magnitude, isNan],
  four: `fn pivot_pow4(x: vec4<f32>, y: vec4<f32>, zero: u32) -> vec4<f32> {
  var r = x;
  for (var i = zero; i < 4u; i++) {
    r[i] = pivot_pow(x[i], y[i], zero);
  }
  return r;
}`,
  text: `fn pivot_pow(x: F, y: F, zero: u32) -> F {
  let ax = bitcast<U>(x) & U(0x7fffffffu);
  let ay = bitcast<U>(y) & U(0x7fffffffu);
  let negative = bitcast<U>(x) >= U(0x80000000u);
  let endless = ay == U(0x7f800000u);
  let large = ay >= U(0x4b800000u);
  let whole = large | (floor(y) == y);
  let odd = whole & !large & ((I(clamp(y, F(-16777216.0), F(16777216.0))) & I(1)) == I(1));
  let up = (bitcast<U>(y) < U(0x80000000u));
  let grows = (ax > U(0x3f800000u)) == up;
  let extreme = endless | (ax < U(0x00800000u)) | (ax >= U(0x7f800000u));
  let safe = select(bitcast<F>(ax), F(1.0), extreme);
  var bits = bitcast<U>(pivot_powsize(safe, clamp(y, F(-4294967296.0), F(4294967296.0))));
  bits = select(bits, select(U(0u), U(0x7f800000u), grows), extreme);
  bits = bits | select(U(0u), U(0x80000000u), negative & odd);
  bits = select(bits, U(0x7fc00000u), negative & !whole & (ax < U(0x7f800000u)) & (ax >= U(0x00800000u)));
  bits = select(bits, U(0x7fc00000u), pivot_nan(x) | pivot_nan(y));
  let one = (ay < U(0x00800000u)) | (bitcast<U>(x) == U(0x3f800000u)) | ((ax == U(0x3f800000u)) & endless);
  return bitcast<F>(select(bits, U(0x3f800000u), one));
}`,
};
