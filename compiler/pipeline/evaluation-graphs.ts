/**
 * The graphs of an evaluation. It is exact over all held-out rows, however many run at once: `forward` gives a part's share of each value, and where
 * that needs sums over all rows, `totals.eval` takes them in a pass of its own. Weights stand still here, so any sum may be taken beforehand. A loss
 * that mixes rows in another way has no such parts; it is evaluated on whole batches, whose mean is told with the batch's size.
 */
import { report } from '../../grammar/index.ts';
import type { Loaded } from '../modules/modules.ts';
import { Context } from '../elaborate/context.ts';
import type { Graph, Node } from '../graph/graph.ts';
import { builtFor, partsOf, refuse, sameTotals, totalOutputs, withScalars } from './row-parts.ts';
import type { Built, Mixture, Parts } from './row-parts.ts';
import { objectiveOf, output, rootsOf } from './objective.ts';
import type { TrainSpec } from './train-graphs.ts';

export interface EvaluationGraphs {
  roles: Record<string, Graph>;
  /** States that hold sums over all rows. */
  totals: { name: string; shape: readonly number[] }[];
  /** Where the loss mixes rows: the rows of the batches that are evaluated one by one. */
  batch?: number;
}

const TOTALS = 'total:eval:';

/** `scalars`: values that the task gives by name; the graphs read no others. */
export function evaluationGraphs(loaded: Loaded, spec: TrainSpec, scalars: ReadonlyMap<string, number>): EvaluationGraphs {
  const { evaluation: count, micro, batch } = spec;
  const graphs: EvaluationGraphs = { roles: {}, totals: [] };
  if (count === 0) return graphs;
  let names: string[] = [];
  const build = (ctx: Context, rows: number): Node[] => {
    const objective = objectiveOf(ctx, loaded, spec, rows);
    names = ['loss', ...objective.metrics.map(({ name }) => name)];
    return rootsOf(objective);
  };
  const built = (rows: number): Built => {
    const ctx = new Context();
    return { ctx, rows, roots: build(ctx, rows) };
  };
  const add = (part: Built, { roots, totals }: Parts, suffix: string): void => {
    const b = part.ctx.builder;
    const fixed = (graph: Graph): Graph => withScalars(b, graph, part.ctx.scalars, scalars);
    graphs.roles[`forward${suffix}`] = fixed({ outputs: roots.map((node, i) => output(names[i], node)) });
    if (totals.length > 0) graphs.roles[`totals.eval${suffix}`] = fixed({ outputs: totalOutputs(b, totals) });
    graphs.totals = totals.map(({ name, node }) => ({ name, shape: node.shape }));
  };
  if (count <= micro) {
    const all = built(count);
    add(all, { roots: all.roots, totals: [] }, count < micro ? '.rest' : '');
    return graphs;
  }
  const rest = count % micro;
  const parts = [built(micro), ...(rest > 0 ? [built(rest)] : [])];
  const whole = builtFor(count, parts[0], build);
  const taken = parts.map((part) => ('why' in whole ? whole : partsOf(whole, part, spec.collate, 'any', TOTALS)));
  const mixture = taken.find((of): of is Mixture => 'why' in of) ?? sameTotals(taken as Parts[]);
  if (!mixture) {
    parts.forEach((part, i) => add(part, taken[i] as Parts, part.rows === micro ? '' : '.rest'));
    return graphs;
  }
  if (micro < batch || count % batch > 0) refused(spec, mixture);
  const share = (node: Node): Node => parts[0].ctx.builder.mul(node, batch / count);
  add(parts[0], { roots: parts[0].roots.map(share), totals: [] }, '');
  return { ...graphs, batch };
}

function refused(spec: TrainSpec, mixture: Mixture): never {
  const { batch, micro, evaluation: rows } = spec;
  const name = spec.loss.definition.name.text;
  const { why } = mixture;
  return refuse(`the loss ${name}`, mixture, spec.loss.span ?? spec.span, (at) =>
    micro < batch ? report('P0507', { name, why }, at) : report('P0551', { name, why, rows, batch }, at),
  );
}
