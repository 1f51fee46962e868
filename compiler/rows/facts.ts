/**
 * What is known of a value when the rows of a batch are taken in parts. A graph is built twice, for all rows (`whole`) and for one part (`part`),
 * and the two are compared node by node (split.ts). A fact says how a node of the part relates to its node of the whole, for every part:
 *
 * - `none`: it is the same. It depends on no row, or on all of them through a sum that was taken beforehand.
 * - `rows`: along one axis it holds the entries of its own rows, and they are those of the whole. Each row has `per` entries, one row after the
 *   other, behind `head` entries that belong to no row; with `loose` these first entries are not those of the whole.
 * - `index`: as `rows`, but its values number entries of the batch, of which each row has `each`, from 1; 0 is no entry. A row's values name
 *   its own entries or none, so in a part they are smaller by the entries of the rows before it.
 * - `sum`: the parts' values add up to that of the whole.
 * - `mixed`: none of these; `why` says what the first such node does.
 */
import type { Shape } from '../graph/shape.ts';
import { sameShape } from '../graph/shape.ts';

export interface RowsFact {
  kind: 'rows';
  axis: number;
  per: number;
  head: number;
  loose: boolean;
}

export interface IndexFact {
  kind: 'index';
  axis: number;
  each: number;
}

export interface MixedFact {
  kind: 'mixed';
  why: string;
}

/** A fact that says something. */
export type KnownFact = { kind: 'none' } | RowsFact | IndexFact | { kind: 'sum' };
export type RowFact = KnownFact | MixedFact;

export const NONE: KnownFact = { kind: 'none' };
export const SUM: KnownFact = { kind: 'sum' };

export function mixed(why: string): MixedFact {
  return { kind: 'mixed', why };
}

/** How many rows there are in all, and in the part. */
export interface Rows {
  whole: number;
  part: number;
}

/** The shapes of one node in both graphs. */
export interface Shapes {
  whole: Shape;
  part: Shape;
}

/**
 * The axis whose extent grows with the rows: `head + per * rows` in both graphs, with whole numbers. `none` where the shapes are the same, undefined
 * where they differ in any other way.
 */
export function rowAxis({ whole, part }: Shapes, rows: Rows): { axis: number; per: number; head: number } | 'none' | undefined {
  if (whole.length !== part.length) return undefined;
  if (sameShape(whole, part)) return 'none';
  const differing = whole.map((_, axis) => axis).filter((axis) => whole[axis] !== part[axis]);
  if (differing.length !== 1) return undefined;
  const [axis] = differing;
  const per = (whole[axis] - part[axis]) / (rows.whole - rows.part);
  const head = part[axis] - per * rows.part;
  return Number.isInteger(per) && per > 0 && head >= 0 ? { axis, per, head } : undefined;
}

/** Whether a fact can be one of a node of these shapes. */
export function fits(fact: RowFact, shapes: Shapes, rows: Rows): boolean {
  if (fact.kind === 'mixed') return true;
  const found = rowAxis(shapes, rows);
  if (fact.kind === 'none' || fact.kind === 'sum') return found === 'none';
  if (found === undefined || found === 'none' || found.axis !== fact.axis) return false;
  return fact.kind === 'rows' ? found.per === fact.per && found.head === fact.head : found.per === 1 && found.head === 0;
}
