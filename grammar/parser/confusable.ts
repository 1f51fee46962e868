/**
 * Characters that look like marks of the language and are others: what word processors and keyboards of other scripts put in their
 * place. They are read as what they look like, so that the rest of the text is read as it was meant, and each is a diagnostic.
 */
import type { ILexingError } from 'chevrotain';

const plainOf: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ',': '，、﹐‚',
    ':': '：﹕∶',
    ';': '；',
    '.': '．。',
    '(': '（',
    ')': '）',
    '[': '［【',
    ']': '］】',
    '{': '｛',
    '}': '｝',
    '=': '＝',
    '+': '＋',
    '-': '−–—‐‑－',
    '*': '×·∗＊',
    '/': '÷∕／',
    '<': '＜',
    '>': '＞',
    '%': '％',
    '^': '＾',
    '"': '“”„‟«»＂',
    // blanks of other widths, and what has none
    ' ': '\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\u200b\u200c\u200d\u2060\u000b\u000c\u0085\u2028\u2029',
  }).flatMap(([plain, others]) => [...others].map((other): [string, string] => [other, plain])),
);

/** What a character that the language does not have was probably meant to be. */
export function meantBy(character: string): string | undefined {
  return plainOf.get(character);
}

/** The text with those characters in the given faults of the lexer replaced that look like marks; the same text if there are none. */
export function replaceConfusable(text: string, faults: readonly ILexingError[]): string {
  const characters = text.split('');
  let found = false;
  for (const { offset, length } of faults) {
    for (let at = offset; at < offset + length; at++) {
      const plain = plainOf.get(characters[at]);
      if (plain === undefined) continue;
      characters[at] = plain;
      found = true;
    }
  }
  return found ? characters.join('') : text;
}
