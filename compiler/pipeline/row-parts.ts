/**
 * Losses on parts of a batch. A loss is built for all rows and for the rows of a part; compiler/rows says whether the parts' losses add up to that of
 * all rows, and what has to change in them. Here that is asked for training, evaluation and tables of rows, and a refusal is given its place.
 */
import type { Diagnostic, Span } from '../../grammar/index.ts';
import type { Collate } from '../../plan/plan.ts';
import { Context } from '../elaborate/context.ts';
import { Fault } from '../elaborate/fault.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Graph, Node, Output } from '../graph/graph.ts';
import { nodesOf } from '../graph/walk.ts';
import { Split } from '../rows/split.ts';
import type { Found, TotalsOf } from '../rows/split.ts';
import { inputsOf } from './batch.ts';

/** What a text computes for a number of rows. */
export interface Built {
  ctx: Context;
  rows: number;
  roots: Node[];
}

/** The roots of a part, whose values add up to those of all rows, and the sums that a program must take over all rows first. */
export interface Parts {
  roots: Node[];
  totals: { name: string; node: Node }[];
}

/** Why a loss is no sum over rows. */
export interface Mixture {
  why: string;
  /** Where rows are mixed and where that is used, innermost first. */
  places: Span[];
}

/** Builds a graph for another number of rows than one that there is; a fault on the way is a mixture, for the text needs the number. */
export function builtFor(rows: number, like: Built, build: (ctx: Context, rows: number) => Node[]): Built | Mixture {
  // A text that repeats something for each row would make as many nodes as there are rows.
  const ctx = new Context(new GraphBuilder(2 * like.ctx.builder.size + 1000));
  try {
    const roots = build(ctx, rows);
    const weights = (of: Context): string =>
      JSON.stringify([...of.weights.values()].map(({ path, shape, init, decay }) => [path, shape, init, decay]));
    if (weights(ctx) !== weights(like.ctx)) return { why: 'a weight follows from the number of rows', places: [] };
    return { ctx, rows, roots };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { code, message, span } = error.diagnostic;
    const why = code === 'P0701' ? 'it makes operations for each row' : `it cannot be computed for ${rows} rows: ${message}`;
    return { why, places: span ? [span] : [] };
  }
}

/** The roots of `part` as parts of those of `whole`. Totals may be taken of `totals`, under names that begin with `prefix`. */
export function partsOf(whole: Built, part: Built, collate: Collate, totals: TotalsOf, prefix: string): Parts | Mixture {
  const split = splitOf(whole, part, collate, totals, prefix);
  const found = whole.roots.map((root, i) => split.sum(root, part.roots[i]));
  return mixtureOf(part, found) ?? { roots: found.map(({ node }) => node), totals: split.totals };
}

/** The roots of `part` as the rows of those of `whole` that belong to it, with totals as above. */
export function rowsOf(whole: Built, part: Built, collate: Collate, prefix: string): Parts | Mixture {
  const split = splitOf(whole, part, collate, 'any', prefix);
  const found = whole.roots.map((root, i) => split.find(root, part.roots[i]));
  const mixture = mixtureOf(part, found);
  if (mixture) return mixture;
  const byRow = found.every(({ fact }) => fact.kind === 'rows' && fact.axis === 0 && fact.per === 1 && fact.head === 0);
  return byRow
    ? { roots: found.map(({ node }) => node), totals: split.totals }
    : { why: 'it has no value of its own for each row', places: [] };
}

function splitOf(whole: Built, part: Built, collate: Collate, totals: TotalsOf, prefix: string): Split {
  const index = inputsOf(collate).flatMap(({ name, numbers }): [string, number][] => (numbers === undefined ? [] : [[name, numbers]]));
  const scalar =
    ({ ctx }: Built) =>
    (name: string) =>
      ctx.scalars.get(name);
  return new Split(whole.ctx.builder, part.ctx.builder, {
    rows: { whole: whole.rows, part: part.rows },
    index: new Map(index),
    totals,
    prefix,
    scalar: { whole: scalar(whole), part: scalar(part) },
  });
}

function mixtureOf({ ctx }: Built, found: readonly Found[]): Mixture | undefined {
  for (const { fact, origin } of found) {
    if (fact.kind === 'mixed') return { why: fact.why, places: origin.flatMap((node) => ctx.places.get(node) ?? []) };
  }
  return undefined;
}

/**
 * Refuses what mixes rows, at the place in the user's text that does it. Where that is in the library, it is told at `span`, with the place in the
 * library behind it. `told` makes the diagnostic for a place.
 */
export function refuse(name: string, { places }: Mixture, span: Span, told: (at: Span) => Diagnostic): never {
  const own = places.find(({ file }) => !file.startsWith('std:'));
  const diagnostic = told(own ?? span);
  const [first] = places;
  if (own) diagnostic.trace = [{ span, text: `in ${name}` }];
  else if (first) diagnostic.trace = [{ span: first, text: 'rows are mixed here' }];
  throw new Fault(diagnostic);
}

/** The outputs of the program that adds up the sums of a part. */
export function totalOutputs(b: GraphBuilder, totals: Parts['totals']): Output[] {
  return totals.map(({ name, node }) => ({ kind: 'state', name, node: b.add(b.state(name, node.shape), node) }));
}

/** Programs of all sizes must add to the same states. */
export function sameTotals([first, ...others]: readonly Parts[]): Mixture | undefined {
  const text = ({ totals }: Parts): string => JSON.stringify(totals.map(({ name, node }) => [name, node.shape]));
  return others.every((parts) => text(parts) === text(first)) ? undefined : { why: 'sums over rows differ between its parts', places: [] };
}

/** The graph with constants for scalars that the task gives other values, or none, under their names. */
export function withScalars(b: GraphBuilder, graph: Graph, own: ReadonlyMap<string, number>, given: ReadonlyMap<string, number>): Graph {
  const other = (node: Node): number | undefined => {
    if (node.op.kind !== 'scalar') return undefined;
    const value = own.get(node.op.name);
    return value === given.get(node.op.name) ? undefined : value;
  };
  const nodes = nodesOf(graph);
  if (!nodes.some((node) => other(node) !== undefined)) return graph;
  const made = new Map<Node, Node>();
  for (const node of nodes) {
    const value = other(node);
    const inputs = node.inputs.map((x) => made.get(x) as Node);
    made.set(
      node,
      value !== undefined ? b.constant(value) : inputs.every((x, i) => x === node.inputs[i]) ? node : b.node(node.op, inputs, node),
    );
  }
  return { outputs: graph.outputs.map((o) => ({ ...o, node: made.get(o.node) as Node })) };
}
