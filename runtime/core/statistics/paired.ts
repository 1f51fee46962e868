/** Differences between two arms, paired by seed. */
import { intervalOver, pOver } from './two-way.ts';
import type { RowValues } from './two-way.ts';

export interface Difference {
  mean: number;
  /** 95 % interval of the mean: by Student's t over seeds, and over rows too where all seeds share them (`two-way.ts`); undefined for a single pair. */
  interval?: [number, number];
  /** Two-sided p against no difference, by the same rule; undefined for a single pair. */
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

/**
 * The mean of differences of independent seeds, with interval and p; undefined for none. `rows`: what each row adds to the difference of each
 * seed, where all seeds were judged on the same rows. R0711 for a difference that is not finite.
 */
export function differenceOf(differences: readonly number[], rows?: RowValues): Difference | undefined {
  const found = intervalOver(differences, rows);
  if (found === undefined) return undefined;
  const { mean, interval, n } = found;
  return interval === undefined ? { mean, pairs: n } : { mean, interval, p: pOver(differences, rows), pairs: n };
}
