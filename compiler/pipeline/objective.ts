/** A stage's loss on a batch, and the metrics that go with it, as nodes of a graph. */
import type { Definition, Span } from '../../grammar/index.ts';
import type { Collate } from '../../plan/plan.ts';
import type { Loaded } from '../modules/modules.ts';
import { bindParameters } from '../elaborate/calls.ts';
import type { Context } from '../elaborate/context.ts';
import { fail, within } from '../elaborate/fault.ts';
import { runBody } from '../elaborate/statements.ts';
import { describe, tensor } from '../elaborate/values.ts';
import type { BoundValue, InstanceValue, ModelValue, RecordValue, Value } from '../elaborate/values.ts';
import type { Node, Output } from '../graph/graph.ts';
import { declareInputs, runModel } from './batch.ts';
import { asUniform } from './optimizer.ts';

/** How a stage gets the reference's log-probabilities: not at all, from inputs filled once, or by a second model in the graph. */
export type Reference = 'none' | 'cached' | 'live';

/** Names of a second model's weights begin so. */
export const REFERENCE_PREFIX = 'reference:';

export interface Objective {
  loss: Node;
  /** Means over the batch, each of shape []; `loss` is not among them. */
  metrics: { name: string; node: Node }[];
  output: RecordValue;
}

/** Whether a loss takes pairs, and whether it takes a reference. */
export function lossNeeds(definition: Definition): { pairs: boolean; reference: boolean } {
  const type = (name: string): string | undefined => definition.params.find((p) => p.name.text === name)?.type?.name?.text;
  return { pairs: type('policy') === 'Pair', reference: type('reference') !== undefined };
}

export function buildObjective(
  ctx: Context,
  loaded: Loaded,
  of: {
    model: ModelValue;
    loss: BoundValue;
    collate: Collate;
    reference: Reference;
    inputs: Map<string, Value>;
    span: Span;
  },
): Objective {
  const { model, loss, collate, inputs, span } = of;
  const output = runModel(ctx, loaded, model, collate, inputs, span);
  const given = new Map<string, Value>(loss.given);
  const reference =
    of.reference === 'none'
      ? undefined
      : of.reference === 'live'
        ? ctx.withPrefix(REFERENCE_PREFIX, () => runModel(ctx, loaded, model, collate, inputs, span))
        : cachedReference(ctx, output);
  for (const p of loss.definition.params) {
    const name = p.name.text;
    // A loss of one answer sees the chosen one of a pair.
    if (name === 'policy') given.set(name, p.type?.name?.text === 'Scored' ? (output.fields.get('chosen') ?? output) : output);
    else if (name === 'reference') given.set(name, reference ?? output);
    else if (p.type?.shape)
      given.set(
        name,
        output.fields.get(name) ??
          inputs.get(name) ??
          fail('P0515', { name, known: [...output.fields.keys(), ...inputs.keys()].join(', ') }, span),
      );
  }
  const value = runLoss(ctx, { ...loss, given }, span);
  return { loss: value, metrics: reference && output.type === 'Pair' ? pairMetrics(ctx, output, reference, loss) : [], output };
}

/** The objective on a batch of `rows` rows, with inputs of its own. */
export function objectiveOf(
  ctx: Context,
  loaded: Loaded,
  of: { model: ModelValue; loss: BoundValue; collate: Collate; reference: Reference; span: Span },
  rows: number,
): Objective {
  const inputs = declareInputs(ctx, of.collate, rows);
  return buildObjective(ctx, loaded, { ...of, inputs });
}

/** The loss, then the metrics. */
export function rootsOf(objective: Objective): Node[] {
  return [objective.loss, ...objective.metrics.map((m) => m.node)];
}

export function output(name: string, node: Node): Output {
  return { kind: 'output', name, node };
}

/** A loss whose arguments are all given: its value, of shape []. */
export function runLoss(ctx: Context, loss: BoundValue, span: Span): Node {
  const { definition } = loss;
  const name = definition.name.text;
  return within(span, `in loss ${name}`, () => {
    const scope = bindParameters(ctx, loss, loss.module, span, asUniform(name));
    // A loss may have weights of its own (temperature and bias of siglip); their path begins with its name.
    const place: InstanceValue = { kind: 'instance', bound: loss, path: name };
    const result = ctx.builder.withLabel(`loss.${name}`, () => runBody(ctx, definition, scope, place));
    if (result.kind !== 'tensor' || result.node.shape.length !== 0)
      return fail(
        'P0401',
        { what: `the value of loss ${name}`, expected: '[]', found: describe(result), why: 'a loss is one number' },
        definition.name.span,
      );
    return result.node;
  });
}

/** The reference's log-probabilities as inputs, in the form of the policy's record. */
function cachedReference(ctx: Context, output: RecordValue): RecordValue {
  const fields = new Map<string, Value>();
  for (const [side, scored] of output.fields) {
    if (scored.kind !== 'record') continue;
    const logp = scored.fields.get('logp');
    if (logp?.kind !== 'tensor') continue;
    fields.set(side, {
      ...scored,
      fields: new Map([...scored.fields, ['logp', tensor(ctx.builder.input(`reference.${side}.logp`, logp.node.shape))]]),
    });
  }
  return { ...output, fields };
}

/** TRL's metrics of a preference loss; `beta` is the loss's, or 1 where it has none. Means over pairs. */
function pairMetrics(ctx: Context, policy: RecordValue, reference: RecordValue, loss: BoundValue): Objective['metrics'] {
  const b = ctx.builder;
  const total = (record: RecordValue, side: string): Node => {
    const scored = record.fields.get(side) as RecordValue;
    const [logp, mask] = ['logp', 'mask'].map((f) => (scored.fields.get(f) as { node: Node }).node);
    return b.sum(b.mul(logp, mask), [1]);
  };
  const mean = (x: Node): Node => b.div(b.sum(x, [0]), b.scalar('rows'));
  const beta = betaOf(ctx, loss);
  const [chosen, rejected] = ['chosen', 'rejected'].map((side) => total(policy, side));
  const [rewardChosen, rewardRejected] = ['chosen', 'rejected'].map((side, i) =>
    b.mul(b.sub([chosen, rejected][i], total(reference, side)), beta),
  );
  return [
    { name: 'logps/chosen', node: mean(chosen) },
    { name: 'logps/rejected', node: mean(rejected) },
    { name: 'rewards/chosen', node: mean(rewardChosen) },
    { name: 'rewards/rejected', node: mean(rewardRejected) },
    { name: 'rewards/margins', node: mean(b.sub(rewardChosen, rewardRejected)) },
    { name: 'rewards/accuracies', node: mean(b.cast(b.less(rewardRejected, rewardChosen), 'f32')) },
  ];
}

function betaOf(ctx: Context, loss: BoundValue): Node | number {
  const given = loss.given.get('beta');
  const name = loss.definition.name.text;
  if (given?.kind === 'number') return ctx.node(asUniform(name)('beta', given) as Extract<Value, { kind: 'number' }>);
  const byDefault = loss.definition.params.find((p) => p.name.text === 'beta')?.default;
  return byDefault?.kind === 'NumberLiteral' ? ctx.node({ kind: 'number', value: byDefault.value, uniform: `${name}.beta` }) : 1;
}
