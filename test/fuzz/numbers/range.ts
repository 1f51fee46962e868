/**
 * Sets that hold whatever a correct device may answer: an interval of the extended real numbers, and whether NaN is possible. They follow from the
 * accuracy that each function states, from underflow to 0 and overflow to infinity. Where rounding cannot decide, the set is one point.
 */
import type { BinaryFn, UnaryFn } from '../../../compiler/graph/graph.ts';
import { BINARY } from '../../../compiler/graph/primitives/binary.ts';
import { UNARY } from '../../../compiler/graph/primitives/unary.ts';

export interface Range {
  /** Above `hi`, no number is possible: NaN only. */
  lo: number;
  hi: number;
  nan: boolean;
}

export const NOTHING_BUT_NAN: Range = { lo: Infinity, hi: -Infinity, nan: true };
const ANYTHING: Range = { lo: -Infinity, hi: Infinity, nan: true };
const LARGEST = 3.4028234663852886e38;
/** From here on, rounding to nearest gives infinity. */
const OVERFLOW = 2 ** 128 - 2 ** 103;
const SMALLEST = 2 ** -126;

export const isEmpty = ({ lo, hi }: Range): boolean => lo > hi;
const holds = ({ lo, hi }: Range, x: number): boolean => lo <= x && x <= hi;
const isPoint = ({ lo, hi, nan }: Range): boolean => lo === hi && !nan;

export function contains(range: Range, x: number): boolean {
  return Number.isNaN(x) ? range.nan : holds(range, x);
}

function union(a: Range, b: Range): Range {
  return { lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi), nan: a.nan || b.nan };
}

/** What an f32 result may be whose exact value lies in the interval, when it is off by up to `ulp`, and by `more` in absolute terms. */
export function rounded(lo: number, hi: number, nan: boolean, ulp: number, more = 0): Range {
  if (lo > hi) return NOTHING_BUT_NAN;
  const slack = (x: number) => (Number.isFinite(x) ? Math.abs(x) * Math.max(ulp, 0.5) * 2 ** -23 + more : 0);
  const exact = ulp === 0 && more === 0;
  let [a, b] = exact ? [lo, hi] : [lo - slack(lo), hi + slack(hi)];
  if (!exact) {
    if (b >= LARGEST && b < OVERFLOW * 1.000001 && hi < Infinity) b = Infinity;
    if (a <= -LARGEST && a > -OVERFLOW * 1.000001 && lo > -Infinity) a = -Infinity;
  }
  if (b >= OVERFLOW) b = Infinity;
  if (a <= -OVERFLOW) a = -Infinity;
  if (a > LARGEST) a = a >= OVERFLOW ? Infinity : LARGEST;
  if (b < -LARGEST) b = b <= -OVERFLOW ? -Infinity : -LARGEST;
  // What is no normal number may be 0, or the smallest that is.
  if (a > 0 && a < SMALLEST) a = 0;
  if (b < 0 && b > -SMALLEST) b = 0;
  if (b > 0 && b < SMALLEST) b = SMALLEST;
  if (a < 0 && a > -SMALLEST) a = -SMALLEST;
  return { lo: a, hi: b, nan };
}

/** A function that never falls, on a domain that begins at `from`. */
function rising(x: Range, f: (x: number) => number, ulp: number, from = -Infinity): Range {
  if (isEmpty(x) || x.hi < from) return NOTHING_BUT_NAN;
  // The oracle's own rounding may turn them round where the function hardly rises.
  const ends = [f(Math.max(x.lo, from)), f(x.hi)];
  return rounded(Math.min(...ends), Math.max(...ends), x.nan || x.lo < from, ulp);
}

function wave(x: Range, f: (x: number) => number, ulp: number): Range {
  if (isEmpty(x) || (x.lo === x.hi && !Number.isFinite(x.lo))) return NOTHING_BUT_NAN;
  if (!Number.isFinite(x.lo) || !Number.isFinite(x.hi)) return { lo: -1, hi: 1, nan: true };
  if (x.lo === x.hi) return rounded(f(x.lo), f(x.lo), x.nan, ulp);
  if (x.hi - x.lo > 3) return { lo: -1, hi: 1, nan: x.nan };
  // Steps so short that no value between them lies further away than half a step, squared.
  const at = Array.from({ length: 65 }, (_, i) => f(x.lo + ((x.hi - x.lo) * i) / 64));
  const bend = ((x.hi - x.lo) / 64) ** 2;
  const [lo, hi] = [Math.min(...at) - bend, Math.max(...at) + bend];
  return rounded(Math.max(-1, lo), Math.min(1, hi), x.nan, ulp);
}

export function unaryRange(fn: UnaryFn, x: Range): Range {
  const { ulp, evaluate } = UNARY[fn];
  switch (fn) {
    case 'neg':
      return { lo: -x.hi, hi: -x.lo, nan: x.nan };
    case 'abs':
      if (isEmpty(x)) return x;
      return { lo: holds(x, 0) ? 0 : Math.min(Math.abs(x.lo), Math.abs(x.hi)), hi: Math.max(Math.abs(x.lo), Math.abs(x.hi)), nan: x.nan };
    case 'log':
    case 'sqrt':
      return rising(x, evaluate, ulp, 0);
    case 'log1p':
      return rising(x, evaluate, ulp, -1);
    case 'sin':
    case 'cos':
      return wave(x, evaluate, ulp);
    case 'is_finite': {
      const finite = !isEmpty(x) && x.lo < Infinity && x.hi > -Infinity;
      const infinite = x.nan || x.lo === -Infinity || x.hi === Infinity;
      return { lo: infinite ? 0 : 1, hi: finite ? 1 : 0, nan: false };
    }
    case 'not':
      return { lo: 1 - x.hi, hi: 1 - x.lo, nan: false };
    default:
      return rising(x, evaluate, ulp);
  }
}

/** 0 times infinity is left to the flag. */
const times = (x: number, y: number): number => (x === 0 || y === 0 ? 0 : x * y);

function corners(x: Range, y: Range, f: (x: number, y: number) => number): [number, number] {
  const all = [f(x.lo, y.lo), f(x.lo, y.hi), f(x.hi, y.lo), f(x.hi, y.hi)].filter((value) => !Number.isNaN(value));
  return [Math.min(...all), Math.max(...all)];
}

const infinite = (x: Range): boolean => x.lo === -Infinity || x.hi === Infinity;

function product(x: Range, y: Range): Range {
  const never = (a: Range, b: Range) => a.lo === 0 && a.hi === 0 && b.lo === b.hi && Math.abs(b.lo) === Infinity;
  if (never(x, y) || never(y, x)) return NOTHING_BUT_NAN;
  const nan = x.nan || y.nan || (holds(x, 0) && infinite(y)) || (holds(y, 0) && infinite(x));
  const [lo, hi] = corners(x, y, times);
  return rounded(lo, hi, nan, 0.5);
}

function sumOf(x: Range, y: Range): Range {
  const nan = x.nan || y.nan || (x.hi === Infinity && y.lo === -Infinity) || (x.lo === -Infinity && y.hi === Infinity);
  const [lo, hi] = [x.lo + y.lo, x.hi + y.hi];
  if (Number.isNaN(lo) && Number.isNaN(hi) && x.lo === x.hi && y.lo === y.hi) return NOTHING_BUT_NAN;
  return rounded(Number.isNaN(lo) ? -Infinity : lo, Number.isNaN(hi) ? Infinity : hi, nan, 0.5);
}

function quotient(x: Range, y: Range): Range {
  if (x.lo === 0 && x.hi === 0 && y.lo === 0 && y.hi === 0) return NOTHING_BUT_NAN;
  const nan = x.nan || y.nan || (holds(x, 0) && holds(y, 0)) || (infinite(x) && infinite(y));
  if (x.lo === x.hi && y.lo === y.hi && infinite(x) && infinite(y)) return NOTHING_BUT_NAN;
  // The sign of a zero is not kept here.
  if (holds(y, 0)) return { lo: -Infinity, hi: Infinity, nan };
  // Of numbers so large the reciprocal is no normal number.
  const flushed = Math.max(Math.abs(y.lo), Math.abs(y.hi)) > 2 ** 126;
  const [lo, hi] = corners(x, y, (a, b) => a / b);
  const result = rounded(lo, hi, nan, BINARY.div.ulp);
  return flushed ? union(result, { lo: 0, hi: 0, nan }) : result;
}

function powerOf(x: Range, y: Range): Range {
  const { ulp, evaluate } = BINARY.pow;
  const f = (a: number, b: number) => evaluate(a, b, 'f32');
  if (isPoint(x) && isPoint(y)) {
    const value = f(x.lo, y.lo);
    // A zero whose sign is not kept here.
    if (x.lo === 0 && y.lo < 0) return { lo: -Infinity, hi: Infinity, nan: false };
    return Number.isNaN(value) ? NOTHING_BUT_NAN : rounded(value, value, false, ulp);
  }
  if (isEmpty(x) && isEmpty(y)) return NOTHING_BUT_NAN;
  if (isEmpty(x) || isEmpty(y) || x.nan || y.nan || x.lo <= 0 || infinite(x) || infinite(y)) return ANYTHING;
  const [lo, hi] = corners(x, y, f);
  return rounded(lo, hi, false, ulp);
}

function less(x: Range, y: Range, orEqual: boolean): Range {
  if (isEmpty(x) || isEmpty(y)) return { lo: 0, hi: 0, nan: false };
  const always = (orEqual ? x.hi <= y.lo : x.hi < y.lo) && !x.nan && !y.nan;
  const never = orEqual ? x.lo > y.hi : x.lo >= y.hi;
  return { lo: always ? 1 : 0, hi: never ? 0 : 1, nan: false };
}

export function binaryRange(fn: BinaryFn, x: Range, y: Range): Range {
  if (fn === 'less' || fn === 'less_equal') return less(x, y, fn === 'less_equal');
  if (fn === 'equal') {
    const never = isEmpty(x) || isEmpty(y) || x.lo > y.hi || y.lo > x.hi;
    return { lo: isPoint(x) && isPoint(y) && x.lo === y.lo ? 1 : 0, hi: never ? 0 : 1, nan: false };
  }
  if (fn === 'and') return { lo: Math.min(x.lo, y.lo), hi: Math.min(x.hi, y.hi), nan: false };
  if (fn === 'or') return { lo: Math.max(x.lo, y.lo), hi: Math.max(x.hi, y.hi), nan: false };
  if (fn === 'pow') return powerOf(x, y);
  if (isEmpty(x) || isEmpty(y)) return NOTHING_BUT_NAN;
  switch (fn) {
    case 'add':
      return sumOf(x, y);
    case 'sub':
      return sumOf(x, { lo: -y.hi, hi: -y.lo, nan: y.nan });
    case 'mul':
      return product(x, y);
    case 'div':
      return quotient(x, y);
    case 'max':
      return { lo: Math.max(x.lo, y.lo), hi: Math.max(x.hi, y.hi), nan: x.nan || y.nan };
    case 'min':
      return { lo: Math.min(x.lo, y.lo), hi: Math.min(x.hi, y.hi), nan: x.nan || y.nan };
  }
}

export function selectRange(condition: Range, then: Range, otherwise: Range): Range {
  if (condition.lo === 1) return then;
  return condition.hi === 0 ? otherwise : union(then, otherwise);
}

/** A sum in any order, with rounding at each step. */
export function totalRange(parts: readonly Range[]): Range {
  const { exact, size } = parts.reduce(
    (sum, part) => ({
      exact: sumExactly(sum.exact, part),
      size: sum.size + Math.max(...[part.lo, part.hi].map((x) => (Number.isFinite(x) ? Math.abs(x) : 0))),
    }),
    { exact: { lo: 0, hi: 0, nan: false }, size: 0 },
  );
  if (isEmpty(exact)) return NOTHING_BUT_NAN;
  const mixed = parts.some(({ lo }) => lo < 0) && parts.some(({ hi }) => hi > 0);
  // Steps between may overflow one way or the other.
  if (size >= LARGEST && mixed) return ANYTHING;
  return rounded(exact.lo, exact.hi, exact.nan, 0.5, size * parts.length * 2 ** -24 + parts.length * SMALLEST);
}

function sumExactly(x: Range, y: Range): Range {
  if (isEmpty(x) || isEmpty(y)) return NOTHING_BUT_NAN;
  const nan = x.nan || y.nan || (x.hi === Infinity && y.lo === -Infinity) || (x.lo === -Infinity && y.hi === Infinity);
  const [lo, hi] = [x.lo + y.lo, x.hi + y.hi];
  if (Number.isNaN(lo) && Number.isNaN(hi) && x.lo === x.hi && y.lo === y.hi) return NOTHING_BUT_NAN;
  return { lo: Number.isNaN(lo) ? -Infinity : lo, hi: Number.isNaN(hi) ? Infinity : hi, nan };
}
