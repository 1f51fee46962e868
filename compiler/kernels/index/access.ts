/** Facts about indices that decide how memory is accessed: runs of four, and strides. */
import { constant, div, isLane, substitute, variable } from './expression.ts';
import type { Index } from './expression.ts';

/**
 * If the four lanes address four consecutive elements that begin at a multiple of four: the number of that quad.
 * Undefined otherwise.
 */
export function quad(index: Index): Index | undefined {
  const laneTerm = index.terms.find((term) => isLane(term.atom));
  if (laneTerm?.factor !== 1) return undefined;
  const rest = index.terms.filter((term) => term !== laneTerm);
  const aligned = index.constant % 4 === 0 && rest.every((term) => term.factor % 4 === 0);
  const steady = rest.every((term) => (term.atom.kind === 'variable' ? !term.atom.lanes : !term.atom.of.lanes));
  return aligned && steady ? div(atLane(index, 0), 4) : undefined;
}

/** The index as lane `i` sees it. */
export function atLane(index: Index, i: number): Index {
  return index.lanes
    ? substitute(index, (v) => (isLane(v) ? constant(i) : v.lanes ? variable(`${v.name}.${'xyzw'[i]}`, v.max, v.depth) : undefined))
    : index;
}

/** Factor of each variable, in the order asked, if the index is a sum of multiples of these variables and a constant. */
export function affine(index: Index, variables: readonly string[]): { strides: number[]; offset: number } | undefined {
  const strides = new Map<string, number>();
  for (const { atom, factor } of index.terms) {
    if (atom.kind !== 'variable' || !variables.includes(atom.name)) return undefined;
    strides.set(atom.name, factor);
  }
  return { strides: variables.map((name) => strides.get(name) ?? 0), offset: index.constant };
}
