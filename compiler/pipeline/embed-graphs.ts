/**
 * The graphs that keep a table of rows. Rows run in batches, and what is kept of a row must not depend on the batch that it stands in: sums over rows
 * that it uses (the divisor of a loss whose gradient is kept) are taken over all rows in a pass of their own, and other mixing is refused.
 */
import { report } from '../../grammar/index.ts';
import type { Span } from '../../grammar/index.ts';
import type { Collate } from '../../plan/plan.ts';
import { Context } from '../elaborate/context.ts';
import type { Node } from '../graph/graph.ts';
import { output } from './objective.ts';
import type { EmbedSpec } from './probes.ts';
import { builtFor, refuse, rowsOf, sameTotals, totalOutputs, withScalars } from './row-parts.ts';
import type { Built, Mixture, Parts } from './row-parts.ts';

/** What the body of an `embed` keeps: nodes that are computed, and inputs as they are. */
export interface Kept {
  outputs: Map<string, Node>;
  inputs: Map<string, { dtype: 'f32' | 'i32' | 'u32'; shape: number[] }>;
}

export interface EmbedGraphs {
  /** Of the largest batch. */
  full: Kept;
  graphs: Pick<EmbedSpec, 'roles' | 'weights' | 'totals' | 'scalars'>;
}

const TOTALS = 'total:';

/** Graphs for batches of each of `sizes` rows, the largest first, of `count` in all. */
export function embedGraphs(
  name: string,
  count: number,
  sizes: readonly number[],
  collate: Collate,
  span: Span,
  run: (ctx: Context, rows: number) => Kept,
): EmbedGraphs {
  const built = sizes.map((rows): Built & { kept: Kept } => {
    const ctx = new Context();
    const kept = run(ctx, rows);
    return { ctx, rows, roots: [...kept.outputs.values()], kept };
  });
  const [full] = built;
  const parts = sizes[0] === count ? [{ roots: full.roots, totals: [] }] : allParts(name, count, built, collate, span, run);
  const roles: EmbedSpec['roles'] = {};
  built.forEach(({ ctx, kept }, i) => {
    const suffix = i === 0 ? '' : '.rest';
    const { roots, totals } = parts[i];
    const names = [...kept.outputs.keys()];
    const fixed = (graph: EmbedSpec['roles'][string]): EmbedSpec['roles'][string] =>
      withScalars(ctx.builder, graph, ctx.scalars, full.ctx.scalars);
    roles[`forward${suffix}`] = fixed({ outputs: roots.map((node, at) => output(names[at], node)) });
    if (totals.length > 0) roles[`totals${suffix}`] = fixed({ outputs: totalOutputs(ctx.builder, totals) });
  });
  return {
    full: full.kept,
    graphs: {
      roles,
      weights: [...full.ctx.weights.values()],
      totals: parts[0].totals.map(({ name: total, node }) => ({ name: total, shape: node.shape })),
      scalars: Object.fromEntries(full.ctx.scalars),
    },
  };
}

function allParts(
  name: string,
  count: number,
  built: readonly Built[],
  collate: Collate,
  span: Span,
  run: (ctx: Context, rows: number) => Kept,
): Parts[] {
  const whole = builtFor(count, built[0], (ctx, rows) => [...run(ctx, rows).outputs.values()]);
  const parts = built.map((part): Parts | Mixture => ('why' in whole ? whole : rowsOf(whole, part, collate, TOTALS)));
  const mixture = parts.find((of): of is Mixture => 'why' in of) ?? sameTotals(parts as Parts[]);
  if (mixture) refuse(`embed ${name}`, mixture, span, (at) => report('P0552', { name, why: mixture.why }, at));
  return parts as Parts[];
}
