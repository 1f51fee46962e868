/**
 * Domains: which values of its type a parameter takes. A declaration writes them after the type, `beta: float > 0`, `depth: int >= 1 <= 1k`,
 * `split: string in ["train", "held-out"]`; each argument and default is compared with its own when it is given.
 */
import { nearest } from '../../grammar/index.ts';
import type { Bound, Domain, Parameter, Span } from '../../grammar/index.ts';
import { Fault, fail } from './fault.ts';
import { describe } from './values.ts';
import type { Value } from './values.ts';

/** Whose value is checked: `beta` of loss dpo. */
export interface Owner {
  name: string;
  of: string;
  span: Span;
}

/** Types whose numbers become f32 on the device; whole numbers become i32. */
const REAL = ['float', 'schedule'];
const LARGEST_F32 = 3.4028234663852886e38;
const LARGEST_I32 = 2 ** 31 - 1;

/**
 * Refuses a value that its parameter does not take, or that the device cannot hold. `value` has been converted to the parameter's type, so a
 * bound is compared with the plain number.
 */
export function requireInDomain({ type, domain }: Pick<Parameter, 'type' | 'domain'>, value: Value, owner: Owner): void {
  if (value.kind === 'string' && domain?.words) requireWord(domain, value.value, owner);
  if (value.kind !== 'number') return;
  const refuse = (wanted: string): never =>
    atArgument(value, owner, (span) =>
      fail('P0320', { name: owner.name, of: owner.of, wanted, found: describe(value), nearest: '' }, span),
    );
  const name = type?.name?.text ?? '';
  if (value.schedule !== undefined && (domain !== undefined || name === 'int')) refuse('the same at every step');
  if (!Number.isFinite(value.value)) refuse('a finite number');
  if (domain && !isWithin(domain, value.value)) refuse(domainInWords(domain));
  if (REAL.includes(name)) requireRepresentable(value, owner);
  if (name === 'int' && Math.abs(value.value) > LARGEST_I32) refuse(`at most ${LARGEST_I32}`);
}

/** Refuses a number that is too large or too small for any parameter: the device computes in 32-bit floats. */
export function requireRepresentable(value: Value, owner: Owner): void {
  if (value.kind !== 'number') return;
  const size = Math.abs(value.value);
  if (size === 0 || (size <= LARGEST_F32 && Math.fround(size) > 0)) return;
  const wanted = 'a number that 32-bit floats can hold (1.2e-38 to 3.4e38)';
  atArgument(value, owner, (span) => fail('P0320', { name: owner.name, of: owner.of, wanted, found: describe(value), nearest: '' }, span));
}

/** Tells a fault of a number at the argument of the user's text by which it came in, followed by the place where it was found. */
export function atArgument<T>(value: Value, { name, of, span }: Owner, tell: (span: Span) => T): T {
  const at = value.kind === 'number' ? value.at : undefined;
  if (!at || at === span) return tell(span);
  try {
    return tell(at);
  } catch (error) {
    if (error instanceof Fault) error.diagnostic.trace = [{ span, text: `as \`${name}\` of ${of}` }, ...(error.diagnostic.trace ?? [])];
    throw error;
  }
}

function requireWord(domain: Domain, word: string, { name, of, span }: Owner): void {
  const words = wordsOf(domain);
  if (words.includes(word)) return;
  fail('P0320', { name, of, wanted: domainInWords(domain), found: JSON.stringify(word), nearest: nearest(word, words) ?? '' }, span);
}

/** The words of a closed set; empty where the domain is of numbers. */
export function wordsOf({ words }: Domain): string[] {
  return words?.kind === 'ListLiteral' ? words.items.flatMap((item) => (item.kind === 'StringLiteral' ? [item.value] : [])) : [];
}

function limit({ negative, value }: Bound): number {
  return negative ? -value.value : value.value;
}

/** Whether a number is within all bounds of a domain. */
export function isWithin({ bounds }: Domain, value: number): boolean {
  return bounds.every((bound) => holds(bound, value));
}

function holds(bound: Bound, value: number): boolean {
  const other = limit(bound);
  switch (bound.operator) {
    case '<':
      return value < other;
    case '<=':
      return value <= other;
    case '>':
      return value > other;
    case '>=':
      return value >= other;
  }
}

const IN_WORDS = { '<': 'below', '<=': 'at most', '>': 'above', '>=': 'at least' } as const;

/** `above 0 and below 1`, `one of "train", "held-out"`. */
export function domainInWords(domain: Domain | undefined): string {
  if (!domain) return 'anything';
  if (domain.words) return `one of ${wordsOf(domain).map((word) => JSON.stringify(word)).join(', ')}`; // prettier-ignore
  return domain.bounds.map((bound) => `${IN_WORDS[bound.operator]} ${bound.negative ? '-' : ''}${bound.value.text}`).join(' and ');
}
