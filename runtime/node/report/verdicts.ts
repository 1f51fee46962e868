/**
 * What a comparison of two arms allows to say, as the report shows it. All statistics are those of `runtime/core/statistics`; here
 * they are put beside what was read from a run folder, where values may be missing.
 */
import { meanInterval, pairedBootstrap, pairedRatioBootstrap, differenceOf, verdicts } from '../../core/statistics/statistics.ts';
import type { RatioRow, Resampled, Verdict } from '../../core/statistics/statistics.ts';

export type { Verdict } from '../../core/statistics/statistics.ts';
export type Interval = [number, number];

/** A mean, of a difference (second arm minus first) or of one arm, and what is known of it. */
export interface Paired {
  mean?: number;
  /** 95 % interval of the mean; undefined where there are fewer than two seeds. */
  interval?: Interval;
  /** Seeds that both arms have, or rows where it is over rows. */
  pairs: number;
}

export interface Judgement extends Paired {
  /** Seeds in which the second arm is the better one. */
  inFavour: number;
  /** Holm's adjusted p over the family. */
  adjusted?: number;
  verdict: Verdict;
}

/** A measure to be judged: differences by seed, and which direction is the better one. */
export interface Judged {
  differences: readonly number[];
  better: 'larger' | 'smaller';
}

/** Differences that are told and not judged. */
export function paired(differences: readonly number[]): Paired {
  const found = differenceOf(differences);
  return found === undefined ? { pairs: 0 } : { mean: found.mean, pairs: found.pairs, ...withInterval(found.interval) };
}

/** Judges all measures of one pair of arms together; one seed gives no verdict. */
export function judge(family: readonly Judged[]): Judgement[] {
  return verdicts(family).map(({ verdict, difference, seeds, inFavour = 0, adjusted }): Judgement => ({
    verdict,
    pairs: seeds,
    inFavour,
    ...(difference === undefined ? {} : { mean: difference.mean, ...withInterval(difference.interval) }),
    ...(adjusted === undefined ? {} : { adjusted }),
  }));
}

/** Mean of one arm over seeds with Student's 95 % interval. */
export function overSeeds(values: readonly number[]): Paired {
  const found = meanInterval(values);
  return found === undefined ? { pairs: 0 } : { mean: found.mean, pairs: found.n, ...withInterval(found.interval) };
}

/** Values of one measure by row, or what each row adds to the ratios of classes that it is a mean of. */
export type ByRows = { values: readonly (number | null)[] } | { ratios: readonly RatioRow[] };

/**
 * The difference of two arms over the rows of one seed, with the 95 % interval of a paired bootstrap over rows; undefined where they
 * were not judged on the same rows. It says how much the choice of rows matters, and nothing about other seeds.
 */
export function overRows(first: ByRows, second: ByRows, key: string, seed: number): Paired | undefined {
  let found: Resampled | undefined;
  if ('values' in first && 'values' in second) {
    if (first.values.length === second.values.length) found = pairedBootstrap(first.values, second.values, { key, seed });
  } else if ('ratios' in first && 'ratios' in second && first.ratios.length === second.ratios.length) {
    found = pairedRatioBootstrap(first.ratios, second.ratios, { key, seed });
  }
  return found === undefined || found.n < 2 ? undefined : { mean: found.mean, interval: found.interval, pairs: found.n };
}

function withInterval(interval: Interval | undefined): { interval?: Interval } {
  return interval === undefined ? {} : { interval };
}
