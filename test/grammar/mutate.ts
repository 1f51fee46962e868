/** Damage to texts, reproducible: what an editor holds while somebody types. */
import { lexer } from '../../grammar/tokens.ts';

/** A small generator of numbers in [0, 1), the same on every machine (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The text with `edits` of its words deleted, doubled, exchanged or replaced by another of its words, or a stray character put in. */
export function damage(text: string, edits: number, random: () => number): string {
  const { tokens } = lexer.tokenize(text);
  let result = text;
  const pick = (): { start: number; end: number; image: string } => {
    const token = tokens[Math.floor(random() * tokens.length)];
    return { start: token.startOffset, end: (token.endOffset ?? token.startOffset) + 1, image: token.image };
  };
  for (let i = 0; i < edits; i++) {
    const at = pick();
    const other = pick().image;
    const replacement = [
      () => '',
      () => `${at.image} ${at.image}`,
      () => other,
      () => `${other} ${at.image}`,
      () => ';#\'"$\\'[Math.floor(random() * 6)],
    ];
    const chosen = replacement[Math.floor(random() * replacement.length)];
    // offsets are those of the undamaged text: after the first edit they may cut words, which is damage too
    result = result.slice(0, at.start) + chosen() + result.slice(at.end);
  }
  return result;
}
