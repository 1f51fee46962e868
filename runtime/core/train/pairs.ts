/**
 * Preference pairs from a model's own answers: of each prompt the best and the worst by their rank. Answers that did not come to
 * an end are left out: as targets they would teach to stop in the middle.
 */

import { pairOf } from '../score/rank.ts';
import type { Rank } from '../score/rank.ts';

/** A line of `rows.jsonl`, as far as it is needed here. */
export interface SampledLine {
  row: number;
  said: string;
  answer: string;
  ended: boolean;
}

export interface SampledPair {
  row: number;
  chosen: string;
  rejected: string;
  /** Of the chosen and of the rejected answer. */
  ranks: [number, number];
}

/** What became of the prompts; the mean ranks are those of the pairs that were kept, null where there are none. */
export interface Kept {
  prompts: number;
  kept: number;
  /** Different answers, none better than the others. */
  ties: number;
  /** All answers have the same text. */
  same: number;
  /** Fewer than two answers came to an end. */
  unended: number;
  meanChosen: number | null;
  meanRejected: number | null;
}

/** One pair a prompt at most, in the order of the rows; of answers that rank alike the first. */
export function pairsOf(lines: readonly SampledLine[], rank: Rank): { pairs: SampledPair[]; kept: Kept } {
  const byRow = new Map<number, SampledLine[]>();
  for (const line of lines) byRow.set(line.row, [...(byRow.get(line.row) ?? []), line]);
  const counts = { ties: 0, same: 0, unended: 0 };
  const pairs: SampledPair[] = [];
  for (const [row, all] of byRow) {
    const answers = all.filter(({ ended }) => ended).map(({ said, answer }) => ({ said, rank: rank(said, answer) }));
    const found = answers.length < 2 ? undefined : pairOf(answers);
    if (found === undefined) counts.unended++;
    else if ('reason' in found) counts[found.reason === 'tie' ? 'ties' : 'same']++;
    else pairs.push({ row, chosen: found.best.said, rejected: found.worst.said, ranks: [found.best.rank, found.worst.rank] });
  }
  const mean = (which: 0 | 1): number | null =>
    pairs.length === 0 ? null : pairs.reduce((sum, { ranks }) => sum + ranks[which], 0) / pairs.length;
  return { pairs, kept: { prompts: byRow.size, kept: pairs.length, ...counts, meanChosen: mean(0), meanRejected: mean(1) } };
}
