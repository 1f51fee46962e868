/**
 * What may be said of two arms: one verdict a measure, over a family of measures that are judged together. The family is all measures
 * of one report for one pair of arms; the more of them there are, the more each must show.
 */
import { holm } from './holm.ts';
import { differenceOf } from './paired.ts';
import type { RowValues } from './two-way.ts';
import type { Difference } from './paired.ts';

/**
 * `ahead`: the second arm is better than the first. `behind`: it is worse. `cannot tell`: these seeds do not decide it.
 * `no verdict`: nothing to judge by; fewer than two seeds, a measure of which no value is the better one, or shared rows that nobody kept.
 */
export type Verdict = 'ahead' | 'behind' | 'cannot tell' | 'no verdict';

/** One measure of a pair of arms. */
export interface Comparison {
  /** Second arm minus first, one a seed. */
  differences: readonly number[];
  /**
   * Where all seeds were judged on the same rows, what each row adds to the difference of each seed, so that the interval counts rows too;
   * `unknown` where nobody kept that, so that there is nothing to judge by.
   */
  shared?: RowValues | 'unknown';
  better: 'larger' | 'smaller' | 'neither';
}

export interface Judgement {
  verdict: Verdict;
  /** Undefined where no seed has both arms. */
  difference?: Difference;
  seeds: number;
  /** Seeds in which the second arm is the better one, strictly; undefined where no value is. */
  inFavour?: number;
  /** Raw p times what Holm's step asks for; undefined where nothing is judged. The raw one is `difference.p`. */
  adjusted?: number;
}

/** Largest share of reports with any false verdict. */
export const FALSE_VERDICTS = 0.05;

/**
 * Judges all measures of one report for one pair of arms, in the order given. A difference is a verdict if its Holm-adjusted p is
 * below 0.05. Comparisons without verdict do not count towards the family. R0711 for a difference that is not finite.
 */
export function verdicts(family: readonly Comparison[]): Judgement[] {
  const judgements = family.map(({ differences, shared, better }): Judgement => {
    const judgement: Judgement = { verdict: 'no verdict', seeds: differences.length };
    const difference = differenceAmong(differences, shared);
    if (difference !== undefined) judgement.difference = difference;
    if (better !== 'neither') judgement.inFavour = differences.filter((d) => (better === 'larger' ? d > 0 : d < 0)).length;
    return judgement;
  });
  const judged = judgements.flatMap((judgement, i) => {
    const p = family[i].better === 'neither' ? undefined : judgement.difference?.p;
    return p === undefined ? [] : [{ judgement, p, better: family[i].better }];
  });
  const adjusted = holm(judged.map(({ p }) => p));
  judged.forEach(({ judgement, better }, i) => {
    judgement.adjusted = adjusted[i];
    const rises = (judgement.difference?.mean ?? 0) > 0;
    if (adjusted[i] >= FALSE_VERDICTS) judgement.verdict = 'cannot tell';
    else judgement.verdict = rises === (better === 'larger') ? 'ahead' : 'behind';
  });
  return judgements;
}

/** Without interval and p where rows are shared and unknown. */
function differenceAmong(differences: readonly number[], shared: Comparison['shared']): Difference | undefined {
  if (shared !== 'unknown') return differenceOf(differences, shared);
  const found = differenceOf(differences);
  return found && { mean: found.mean, pairs: found.pairs };
}

/** The verdict on one measure that is judged with no other. */
export function verdict(comparison: Comparison): Judgement {
  return verdicts([comparison])[0];
}
