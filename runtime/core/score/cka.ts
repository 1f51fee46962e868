/** Linear centred kernel alignment of two spaces (Kornblith et al. 2019, "Similarity of neural network representations revisited"). */

/** Sums of squares below this share of what was there before centring are rounding. */
const ROUNDING = 1e-24;

/** Features whose columns have mean 0. */
export interface Centred {
  /** [n, width] */
  data: Float64Array;
  n: number;
  width: number;
  /** Whether every row was the same. */
  flat: boolean;
}

/** Takes the mean off each column of features [n, width]. */
export function centred(features: ArrayLike<number>, width: number): Centred {
  const data = Float64Array.from(features);
  const n = data.length / width;
  const mean = new Float64Array(width);
  const raw = squares(data);
  for (let i = 0; i < data.length; i++) mean[i % width] += data[i] / n;
  for (let i = 0; i < data.length; i++) data[i] -= mean[i % width];
  return { data, n, width, flat: squares(data) <= ROUNDING * raw };
}

/**
 * |Y'X|^2 / (|X'X| |Y'Y|) with Frobenius norms, 0 to 1: the cosine between the two spaces' matrices of inner products. 1 where one is a
 * turned and scaled copy of the other. Takes n D^2 steps and D^2 numbers. Undefined where the rows of one are all the same.
 */
export function linearCka(x: Centred, y: Centred): number | undefined {
  if (x.flat || y.flat) return undefined;
  return squaredProduct(y, x) / Math.sqrt(squaredProduct(x, x) * squaredProduct(y, y));
}

/** The squared Frobenius norm of a'b [a.width, b.width]. */
function squaredProduct(a: Centred, b: Centred): number {
  const product = new Float64Array(a.width * b.width);
  for (let row = 0; row < a.n; row++) {
    const from = row * b.width;
    for (let i = 0; i < a.width; i++) {
      const value = a.data[row * a.width + i];
      const to = i * b.width;
      for (let j = 0; j < b.width; j++) product[to + j] += value * b.data[from + j];
    }
  }
  return squares(product);
}

function squares(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
