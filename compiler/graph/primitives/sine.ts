/**
 * Sine and cosine for kernels. WGSL asks for 2^-11 of its own, and software drivers give no more; position encodings need
 * f32. The arithmetic is that of Cephes (S. Moshier): x less the nearest multiple of pi/2, which is subtracted in three
 * pieces so that the products are exact, then a polynomial on [-pi/4, pi/4]. Good for |x| up to some ten thousand.
 */
const PIECES = [1.5703125, 4.837512969970703e-4, 7.549789954891882e-8];
/** sin(r) = r + r z S(z), cos(r) = 1 - z / 2 + z^2 C(z), with z = r^2. Highest power first. */
const S = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1];
const C = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2];

/** Name of the WGSL helper for f32 (`width` 1) or vec4<f32> (4). */
function sineName(width: 1 | 4): string {
  return width === 1 ? 'pivot_sine' : 'pivot_sine4';
}

/** WGSL of sin(x + quarters * pi/2): 0 quarters for the sine, 1 for the cosine. */
export function sineCall(x: string, quarters: 0 | 1, width: 1 | 4): string {
  return `${sineName(width)}(${x}, ${quarters})`;
}

/** The WGSL helper, without branches, for numbers or vectors. */
export function sineHelper(width: 1 | 4): string {
  const [floats, ints] = width === 1 ? ['f32', 'i32'] : ['vec4<f32>', 'vec4<i32>'];
  const [one, two, zero] = [1, 2, 0].map((n) => `${ints}(${n})`);
  const horner = ([first, ...rest]: readonly number[]) =>
    rest.reduce((text, c) => `fma(${text}, z, ${floats}(${c}f))`, `${floats}(${first}f)`);
  const reduced = PIECES.reduce((text, piece) => `fma(k, ${floats}(-${piece}f), ${text})`, 'x');
  return `fn ${sineName(width)}(x: ${floats}, quarters: i32) -> ${floats} {
  let k = round(x * ${2 / Math.PI}f);
  let r = ${reduced};
  let z = r * r;
  let sine = fma(r * z, ${horner(S)}, r);
  let cosine = fma(z * z, ${horner(C)}, fma(z, ${floats}(-0.5), ${floats}(1.0)));
  let quadrant = ${ints}(k) + ${ints}(quarters);
  let value = select(sine, cosine, (quadrant & ${one}) == ${one});
  return select(value, -value, (quadrant & ${two}) != ${zero});
}`;
}

/** The helper's arithmetic in f32 rounding without fused products, to test the approximation without a device. */
export function sineF32(x: number, quarters: 0 | 1): number {
  const f = Math.fround;
  const horner = ([first, ...rest]: readonly number[], z: number) => rest.reduce((sum, c) => f(f(sum * z) + f(c)), f(first));
  const k = Math.round(f(f(x) * f(2 / Math.PI)));
  const r = PIECES.reduce((sum, piece) => f(sum - f(k * f(piece))), f(x));
  const z = f(r * r);
  const sine = f(f(f(r * z) * horner(S, z)) + r);
  const cosine = f(f(f(z * z) * horner(C, z)) + f(1 - f(z * 0.5)));
  const quadrant = k + quarters;
  return ((quadrant & 1) === 1 ? cosine : sine) * ((quadrant & 2) !== 0 ? -1 : 1);
}
