/** Damage to a text, at its words and at its characters: what slips, editors, other tools and ill will do to it. Reproducible. */
import { lexer } from '../../../grammar/tokens.ts';
import { randomNumbers } from '../../grammar/mutate.ts';

export type Random = () => number;

/** A generator for the text `index` of a campaign. */
export function randomFor(seed: number, index: number): Random {
  return randomNumbers(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)];
}

const numbers = [
  '0', '1', '2', '3', '7', '64', '0.5', '1e-3', '1e300', '1e-300', '1e999', '2147483648', '4294967296', '9007199254740993', '1000000000000',
  '99999999999999999999', '100%', '200%', '-1', '0 steps', '3 epochs', '1000000000 epochs', '24px', '1B', '8k', '0x10', '1_000', '.5', '5.',
]; // prettier-ignore

const odd = [
  '，', '：', '（', '）', '“', '”', '‘', '−', '–', '×', '\u00a0', '\u200b', '\u202e', '\ufeff', '\u0000', '\u001b[31m', '\u2028', '\r', '\t', '😀', '\ud83d',
  'é', 'ß', '名', ';', '#', "'", '`', '"', '\\', '$', '@', '!', '&', '|', '~', '{', '}', '(', ')', '[', ']', ',', ':', '.', '..', '->', '=', '==', '?', '///', '//',
]; // prettier-ignore

const words = [
  'if', 'then', 'else', 'or', 'and', 'not', 'in', 'true', 'false', 'none', 'let', 'weight', 'part', 'repeat', 'return', 'expose', 'require', 'state', 'like', 'embed',
  'keep', 'score', 'train', 'tune', 'by', 'on', 'every', 'from', 'as', 'arm', 'use', 'param', 'seeds', 'encoder', 'language', 'model', 'data', 'stage', 'compare',
  'export', 'layer', 'loss', 'constructor', '__proto__', 'toString', 'hasOwnProperty', 'std', 'pivot', 'pretrained', 'lora', 'sample', 'grad', 'mean', 'sum',
]; // prettier-ignore

interface Piece {
  start: number;
  end: number;
  image: string;
}

function pieces(text: string): Piece[] {
  return lexer
    .tokenize(text)
    .tokens.map((token) => ({ start: token.startOffset, end: (token.endOffset ?? token.startOffset) + 1, image: token.image }));
}

function replace(text: string, { start, end }: { start: number; end: number }, by: string): string {
  return text.slice(0, start) + by + text.slice(end);
}

/** One edit of a word: left out, doubled, exchanged with another, put beside another; numbers become extreme ones. */
function editWord(text: string, other: string, random: Random): string {
  const all = pieces(text);
  if (all.length === 0) return text + pick(random, words);
  const at = Math.floor(random() * all.length);
  const one = all[at];
  switch (Math.floor(random() * 9)) {
    case 0:
      return replace(text, one, '');
    case 1:
      return replace(text, one, `${one.image} ${one.image}`);
    case 2: {
      const next = all[Math.min(at + 1, all.length - 1)];
      return at + 1 < all.length
        ? text.slice(0, one.start) + next.image + text.slice(one.end, next.start) + one.image + text.slice(next.end)
        : text;
    }
    case 3:
      return replace(text, one, pick(random, all).image);
    case 4: {
      const others = pieces(other);
      return replace(text, one, others.length > 0 ? pick(random, others).image : '');
    }
    case 5:
      return replace(text, { start: one.start, end: one.start }, `${pick(random, words)} `);
    case 6:
      return replace(text, one, pick(random, words));
    default: {
      const digits = all.filter(({ image }) => /^\d/.test(image));
      return digits.length > 0 ? replace(text, pick(random, digits), pick(random, numbers)) : replace(text, one, pick(random, numbers));
    }
  }
}

/** One edit of characters: left out, put in, doubled many times; the text cut off. */
function editCharacters(text: string, random: Random): string {
  const at = Math.floor(random() * (text.length + 1));
  switch (Math.floor(random() * 6)) {
    case 0:
      return replace(text, { start: at, end: at + 1 + Math.floor(random() * 3) }, '');
    case 1:
    case 2:
      return replace(text, { start: at, end: at }, pick(random, odd));
    case 3:
      return replace(text, { start: at, end: at + 1 }, pick(random, odd));
    case 4:
      return replace(
        text,
        { start: at, end: at },
        pick(random, [...odd, '(', '[', '-', 'not ', '1+', 'x.', '^']).repeat(Math.floor(random() * 120)),
      );
    default:
      return random() < 0.3 ? text.slice(0, at) : text;
  }
}

/** One edit of lines: left out, doubled, moved, or taken from another text. */
function editLines(text: string, other: string, random: Random): string {
  const lines = text.split('\n');
  const at = Math.floor(random() * lines.length);
  switch (Math.floor(random() * 4)) {
    case 0:
      lines.splice(at, 1);
      break;
    case 1:
      lines.splice(at, 0, lines[at]);
      break;
    case 2:
      lines.splice(Math.floor(random() * lines.length), 0, ...lines.splice(at, 1));
      break;
    default: {
      const others = other.split('\n');
      const from = Math.floor(random() * others.length);
      lines.splice(at, Math.floor(random() * 2), ...others.slice(from, from + 1 + Math.floor(random() * 4)));
    }
  }
  return lines.join('\n');
}

/** The text with one to three edits, seldom with twenty; `other` is a text that words and lines are taken from. */
export function mutate(text: string, other: string, random: Random): string {
  const edits = random() < 0.03 ? 20 : 1 + Math.floor(random() * 3);
  let result = text;
  for (let i = 0; i < edits; i++) {
    const kind = random();
    if (kind < 0.6) result = editWord(result, other, random);
    else if (kind < 0.8) result = editLines(result, other, random);
    else result = editCharacters(result, random);
  }
  return result;
}
