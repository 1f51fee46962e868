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
  tokens?: number[];
  /** The token that it ended by, where a checkpoint's tokenizer is read. */
  end?: number;
}

export interface SampledPair {
  row: number;
  chosen: string;
  rejected: string;
  /** Of the chosen and of the rejected answer. */
  ranks: [number, number];
  /** Both answers with their ends, where a checkpoint's tokenizer is read: text may be written in other tokens than the model took. */
  ids?: { chosen: number[]; rejected: number[] };
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
    const answers = all
      .filter(({ ended }) => ended)
      .map((line) => ({ said: line.said, rank: rank(line.said, line.answer), ids: idsOf(line) }));
    const found = answers.length < 2 ? undefined : pairOf(answers);
    if (found === undefined) counts.unended++;
    else if ('reason' in found) counts[found.reason === 'tie' ? 'ties' : 'same']++;
    else pairs.push(pairFrom(row, found.best, found.worst));
  }
  const mean = (which: 0 | 1): number | null =>
    pairs.length === 0 ? null : pairs.reduce((sum, { ranks }) => sum + ranks[which], 0) / pairs.length;
  return { pairs, kept: { prompts: byRow.size, kept: pairs.length, ...counts, meanChosen: mean(0), meanRejected: mean(1) } };
}

function idsOf({ tokens, end }: SampledLine): number[] | undefined {
  return tokens === undefined || end === undefined ? undefined : [...tokens, end];
}

interface Ranked {
  said: string;
  rank: number;
  ids: number[] | undefined;
}

function pairFrom(row: number, best: Ranked, worst: Ranked): SampledPair {
  const ids = best.ids === undefined || worst.ids === undefined ? {} : { ids: { chosen: best.ids, rejected: worst.ids } };
  return { row, chosen: best.said, rejected: worst.said, ranks: [best.rank, worst.rank], ...ids };
}
