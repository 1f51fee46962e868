/**
 * What a comparison of two arms allows to say, as the report shows it. All statistics are those of `runtime/core/statistics`; here
 * they are put beside what was read from a run folder, where values may be missing.
 */
import { intervalOver, pairedBootstrap, pairedRatioBootstrap, rowsOfRatios, verdicts } from '../../core/statistics/statistics.ts';
import type { RatioRow, Resampled, RowValues, Verdict } from '../../core/statistics/statistics.ts';

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

/** What rows add to the values of seeds that were all judged on them; `unknown` where that was not kept, so that there is no interval. */
export type Shared = RowValues | 'unknown';

/** A measure to be judged: differences by seed, what shared rows add to them, and which direction is the better one. */
export interface Judged {
  differences: readonly number[];
  shared?: Shared;
  better: 'larger' | 'smaller';
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

/** Mean over seeds, of an arm's values or of differences that are told and not judged, with its 95 % interval (`two-way.ts`). */
export function overSeeds(values: readonly number[], shared?: Shared): Paired {
  const found = intervalOver(values, shared === 'unknown' ? undefined : shared);
  if (found === undefined) return { pairs: 0 };
  return { mean: found.mean, pairs: found.n, ...withInterval(shared === 'unknown' ? undefined : found.interval) };
}

/** What the rows of each seed add to its value, or to the difference of two; `unknown` where a seed has none, or another number of rows. */
export function sharedRows(seeds: readonly (ByRows | undefined)[], less?: readonly (ByRows | undefined)[]): Shared {
  const own = seeds.map(valuesByRow);
  const other = less?.map(valuesByRow);
  const rows = own.flatMap((list, i) => {
    if (list === undefined || list.length !== own[0]?.length) return [];
    if (other === undefined) return [list];
    const from = other[i];
    return from?.length === list.length ? [list.map((value, row) => minus(value, from[row]))] : [];
  });
  return rows.length === seeds.length ? rows : 'unknown';
}

function valuesByRow(rows: ByRows | undefined): readonly (number | null)[] | undefined {
  return rows && ('values' in rows ? rows.values : rowsOfRatios(rows.ratios));
}

function minus(value: number | null, other: number | null): number | null {
  return value === null || other === null ? null : value - other;
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
