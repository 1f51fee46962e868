/**
 * Symbolic positions. An `Index` is a sum of whole multiples of atoms plus a constant; an atom is a variable with a known
 * range, or the quotient, remainder or clamp of an index by a constant. Sums are kept in one canonical form and simplified
 * by ranges, so that coordinates pushed through reshapes and permutations come out affine wherever they are affine, and
 * equal positions have equal keys.
 *
 * Values are unsigned in the shader: a sum may wrap below zero only where a clamp or a range test takes it up.
 */

export interface Variable {
  kind: 'variable';
  /** Unique within a kernel; also its name in WGSL. */
  name: string;
  /** Its values are 0 to max. */
  max: number;
  /** Depth of the scope where its value is known (see writer.ts). */
  depth: number;
  /** The lane of a vector (0 to 3), or a value that differs from lane to lane. */
  lanes: boolean;
}

export interface Derived {
  kind: 'div' | 'mod' | 'clamp';
  of: Index;
  /** Divisor, modulus, or largest value of the clamp. */
  by: number;
}

export type Atom = Variable | Derived;

export interface Term {
  atom: Atom;
  factor: number;
  key: string;
}

export interface Index {
  /** In order of their keys, no key twice, no factor zero. */
  terms: readonly Term[];
  constant: number;
  key: string;
  /** Bounds of the value. */
  min: number;
  max: number;
  /** Deepest scope that it depends on. */
  depth: number;
  /** Whether it differs from lane to lane. */
  lanes: boolean;
}

/** The four positions of a vector. Stands for 0, 1, 2, 3 at once. */
const LANE: Variable = { kind: 'variable', name: '#', max: 3, depth: 0, lanes: true };

export function constant(value: number): Index {
  return make(new Map(), value);
}

export function variable(name: string, max: number, depth: number, lanes = false): Index {
  return max === 0 ? constant(0) : ofAtom({ kind: 'variable', name, max, depth, lanes });
}

/** The lane as an index. */
export const lane: Index = ofAtom(LANE);

export function isLane(atom: Atom): boolean {
  return atom === LANE;
}

export function add(...parts: readonly Index[]): Index {
  const terms = new Map<string, Term>();
  let sum = 0;
  for (const part of parts) {
    sum += part.constant;
    for (const term of part.terms) accumulate(terms, term.atom, term.key, term.factor);
  }
  return make(terms, sum + recombine(terms));
}

export function scale(index: Index, factor: number): Index {
  if (factor === 0) return constant(0);
  if (factor === 1) return index;
  return make(new Map(index.terms.map((t) => [t.key, { ...t, factor: t.factor * factor }])), index.constant * factor);
}

export function plus(index: Index, offset: number): Index {
  return offset === 0 ? index : make(new Map(index.terms.map((t) => [t.key, t])), index.constant + offset);
}

/** floor(index / by) */
export function div(index: Index, by: number): Index {
  return divide(index, by).quotient;
}

/** index - by * floor(index / by) */
export function mod(index: Index, by: number): Index {
  return divide(index, by).remainder;
}

/**
 * A position that is safe to load from: the index where it lies in [0, most], else some other one in that range. Which one
 * is left open; what is loaded there has to be masked.
 */
export function confine(index: Index, most: number): Index {
  if (index.min >= 0 && index.max <= most) return index;
  if (index.max <= 0) return constant(0);
  if (index.min >= most) return constant(most);
  // Whole blocks move as blocks: of 4 q + lane below a multiple of 4, only q can leave the range.
  for (const size of blockSizes(index, most + 1)) {
    const { blocks, within } = split(index, size);
    if (within.min >= 0 && within.max < size) return add(scale(confine(blocks, (most + 1) / size - 1), size), within);
  }
  return ofAtom({ kind: 'clamp', of: index, by: most });
}

/** Whether 0 <= index < extent: known, or a test of a (simpler) index against a (smaller) extent. */
export function inRange(index: Index, extent: number): boolean | { index: Index; extent: number } {
  if (index.min >= 0 && index.max < extent) return true;
  if (index.max < 0 || index.min >= extent) return false;
  for (const size of blockSizes(index, extent)) {
    const { blocks, within } = split(index, size);
    if (within.min >= 0 && within.max < size) return inRange(blocks, extent / size);
  }
  return { index, extent };
}

/** Replaces variables, by name, everywhere. */
export function substitute(index: Index, replace: (variable: Variable) => Index | undefined): Index {
  const parts = index.terms.map((term) => {
    const { atom } = term;
    if (atom.kind === 'variable') return scale(replace(atom) ?? ofAtom(atom), term.factor);
    const of = substitute(atom.of, replace);
    const value = atom.kind === 'div' ? div(of, atom.by) : atom.kind === 'mod' ? mod(of, atom.by) : confine(of, atom.by);
    return scale(value, term.factor);
  });
  return plus(add(...parts), index.constant);
}

function ofAtom(atom: Atom): Index {
  const key = keyOf(atom);
  return make(new Map([[key, { atom, factor: 1, key }]]), 0);
}

function keyOf(atom: Atom): string {
  if (atom.kind === 'variable') return atom.name;
  const sign = atom.kind === 'div' ? '/' : atom.kind === 'mod' ? '%' : '<';
  return `(${atom.of.key})${sign}${atom.by}`;
}

function accumulate(terms: Map<string, Term>, atom: Atom, key: string, factor: number): void {
  const sum = (terms.get(key)?.factor ?? 0) + factor;
  if (sum === 0) terms.delete(key);
  else terms.set(key, { atom, factor: sum, key });
}

/**
 * Puts together what a reshape took apart: a f (x / a) + f (x % a) = f x, and the same one level down,
 * a f ((x / a) % b) + f (x % a) = f (x % a b). Changes `terms`; returns what is to be added to the constant.
 */
function recombine(terms: Map<string, Term>): number {
  for (const low of terms.values()) {
    const { atom } = low;
    if (atom.kind !== 'mod') continue;
    const quotient = div(atom.of, atom.by).key;
    for (const high of terms.values()) {
      if (high.factor !== low.factor * atom.by) continue;
      const nested = high.atom.kind === 'mod' && high.atom.of.key === quotient ? high.atom : undefined;
      if (!nested && high.key !== quotient) continue;
      terms.delete(low.key);
      terms.delete(high.key);
      const joined = nested ? mod(atom.of, atom.by * nested.by) : atom.of;
      for (const term of joined.terms) accumulate(terms, term.atom, term.key, term.factor * low.factor);
      return joined.constant * low.factor + recombine(terms);
    }
  }
  return 0;
}

function make(terms: Map<string, Term>, offset: number): Index {
  const sorted = [...terms.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  let [min, max, depth, lanes] = [offset, offset, 0, false];
  for (const { atom, factor } of sorted) {
    const [low, high] = rangeOf(atom);
    min += factor * (factor > 0 ? low : high);
    max += factor * (factor > 0 ? high : low);
    depth = Math.max(depth, atom.kind === 'variable' ? atom.depth : atom.of.depth);
    lanes ||= atom.kind === 'variable' ? atom.lanes : atom.of.lanes;
  }
  const key = [
    ...sorted.map((t) => (t.factor === 1 ? t.key : `${t.factor}*${t.key}`)),
    ...(offset !== 0 || sorted.length === 0 ? [offset] : []),
  ].join('+');
  return { terms: sorted, constant: offset, key, min, max, depth, lanes };
}

function rangeOf(atom: Atom): [number, number] {
  switch (atom.kind) {
    case 'variable':
      return [0, atom.max];
    case 'div':
      return [Math.floor(atom.of.min / atom.by), Math.floor(atom.of.max / atom.by)];
    case 'mod':
      return [0, atom.of.min >= 0 ? Math.min(atom.by - 1, atom.of.max) : atom.by - 1];
    case 'clamp':
      return [Math.max(0, Math.min(atom.by, atom.of.min)), Math.min(atom.by, Math.max(0, atom.of.max))];
  }
}

function divide(index: Index, by: number): { quotient: Index; remainder: Index } {
  if (by === 1) return { quotient: index, remainder: constant(0) };
  const { blocks, within } = split(index, by);
  const least = Math.floor(within.min / by);
  if (least === Math.floor(within.max / by)) return { quotient: plus(blocks, least), remainder: plus(within, -least * by) };
  const rest = divideRest(within, by);
  return { quotient: add(blocks, rest.quotient), remainder: rest.remainder };
}

/** Divides what `split` left: factors and constant are in [0, by), so the value is not negative. */
function divideRest(index: Index, by: number): { quotient: Index; remainder: Index } {
  for (const size of blockSizes(index, by)) {
    const { blocks, within } = split(index, size);
    if (within.min >= 0 && within.max < size) {
      const { quotient, remainder } = divide(blocks, by / size);
      return { quotient, remainder: add(scale(remainder, size), within) };
    }
  }
  const [only] = index.terms;
  if (index.terms.length === 1 && index.constant === 0 && only.factor === 1) {
    const { atom } = only;
    if (atom.kind === 'div') {
      const quotient = div(atom.of, atom.by * by);
      return { quotient, remainder: ofAtom({ kind: 'mod', of: index, by }) };
    }
    if (atom.kind === 'mod' && atom.by % by === 0) {
      return { quotient: mod(div(atom.of, by), atom.by / by), remainder: mod(atom.of, by) };
    }
  }
  return { quotient: ofAtom({ kind: 'div', of: index, by }), remainder: ofAtom({ kind: 'mod', of: index, by }) };
}

/** index = size * blocks + within, where the factors and the constant of `within` are in [0, size). */
function split(index: Index, size: number): { blocks: Index; within: Index } {
  const blocks = new Map<string, Term>();
  const within = new Map<string, Term>();
  for (const term of index.terms) {
    const whole = Math.floor(term.factor / size);
    const rest = term.factor - whole * size;
    if (whole !== 0) blocks.set(term.key, { ...term, factor: whole });
    if (rest !== 0) within.set(term.key, { ...term, factor: rest });
  }
  const whole = Math.floor(index.constant / size);
  return { blocks: make(blocks, whole), within: make(within, index.constant - whole * size) };
}

/** Common divisors of `of` and the factors of an index, above one, the largest first: sizes in which it may move as blocks. */
function blockSizes(index: Index, of: number): number[] {
  const sizes = index.terms.map((term) => gcd(Math.abs(term.factor), of)).filter((size) => size > 1);
  return [...new Set(sizes)].sort((a, b) => b - a);
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
