/**
 * The paired percentile bootstrap over examples (Efron and Tibshirani 1993, "An introduction to the bootstrap", chapter 13): how far a
 * difference between two trained models may be owed to which examples they were asked about. It holds for these two models; what
 * another seed of training would have given is a question for the intervals over seeds.
 */
import { keyOf, Random } from '../random.ts';
import { statisticsError } from './errors.ts';
import { weightedRatios } from './ratios.ts';
import type { RatioRow } from './ratios.ts';

export interface Resampling {
  /** Names what is compared, so that equal figures come out of equal data everywhere. */
  key: string;
  seed: number;
  /** 2000 unless said. */
  resamples?: number;
  /** 0.95 unless said. */
  level?: number;
}

export interface Resampled {
  /** b - a over the examples as they are. */
  mean: number;
  interval: [number, number];
  /** Examples that both have. */
  n: number;
}

/** Values of one measure by row; null (or NaN, or what JSON made of it) where a row has none. */
export type ByRow = readonly (number | null)[];

/**
 * The mean over examples of b - a with its percentile interval. Rows are drawn with replacement, the same for both. Rows where either
 * has no value are left out; undefined where none is left. R0712 where the lists differ in length.
 */
export function pairedBootstrap(a: ByRow, b: ByRow, how: Resampling): Resampled | undefined {
  requireSameRows(a.length, b.length);
  const differences: number[] = [];
  b.forEach((value, i) => {
    const other = a[i];
    if (isKnown(value) && isKnown(other)) differences.push(value - other);
  });
  const n = differences.length;
  return resampled(n, how, (weights) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += weights[i] * differences[i];
    return sum / n;
  });
}

/** The same for a mean of ratios over classes (macro recall, mean IoU), which is computed anew from each choice of rows. */
export function pairedRatioBootstrap(a: readonly RatioRow[], b: readonly RatioRow[], how: Resampling): Resampled | undefined {
  requireSameRows(a.length, b.length);
  const [ofA, ofB] = [weightedRatios(a), weightedRatios(b)];
  return resampled(a.length, how, (weights) => {
    const [x, y] = [ofA(weights), ofB(weights)];
    return x === undefined || y === undefined ? undefined : y - x;
  });
}

/** `statistic` of how often each of n rows counts: as they are, and the percentiles over resamples. */
function resampled(n: number, how: Resampling, statistic: (weights: Int32Array) => number | undefined): Resampled | undefined {
  const { key, seed, resamples = 2000, level = 0.95 } = how;
  if (!(Number.isInteger(resamples) && resamples >= 1 && level > 0 && level < 1)) {
    throw statisticsError(
      'R0711',
      `${resamples} resamples at the level ${level} make no interval`,
      'give a whole number, and a level below 1',
    );
  }
  const mean = n === 0 ? undefined : statistic(new Int32Array(n).fill(1));
  if (mean === undefined) return undefined;
  const stream = keyOf(`bootstrap/${key}`, seed);
  const weights = new Int32Array(n);
  const found: number[] = [];
  for (let r = 0; r < resamples; r++) {
    const random = new Random(stream, r);
    weights.fill(0);
    for (let i = 0; i < n; i++) weights[random.below(n)]++;
    const value = statistic(weights);
    if (value !== undefined) found.push(value);
  }
  found.sort((x, y) => x - y);
  return { mean, interval: [percentile(found, (1 - level) / 2), percentile(found, (1 + level) / 2)], n };
}

/** Of sorted values, interpolated linearly between the two nearest. */
function percentile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

function isKnown(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function requireSameRows(a: number, b: number): void {
  if (a !== b) {
    throw statisticsError(
      'R0712',
      `one arm was judged on ${a} examples, the other on ${b}`,
      'judge both by the same probe on the same rows',
    );
  }
}
