/** Two texts word by word: what they share and where they part. */
import { markup } from './html.ts';
import type { Content } from './html.ts';

/** Longer texts are not compared: the table below grows with the product of the lengths. */
const MOST_WORDS = 400;

/** Whether two texts say the same but for blanks. */
export function sameWords(a: string, b: string): boolean {
  return wordsOf(a).join(' ') === wordsOf(b).join(' ');
}

/** `text` with the words emphasised that are not of a longest common subsequence with `other`. */
export function marked(text: string, other: string): Content {
  const [own, its] = [wordsOf(text), wordsOf(other)];
  if (own.length > MOST_WORDS || its.length > MOST_WORDS) return text;
  const shared = sharedWith(own, its);
  // Neighbours that are marked alike stand in one element.
  const runs: { words: string[]; shared: boolean }[] = [];
  own.forEach((word, i) => {
    const last = runs.at(-1);
    if (last?.shared === shared[i]) last.words.push(word);
    else runs.push({ words: [word], shared: shared[i] });
  });
  return runs.map(({ words, shared: both }, i): Content => [
    i > 0 && ' ',
    both ? words.join(' ') : markup`<em class="differs">${words.join(' ')}</em>`,
  ]);
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** For each word of `a`, whether it is in a longest common subsequence with `b`. */
function sharedWith(a: readonly string[], b: readonly string[]): boolean[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i][j] = a[i] === b[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const shared = new Array<boolean>(a.length).fill(false);
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) {
      shared[i++] = true;
      j++;
    } else if (lengths[i + 1][j] >= lengths[i][j + 1]) i++;
    else j++;
  }
  return shared;
}
