/** Compares what a reader said with what the set asks for. */
import { basename } from 'node:path';
import type { Case, Hint, Outcome, Result } from './result.ts';

/** Why the outcome is not what the case asks for; undefined where it is. */
export function judge(one: Case, outcome: Outcome): string | undefined {
  switch (outcome.kind) {
    case 'skipped':
      return undefined;
    case 'failed':
      return `ended with an error that is no PivotError: ${outcome.said}`;
    case 'killed':
      return outcome.said;
    case 'refused':
      if (one.verdict === 'accept') return 'refused what is sound';
      // What may also be refused unread, such as a kind that is not supported, need not be said to hold anything.
      return unnamed(one, outcome.said, true, one.verdict === 'bounded' || one.verdict === 'either' ? LOOSE : undefined);
    case 'read':
      if (one.verdict === 'reject') return 'read what should be refused';
      if (one.verdict === 'warn') {
        if (outcome.result.warnings.length === 0) return 'read without a warning';
        return unnamed(one, outcome.result.warnings.join('\n'), false);
      }
      return one.result === undefined ? undefined : differs(one.result, outcome.result);
  }
}

/** Which name of the case the words lack. */
function unnamed(one: Case, said: string, withFile: boolean, spared?: ReadonlySet<string>): string | undefined {
  if (withFile && !said.includes(basename(one.file))) return `does not name the file ${basename(one.file)}`;
  for (const [key, hint] of Object.entries(one.names ?? {})) {
    if (spared?.has(key)) continue;
    for (const part of Array.isArray(hint) ? hint : [hint]) {
      if (!mentions(said, key, part)) return `does not name ${key} ${JSON.stringify(part)}`;
    }
  }
  return undefined;
}

/** Hints that are words for a person, not names; the numbers, names and rare words in them should appear. */
const LOOSE = new Set(['expected', 'found']);
const COMMON = new Set(
  'the and for with from that this then than one two number numbers whole text texts list lists size sizes least most file files bytes byte string begins next should known its each per'.split(
    ' ',
  ),
);

/** Whether the words contain a hint: a name to the letter, of `expected` and `found` the numbers and names. */
export function mentions(said: string, key: string, hint: string | number): boolean {
  const text = plain(said);
  const wanted = plain(String(hint));
  if (text.includes(wanted)) {
    if (typeof hint !== 'number' && !/^-?\d+$/.test(wanted)) return true;
    return new RegExp(`(^|[^\\d.])${wanted.replace('-', '\\-')}([^\\d]|$)`).test(text);
  }
  if (!LOOSE.has(key)) return false;
  if (wanted === 'none') return /\bnull\b/.test(text);
  // Of "204 of 416 bytes" only the first can be known where the rest was cut off.
  const head = wanted.replace(/^(\d+) of \d+ bytes$/, '$1 bytes');
  const numbers = head.match(/-?\d+(\.\d+)?/g) ?? [];
  if (numbers.length > 0) return numbers.every((n) => mentions(said, '', n));
  const words = head.match(/[\w.]{3,}/g)?.filter((word) => !COMMON.has(word)) ?? [];
  return words.length === 0 || words.some((word) => text.includes(word));
}

/** Without what writers choose freely: case, the kind of quotes, spaces behind commas, ways to write a control character. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[\u0000-\u0008\u000e-\u001f]|\\u00[01][0-9a-f]|\\0/g, '\u25a1')
    .replaceAll('\\\\', '\\')
    .replaceAll("'", '"')
    .replace(/,\s+/g, ',')
    .replace(/\s+/g, ' ');
}

/** Said of the file rather than of what is read from it: the text to encode, and frames of which the first is the picture. */
const DESCRIBED = new Set(['text', 'frames']);

/** What of the expected result was not read, or read as something else. */
function differs(expected: Record<string, unknown>, result: Result): string | undefined {
  const { values, warnings: _, tensors: _tensors, ...others } = result;
  const given: Record<string, unknown> = { ...others, ...values };
  const tensors = new Map(result.tensors?.map(([name, ...rest]) => [name, rest]));
  if (result.tensors !== undefined) given.tensors = tensors.size;
  for (const [key, value] of Object.entries(expected)) {
    const tensor = tensors.get(key);
    const found =
      tensor === undefined
        ? Object.hasOwn(given, key)
          ? given[key]
          : undefined
        : typeof value === 'number'
          ? tensor[2]
          : tensor.slice(0, 2);
    if (found === undefined && DESCRIBED.has(key)) continue;
    if (JSON.stringify(found) !== JSON.stringify(value)) return `${key}: expected ${JSON.stringify(value)}, read ${JSON.stringify(found)}`;
  }
  return undefined;
}

/** A hint in words, for tests. */
export type { Hint };
