/**
 * Ranks answers by a true one, 0 (nothing is right) to 1: for the scores of answers, and for preference pairs made from a model's own
 * answers, of which the best and the worst are kept.
 */
import { isOfScenes, readText, shareOfAttributes } from '../data/scenes/attributes.ts';
import { scoreError } from './errors.ts';

export type Rank = (said: string, truth: string) => number;

export const ranks: Readonly<Record<string, Rank>> = {
  /** 1 if the two are equal up to blanks, else 0. */
  exact: (said, truth) => (plain(said) === plain(truth) ? 1 : 0),
  /** F1 of the words that both have, each as often as it stands in both (Rajpurkar et al. 2016, section 6.1), without regard to case. */
  overlap,
  /**
   * The share of attributes that are right, where the truth is of the scenes' language (`data/scenes/attributes.ts`); else `overlap`. The
   * truth alone decides which, so that all answers to a prompt are on one scale.
   */
  correctness: (said, truth) => {
    const reading = readText(truth);
    return isOfScenes(reading) ? shareOfAttributes(readText(said), reading) : overlap(said, truth);
  },
};

/** The rank of that name; R0704 where there is none. */
export function rankNamed(name: string): Rank {
  if (Object.hasOwn(ranks, name)) return ranks[name];
  throw scoreError('R0704', `there is no rank called ${name}`, `this runtime has ${Object.keys(ranks).join(', ')}`);
}

function overlap(said: string, truth: string): number {
  const [a, b] = [wordsOf(said), wordsOf(truth)];
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 1 : 0;
  const left = new Map<string, number>();
  for (const word of b) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of a) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    common++;
  }
  return (2 * common) / (a.length + b.length);
}

/** Runs of letters (with their marks) and digits, in lower case. */
function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

function plain(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}

export interface Answer {
  said: string;
  rank: number;
}

/** `tie`: no answer is better than another. `same text`: there is only one text, up to blanks. */
export type NoPair = 'tie' | 'same text';

/** The best and the worst of the answers to one prompt, of equal ones the first; or why there are no two. */
export function pairOf<T extends Answer>(answers: readonly T[]): { best: T; worst: T } | { reason: NoPair } {
  const wrong = answers.find(({ rank }) => !Number.isFinite(rank));
  if (wrong !== undefined) throw scoreError('R0705', `an answer has the rank ${wrong.rank}`, 'let the rank be a number for every text');
  if (new Set(answers.map(({ said }) => plain(said))).size < 2) return { reason: 'same text' };
  const best = answers.reduce((a, b) => (b.rank > a.rank ? b : a));
  const worst = answers.reduce((a, b) => (b.rank < a.rank ? b : a));
  return best.rank > worst.rank ? { best, worst } : { reason: 'tie' };
}
