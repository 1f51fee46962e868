/**
 * The graphs of a training task, by role (see `TrainTask` in the plan's schema).
 *
 * Where the micro-batch is the batch, one `step` does it all: forward, backward, clipping, update, metrics. Else `micro` adds
 * gradients and metrics up in states and `update` uses and clears them. `forward` evaluates, `reference` scores rows with
 * the reference's weights. Each graph is built from the texts anew, so that what it does not need is not in it.
 */
import { report } from '../../grammar/index.ts';
import type { Span } from '../../grammar/index.ts';
import type { Collate } from '../../plan/plan.ts';
import type { Schedule } from '../../plan/schedule.ts';
import type { Loaded } from '../modules/modules.ts';
import { apply } from '../elaborate/calls.ts';
import { Context } from '../elaborate/context.ts';
import type { WeightInfo } from '../elaborate/context.ts';
import { tooLarge } from '../elaborate/expressions.ts';
import { fail } from '../elaborate/fault.ts';
import { scheduleOf } from '../elaborate/operators.ts';
import { number, tensor } from '../elaborate/values.ts';
import type { BoundValue, ModelValue, NumberValue } from '../elaborate/values.ts';
import { gradients } from '../gradient/gradient.ts';
import { recompute } from '../gradient/recompute.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { SizeError } from '../graph/errors.ts';
import type { Graph, Node, Output } from '../graph/graph.ts';
import { declareInputs, runModel, standardLayer } from './batch.ts';
import { objectiveOf, output, rootsOf } from './objective.ts';
import type { Objective, Reference } from './objective.ts';
import { applyOptimizer } from './optimizer.ts';
import type { Slope } from './optimizer.ts';
import { evaluationGraphs } from './evaluation-graphs.ts';
import { builtFor, partsOf, refuse, totalOutputs } from './row-parts.ts';
import type { Parts } from './row-parts.ts';
import type { Length } from './schedule.ts';
import { choose } from './trained-parts.ts';
import type { Chosen, TrainedPart } from './trained-parts.ts';

export interface TrainSpec {
  model: ModelValue;
  loss: BoundValue;
  optimizer: BoundValue;
  /** Largest joint norm of the gradients; undefined: no clipping. */
  clip?: number;
  collate: Collate;
  reference: Reference;
  batch: number;
  micro: number;
  /** Rows of the evaluation data, 0 for none. */
  evaluation: number;
  length: Length;
  /** Whether what happens within layers is computed again for their gradients. */
  recompute?: boolean;
  trained: TrainedPart[];
  /** Parts of these that keep their weights. */
  frozen: TrainedPart[];
  span: Span;
}

export interface TrainGraphs {
  roles: Record<string, Graph>;
  weights: WeightInfo[];
  trained: Set<string>;
  /** States that are neither weights nor theirs: moments are `optimizer`, the rest is `working`. */
  states: { name: string; shape: readonly number[]; keep: 'optimizer' | 'working' }[];
  scalars: Record<string, number>;
  schedules: Record<string, Schedule>;
  metrics: string[];
  /** Rows of the batches that are evaluated one by one, where the loss mixes rows; otherwise an evaluation is over all rows. */
  evaluationBatch?: number;
}

export function buildTrainGraphs(loaded: Loaded, spec: TrainSpec): TrainGraphs {
  const roles: Record<string, Graph> = {};
  const states = new Map<string, TrainGraphs['states'][number]>();
  const keepState = (node: Node, keep: 'optimizer' | 'working'): void => {
    if (node.op.kind === 'state') states.set(node.op.name, { name: node.op.name, shape: node.shape, keep });
  };
  const ctx = new Context();
  const b = ctx.builder;
  const objective = objectiveOf(ctx, loaded, spec, spec.micro);
  const weights = [...ctx.weights.values()];
  const chosen = choose(weights, spec.trained, spec.frozen, spec.loss.definition.name.text);
  const { trained } = chosen;
  const whole = spec.micro === spec.batch;
  const parts = whole ? { roots: rootsOf(objective), totals: [] } : trainingParts(ctx, loaded, spec, objective);
  const [loss, ...metrics] = parts.roots;
  const forward = b.size;
  const lean = (graph: Graph): Graph => (spec.recompute ? recompute(graph, forward) : graph);
  const slopes = slopesOf(ctx, loss, trained, spec.span);
  requireGradients(chosen, slopes);
  const pairs = trained.flatMap((weight, i) => (slopes[i] ? [{ weight, gradient: slopes[i], rate: chosen.rates.get(weight) }] : []));
  const names = ['loss', 'grad_norm', ...objective.metrics.map((m) => m.name)];

  if (whole) {
    const finish = finishStep(ctx, loaded, spec, pairs, loss, keepState);
    roles.step = lean({
      outputs: [...finish.outputs, output('loss', loss), ...metrics.map((node, i) => output(objective.metrics[i].name, node))],
    });
    return { ...gather(loaded, spec, ctx, roles, weights, trained, states, names), schedules: schedulesOf(ctx, finish.rate) };
  }

  const accumulated: Output[] = pairs.map(({ weight, gradient }) => {
    const before = b.state(`grad:${weight.path}`, weight.shape);
    keepState(before, 'working');
    return { kind: 'state', name: `grad:${weight.path}`, node: b.add(before, gradient) };
  });
  const sums = ['loss', ...objective.metrics.map((m) => m.name)].map((name, i): Output => {
    const before = b.state(`sum:${name}`, []);
    keepState(before, 'working');
    return { kind: 'state', name: `sum:${name}`, node: b.add(before, parts.roots[i]) };
  });
  roles.micro = lean({ outputs: [...accumulated, ...sums] });
  if (parts.totals.length > 0) {
    roles.totals = { outputs: totalOutputs(b, parts.totals) };
    for (const t of parts.totals) keepState(b.state(t.name, t.node.shape), 'working');
  }

  const last = new Context();
  const u = last.builder;
  const again = pairs.map(({ weight, rate }) => ({
    rate,
    weight: { ...weight, node: u.state(weight.path, weight.shape) },
    gradient: u.state(`grad:${weight.path}`, weight.shape),
  }));
  const summed = (name: string): Node => u.state(`sum:${name}`, []);
  const finish = finishStep(last, loaded, spec, again, summed('loss'), keepState);
  const zero = (name: string, shape: readonly number[]): Output => ({ kind: 'state', name, node: u.full([...shape], 0) });
  roles.update = {
    outputs: [
      ...finish.outputs,
      output('loss', summed('loss')),
      ...objective.metrics.map((m) => output(m.name, summed(m.name))),
      ...accumulated.map((o) => zero(o.name, o.node.shape)),
      ...sums.map((o) => zero(o.name, [])),
      ...parts.totals.map((t) => zero(t.name, t.node.shape)),
    ],
  };
  const result = gather(loaded, spec, ctx, roles, weights, trained, states, names);
  // The two contexts number their scalars apart; the update's are kept, the loss's are those of `micro`.
  return { ...result, ...mergeScalars(result, last, finish.rate) };
}

/** The gradients of the weights, or P0701 where they make the program too large. */
function slopesOf({ builder }: Context, loss: Node, trained: readonly WeightInfo[], span: Span): (Node | undefined)[] {
  try {
    return gradients(
      builder,
      loss,
      trained.map((w) => w.node),
    );
  } catch (error) {
    if (error instanceof SizeError) tooLarge(span);
    throw error;
  }
}

/** Scalars of the update program under names that the loss's do not have. */
function mergeScalars(
  result: TrainGraphs,
  last: Context,
  rate: NumberValue | undefined,
): Pick<TrainGraphs, 'scalars' | 'schedules' | 'roles'> {
  const rename = (name: string): string => `u${name}`;
  const scalars = { ...result.scalars };
  for (const [name, value] of last.scalars) scalars[rename(name)] = value;
  const schedules: Record<string, Schedule> = {};
  for (const [name, value] of Object.entries(schedulesOf(last, rate))) schedules[name === 'learning_rate' ? name : rename(name)] = value;
  return { scalars, schedules, roles: { ...result.roles, update: renameScalars(result.roles.update, rename) } };
}

function renameScalars(graph: Graph, rename: (name: string) => string): Graph {
  const b = new GraphBuilder();
  const made = new Map<Node, Node>();
  const visit = (node: Node): Node => {
    const known = made.get(node);
    if (known) return known;
    const inputs = node.inputs.map(visit);
    const op = node.op.kind === 'scalar' && /^s\d+$/.test(node.op.name) ? { ...node.op, name: rename(node.op.name) } : node.op;
    const image = b.withLabel(node.label, () => b.node(op, inputs, node));
    made.set(node, image);
    return image;
  };
  return { outputs: graph.outputs.map((o) => ({ ...o, node: visit(o.node) })) };
}

/** The loss and metrics of a part of a batch, or P0507. */
function trainingParts(ctx: Context, loaded: Loaded, spec: TrainSpec, objective: Objective): Parts {
  const part = { ctx, rows: spec.micro, roots: rootsOf(objective) };
  const whole = builtFor(spec.batch, part, (of, rows) => rootsOf(objectiveOf(of, loaded, spec, rows)));
  const parts = 'why' in whole ? whole : partsOf(whole, part, spec.collate, 'still', 'total:');
  if (!('why' in parts)) return parts;
  const name = spec.loss.definition.name.text;
  return refuse(`the loss ${name}`, parts, spec.loss.span ?? spec.span, (at) => report('P0507', { name, why: parts.why }, at));
}

/** Norm, clipping, update and the halt flag: what ends a step, whether the gradients were accumulated or not. */
export function finishStep(
  ctx: Context,
  loaded: Loaded,
  spec: Pick<TrainSpec, 'optimizer' | 'clip' | 'length' | 'span'>,
  pairs: Slope[],
  loss: Node,
  keepState: (node: Node, keep: 'optimizer' | 'working') => void,
): { outputs: Output[]; rate?: NumberValue } {
  const b = ctx.builder;
  const squares = pairs.map(({ gradient }) => b.sum(b.mul(gradient, gradient)));
  const norm = b.sqrt(sumOf(b, squares));
  const clipped = spec.clip === undefined ? pairs : scaled(ctx, loaded, spec, pairs, norm);
  const { updates, rate } = applyOptimizer(ctx, spec.optimizer, clipped, spec.length, spec.span);
  // The first step whose loss or gradient is not finite switches all later updates off; the last good weights stand.
  const halted = b.state('halt', []);
  keepState(halted, 'working');
  const ok = b.and(b.and(b.isFinite(loss), b.isFinite(norm)), b.equal(halted, 0));
  const halt = b.select(ok, b.constant(0), b.constant(1));
  const guarded = (before: Node, after: Node): Node => b.select(ok, after, before);
  const outputs: Output[] = [];
  for (const update of updates) {
    outputs.push({ kind: 'state', name: update.weight.path, node: guarded(update.weight.node, update.value) });
    outputs.push(
      ...update.state.map((s): Output => {
        keepState(s.before, 'optimizer');
        return { kind: 'state', name: s.name, node: guarded(s.before, s.value) };
      }),
    );
  }
  outputs.push({ kind: 'state', name: 'halt', node: halt }, output('grad_norm', norm), output('halt', halt));
  return { outputs, ...(rate ? { rate } : {}) };
}

/** Added in pairs, and pairs of pairs: less rounding than one after the other, and parts of it fit into one kernel each. */
function sumOf(b: GraphBuilder, terms: readonly Node[]): Node {
  if (terms.length === 0) return b.constant(0);
  if (terms.length === 1) return terms[0];
  const half = Math.ceil(terms.length / 2);
  return b.add(sumOf(b, terms.slice(0, half)), sumOf(b, terms.slice(half)));
}

function scaled(ctx: Context, loaded: Loaded, spec: Pick<TrainSpec, 'clip' | 'span'>, pairs: Slope[], norm: Node): Slope[] {
  const limit = { ...number(spec.clip ?? 0), uniform: 'clip' };
  const factor = apply(
    ctx,
    standardLayer(loaded, 'optim/clip', 'clip_factor'),
    [
      { value: tensor(norm), span: spec.span },
      { name: 'limit', value: limit, span: spec.span },
    ],
    spec.span,
  );
  if (factor.kind !== 'tensor') return pairs;
  return pairs.map((pair) => ({ ...pair, gradient: ctx.builder.mul(pair.gradient, factor.node) }));
}

/** Every part that the text trains must receive a gradient, else the text does not say what its writer means. */
function requireGradients({ trained, byPart }: Chosen, slopes: (Node | undefined)[]): void {
  const reached = new Set(trained.filter((_, i) => slopes[i]));
  for (const { part, weights } of byPart) {
    const without = weights.filter((w) => !reached.has(w)).map(({ path }) => path);
    if (without.length === 0) continue;
    const named = `${without.slice(0, 3).join(', ')}${without.length > 3 ? ` and ${without.length - 3} more` : ''}`;
    fail('P0501', { part: part.name, why: `no gradient reaches ${named}` }, part.span);
  }
}

/** The remaining roles, and everything the task must know about the programs. */
function gather(
  loaded: Loaded,
  spec: TrainSpec,
  ctx: Context,
  roles: Record<string, Graph>,
  weights: WeightInfo[],
  trained: WeightInfo[],
  states: Map<string, TrainGraphs['states'][number]>,
  metrics: string[],
): TrainGraphs {
  const evaluation = evaluationGraphs(loaded, spec, ctx.scalars);
  Object.assign(roles, evaluation.roles);
  for (const { name, shape } of evaluation.totals) states.set(name, { name, shape, keep: 'working' });
  if (spec.reference === 'cached') {
    roles.reference = referenceGraph(loaded, spec, spec.micro);
  }
  return {
    roles,
    weights,
    trained: new Set(trained.map((w) => w.path)),
    states: [...states.values()],
    scalars: Object.fromEntries(ctx.scalars),
    schedules: {},
    metrics,
    ...(evaluation.batch === undefined ? {} : { evaluationBatch: evaluation.batch }),
  };
}

/** Scores rows with whatever weights the runtime has loaded: per-token log-probabilities of each answer. */
export function referenceGraph(loaded: Loaded, spec: Pick<TrainSpec, 'model' | 'collate' | 'span'>, rows: number): Graph {
  const ctx = new Context();
  const record = runModel(ctx, loaded, spec.model, spec.collate, declareInputs(ctx, spec.collate, rows), spec.span);
  const outputs = [...record.fields].flatMap(([side, scored]): Output[] => {
    const logp = scored.kind === 'record' ? scored.fields.get('logp') : undefined;
    return logp?.kind === 'tensor' ? [output(`${side}.logp`, logp.node)] : [];
  });
  return { outputs };
}

/** Scalars of the program that change with the step, and the rate for the metrics. */
function schedulesOf(ctx: Context, rate: NumberValue | undefined): Record<string, Schedule> {
  return { ...Object.fromEntries(ctx.schedules), ...(rate ? { learning_rate: scheduleOf(rate) } : {}) };
}
