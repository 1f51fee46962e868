/** WGSL of an index: u32 arithmetic, with what an outer scope knows added up there. */
import type { Writer } from '../writer.ts';
import type { Atom, Index, Term } from './expression.ts';

/** An expression of type u32 that may stand anywhere without further brackets. The index must not depend on the lane. */
export function emitIndex(index: Index, writer: Writer): string {
  if (index.terms.length === 0) return literal(index.constant);
  const key = `i:${index.key}`;
  return writer.once(key, () => {
    const [only] = index.terms;
    if (index.terms.length === 1 && only.factor === 1 && index.constant === 0)
      return { value: emitAtom(only.atom, writer), depth: index.depth };
    const text = sum(index, writer);
    return { value: writer.define(text, index.depth, 'x'), depth: index.depth };
  });
}

/** The same for an index that differs from lane to lane, as vec4<u32>, given the index of each lane. */
export function emitLanes(lanes: readonly Index[], writer: Writer): string {
  return `vec4<u32>(${lanes.map((index) => emitIndex(index, writer)).join(', ')})`;
}

function sum(index: Index, writer: Writer): string {
  const depths = [...new Set(index.terms.map(depthOf))].sort((a, b) => a - b);
  let text = '';
  for (const depth of depths) {
    const terms = index.terms.filter((term) => depthOf(term) === depth);
    const outer = text;
    // Positive terms first, so that the text begins without a sign.
    terms.sort((a, b) => b.factor - a.factor);
    for (const term of terms) text = join(text, product(term, writer), term.factor < 0);
    if (outer === '' && index.constant !== 0) text = join(text, literal(Math.abs(index.constant)), index.constant < 0);
    if (depth < index.depth && text.includes(' ')) {
      const partial = text;
      text = writer.once(`s${depth}:${partial}`, () => ({ value: writer.define(partial, depth, 'x'), depth }));
    }
  }
  return text;
}

function join(left: string, right: string, negative: boolean): string {
  if (left === '') return negative ? `0u - ${right}` : right;
  return `${left} ${negative ? '-' : '+'} ${right}`;
}

function product(term: Term, writer: Writer): string {
  const factor = Math.abs(term.factor);
  const atom = emitAtom(term.atom, writer);
  return factor === 1 ? atom : `${atom} * ${literal(factor)}`;
}

function emitAtom(atom: Atom, writer: Writer): string {
  if (atom.kind === 'variable') return atom.name;
  const of = emitIndex(atom.of, writer);
  const by = literal(atom.by);
  return writer.once(`a:${atom.kind}:${atom.by}:${atom.of.key}`, () => {
    // A negative index has wrapped to a large one, which `min` alone would take for too large: both ends need a test.
    const clamped = atom.of.min < 0 ? `u32(clamp(i32(${of}), 0, ${atom.by}))` : `min(${of}, ${by})`;
    const text = atom.kind === 'div' ? `${of} / ${by}` : atom.kind === 'mod' ? `${of} % ${by}` : clamped;
    const { depth } = atom.of;
    return { value: writer.define(text, depth, 'x'), depth };
  });
}

function depthOf(term: Term): number {
  return term.atom.kind === 'variable' ? term.atom.depth : term.atom.of.depth;
}

/** A negative number wraps around, as a sum that goes below zero does. */
function literal(value: number): string {
  return `${value < 0 ? value + 2 ** 32 : value}u`;
}
