/**
 * What a comparison of two arms allows to say. The one place of the report that knows statistics; everything else shows what
 * comes from here.
 *
 * Differences are paired by seed: both arms of a seed began alike and saw the same rows in the same order. Over several seeds
 * their mean has Student's interval and p-value; p-values are adjusted by Holm over all judged measures of the pair of arms,
 * and only an adjusted p below 0.05 is a verdict. One seed gives none, however many rows it was judged on.
 */
import { Random, keyOf } from '../../core/random.ts';
import { deviation, mean, pairedDifference } from './statistics.ts';

export type Verdict = 'ahead' | 'behind' | 'cannot tell' | 'no verdict';
export type Interval = [number, number];

/** A difference (second arm minus first) and what is known of it over seeds. */
export interface Paired {
  mean?: number;
  /** 95 % interval of the mean over seeds; undefined for fewer than two. */
  interval?: Interval;
  /** Seeds that both arms have. */
  pairs: number;
}

export interface Judgement extends Paired {
  /** Seeds in which the second arm is the better one. */
  inFavour: number;
  p?: number;
  /** Holm's adjusted p over the family. */
  adjusted?: number;
  verdict: Verdict;
}

/** A measure to be judged: differences by seed, and which direction is the better one. */
export interface Judged {
  differences: readonly number[];
  better: 'larger' | 'smaller';
}

/** The level below which an adjusted p is a verdict. */
export const LEVEL = 0.05;

/** Differences that are told and not judged. */
export function paired(differences: readonly number[]): Paired {
  const zero = new Map(differences.map((_, seed) => [seed, 0]));
  const found = pairedDifference(zero, new Map(differences.map((d, seed) => [seed, d])));
  if (found === undefined) return { pairs: 0 };
  return { mean: found.mean, pairs: found.pairs, ...(found.interval === undefined ? {} : { interval: found.interval }) };
}

/** Judges all measures of one pair of arms together. */
export function judge(family: readonly Judged[]): Judgement[] {
  const found = family.map(({ differences, better }) => {
    const sign = better === 'larger' ? 1 : -1;
    const p = probability(differences);
    return { ...paired(differences), inFavour: differences.filter((d) => sign * d > 0).length, sign, ...(p === undefined ? {} : { p }) };
  });
  const known = found.flatMap(({ p }, i) => (p === undefined ? [] : [{ p, i }]));
  const adjusted = new Map(holm(known.map(({ p }) => p)).map((p, k) => [known[k].i, p]));
  return found.map(({ sign, ...one }, i): Judgement => {
    const p = adjusted.get(i);
    if (p === undefined || one.mean === undefined) return { ...one, verdict: 'no verdict' };
    return { ...one, adjusted: p, verdict: p >= LEVEL ? 'cannot tell' : sign * one.mean > 0 ? 'ahead' : 'behind' };
  });
}

/** Mean over seeds with its 95 % interval, of one arm by itself. */
export function overSeeds(values: readonly number[]): Paired {
  return paired(values);
}

/** Two-sided p of Student's test that the mean is 0; undefined for fewer than two values. */
function probability(differences: readonly number[]): number | undefined {
  const centre = mean(differences);
  const spread = deviation(differences);
  if (centre === undefined || spread === undefined) return undefined;
  if (spread === 0) return centre === 0 ? 1 : 0;
  return tails((Math.abs(centre) / spread) * Math.sqrt(differences.length), differences.length - 1);
}

/** P(|T| > t) for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4). */
function tails(t: number, freedom: number): number {
  const theta = Math.atan(t / Math.sqrt(freedom));
  const cos2 = Math.cos(theta) ** 2;
  let term = freedom % 2 === 1 ? Math.cos(theta) : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = freedom % 2 === 1 ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= (cos2 * (k - 1)) / k;
    sum += term;
  }
  const inside = freedom % 2 === 1 ? (2 / Math.PI) * (theta + Math.sin(theta) * sum) : Math.sin(theta) * sum;
  return Math.min(1, Math.max(0, 1 - inside));
}

/** Holm's (1979) step-down adjusted p-values, in the order of the input. */
function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, i) => i).sort((a, b) => ps[a] - ps[b]);
  const result: number[] = new Array<number>(ps.length).fill(1);
  let least = 0;
  order.forEach((i, rank) => {
    least = Math.max(least, Math.min(1, (ps.length - rank) * ps[i]));
    result[i] = least;
  });
  return result;
}

/** Samples of the bootstrap. */
const SAMPLES = 2000;

/**
 * The mean difference of two arms over the rows that both have a value for, within one seed, with the 95 % percentile interval of
 * a paired bootstrap over rows. It says how much the choice of rows matters, and nothing about other seeds.
 */
export function overRows(first: readonly (number | null)[], second: readonly (number | null)[], name: string): Paired | undefined {
  const differences = first.flatMap((a, i) => {
    const b = second.at(i);
    return a === null || b === null || b === undefined ? [] : [b - a];
  });
  const n = differences.length;
  const centre = mean(differences);
  if (centre === undefined || n < 2 || first.length !== second.length) return undefined;
  const random = new Random(keyOf(`bootstrap ${name}`, 0));
  const means = Float64Array.from({ length: SAMPLES }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += differences[random.below(n)];
    return sum / n;
  }).sort();
  return { mean: centre, interval: [means[Math.floor(0.025 * SAMPLES)], means[Math.ceil(0.975 * SAMPLES) - 1]], pairs: n };
}
