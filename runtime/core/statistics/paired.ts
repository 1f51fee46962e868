/** Differences between two arms, paired by seed. */
import { deviation, meanInterval } from './sample.ts';
import { twoSidedP } from './student.ts';

export interface Difference {
  mean: number;
  /** 95 % interval of the mean by Student's t; undefined for a single pair. */
  interval?: [number, number];
  /** Two-sided p of the paired t test against no difference; undefined for a single pair. */
  p?: number;
  pairs: number;
}

/** b - a, seed by seed, over the seeds that both have; undefined where they share none. R0711 for a value that is not finite. */
export function pairedDifference(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): Difference | undefined {
  return differenceOf(differencesBySeed(a, b).map(([, difference]) => difference));
}

/** [seed, b - a] for the seeds that both have, in the order of b. */
export function differencesBySeed(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): [number, number][] {
  return [...b].flatMap(([seed, value]): [number, number][] => {
    const other = a.get(seed);
    return other === undefined ? [] : [[seed, value - other]];
  });
}

/** The mean of differences of independent seeds, with interval and p; undefined for none. R0711 for one that is not finite. */
export function differenceOf(differences: readonly number[]): Difference | undefined {
  const found = meanInterval(differences);
  if (found === undefined) return undefined;
  const { mean, interval, n } = found;
  return interval === undefined ? { mean, pairs: n } : { mean, interval, p: pairedP(differences, mean), pairs: n };
}

/**
 * Two-sided p of the mean of at least two differences. Where all are equal there is no spread to measure the mean by, which comes of
 * measures that count few things; the signs are then all that is known, and p is that of the sign test, 2 / 2^n.
 */
function pairedP(differences: readonly number[], centre: number): number {
  const n = differences.length;
  const spread = deviation(differences) ?? 0;
  const largest = Math.max(...differences.map(Math.abs));
  if (largest === 0) return 1;
  // Values such as 0.7 - 0.6 and 0.2 - 0.1 differ by rounding alone.
  if (spread <= 1e-12 * largest) return 2 ** (1 - n);
  return twoSidedP((centre * Math.sqrt(n)) / spread, n - 1);
}
