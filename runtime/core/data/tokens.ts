/** From text to token ids, by the tokenizer of a plan. A word that it does not know is an error, never a substitute. */
import type { Place } from '../../../plan/errors.ts';
import type { Tokenizer } from '../../../plan/plan.ts';
import { dataError } from './codes.ts';

/** Ids of the words of a text, split at white space; or the first word that the tokenizer does not know. */
export type Encoded = { ids: number[] } | { unknown: string };

export interface Encoder {
  pad: number;
  end: number;
  /** Without an end token. */
  encode(text: string): Encoded;
  /** The words of ids; padding and ends are shown as the words that stand for them. */
  decode(ids: ArrayLike<number>): string;
}

const encoders = new WeakMap<Tokenizer, Encoder>();

/** The encoder of a plan's tokenizer; made once. */
export function encoderOf(tokenizer: Tokenizer): Encoder {
  const known = encoders.get(tokenizer);
  if (known !== undefined) return known;
  const { words, pad, end } = tokenizer;
  const ids = new Map(words.map((word, id) => [word, id]));
  const encoder: Encoder = {
    pad,
    end,
    encode: (text) => {
      const out: number[] = [];
      for (const word of text.split(/\s+/)) {
        if (word === '') continue;
        const id = ids.get(word);
        if (id === undefined || id === pad || id === end) return { unknown: word };
        out.push(id);
      }
      return { ids: out };
    },
    decode: (list) => Array.from(list, (id) => words[id] ?? `<${id}>`).join(' '),
  };
  encoders.set(tokenizer, encoder);
  return encoder;
}

/** The known word that is nearest to an unknown one, for the cure; undefined where none is near. */
export function nearestWord(tokenizer: Tokenizer, word: string): string | undefined {
  return nearestOf(tokenizer.words, word);
}

/** The name among `names` that is nearest to `word`; undefined where none is near. */
export function nearestOf(names: readonly string[], word: string): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const known of names) {
    const distance = editDistance(word.toLowerCase(), known.toLowerCase(), least);
    if (distance < least) {
      least = distance;
      best = known;
    }
  }
  return best;
}

/** Levenshtein's distance, or `limit` if it is not below. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return Math.min(row[b.length], limit);
}

/** The error for an unknown word; `row` names the row in words. */
export function unknownWord(tokenizer: Tokenizer, row: string, place: Place, column: string, word: string): Error {
  const near = nearestWord(tokenizer, word);
  return dataError('R0514', `${column} of ${row} has the word "${word}", which the tokenizer does not know`, {
    cure:
      near === undefined
        ? 'add it to the words of the tokenizer, or mend the row'
        : `did you mean "${near}"? Else add it to the words of the tokenizer`,
    place,
  });
}
