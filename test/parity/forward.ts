/** One forward and backward pass of the SFT loss: activations, loss, and gradients of the weights, the image and the features. */
import { Context } from '../../compiler/elaborate/context.ts';
import { evaluateIn } from '../../compiler/elaborate/names.ts';
import type { Universe } from '../../compiler/elaborate/names.ts';
import { apply } from '../../compiler/elaborate/calls.ts';
import type { Value } from '../../compiler/elaborate/values.ts';
import { gradients } from '../../compiler/gradient/gradient.ts';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import type { Node, Output } from '../../compiler/graph/graph.ts';
import { declareInputs } from '../../compiler/pipeline/batch.ts';
import { buildObjective } from '../../compiler/pipeline/objective.ts';
import { parseExpression } from '../../grammar/index.ts';
import { elements } from '../../plan/dtypes.ts';
import { runGraph } from '../support/run-graph.ts';
import type { Bench } from './bench.ts';
import { check } from './check.ts';
import type { Check } from './check.ts';
import { below, imageTokens, isKeyBias, ours } from './recording.ts';
import type { Recording } from './recording.ts';
import { rowsOf, universeOf } from './text.ts';
import type { RecordedText } from './text.ts';

/** The value of an expression in the text's own names. */
export function valueOf(universe: Universe, expression: string): Value {
  const { tree, diagnostics } = parseExpression(expression, 'parity');
  if (diagnostics.length > 0) throw new Error(`${expression}: ${diagnostics[0].message}`);
  return evaluateIn(universe, universe.loaded.main, tree);
}

/** A value that must be a tensor. */
export function nodeOf(value: Value | undefined, what: string): Node {
  if (value?.kind !== 'tensor') throw new Error(`${what} is no tensor`);
  return value.node;
}

export async function checkForward(bench: Bench, recording: Recording, text: RecordedText): Promise<Check[]> {
  const universe = universeOf(text);
  const { image, prompt, answer } = recording.sizes;
  const { rows } = recording.forward;
  const ctx = new Context(new GraphBuilder());
  const b = ctx.builder;
  const span = universe.loaded.main.tree.span;
  const model = valueOf(universe, 'model');
  const loss = valueOf(universe, 'sft');
  if (model.kind !== 'model' || loss.kind !== 'bound') throw new Error('the text has a model and uses std.loss.sft');
  const collate = { layout: 'answers', image, imageTokens: imageTokens(recording.sizes), prompt, answer } as const;
  const inputs = declareInputs(ctx, collate, rows.length);
  const objective = buildObjective(ctx, universe.loaded, { model, loss, collate, reference: 'none', inputs, span });
  const states = ctx.returned.get('head');
  const table = ctx.exposed.get('head.unembedding');
  const logits = apply(
    ctx,
    valueOf(universe, 'answer_logits'),
    [states, table, inputs.get('mask')].map((value) => ({ value: value ?? { kind: 'none' }, span })),
    span,
  );

  const scored = objective.output.fields.get('logp');
  const activations = new Map<string, Node>([
    ['logits', nodeOf(logits, 'logits')],
    ['logp', nodeOf(scored, 'logp')],
  ]);
  for (const name of below(recording, 'forward.').keys()) {
    if (activations.has(name)) continue;
    const path = ours(name);
    activations.set(name, nodeOf(ctx.exposed.get(path) ?? ctx.returned.get(path), name));
  }
  const wanted = new Map(
    [...below(recording, 'backward.').keys()].map((name): [string, Node] => {
      if (name === 'image') return [name, nodeOf(inputs.get('image'), name)];
      return [name, ctx.weights.get(ours(name))?.node ?? nodeOf(ctx.exposed.get(ours(name)), name)];
    }),
  );
  const slopes = gradients(b, objective.loss, [...wanted.values()]);
  const output = (name: string, node: Node): Output => ({ kind: 'output', name, node });
  const outputs = [
    output('loss', objective.loss),
    ...[...activations].map(([name, node]) => output(`forward.${name}`, node)),
    ...[...wanted.keys()].flatMap((name, i) => {
      const slope = slopes[i];
      return slope ? [output(`backward.${name}`, slope)] : [];
    }),
  ];

  const columns = rowsOf(recording, ['chosen'], 'kept');
  const input = Object.fromEntries(
    columns.map(({ name, shape, data }) => {
      const width = elements(shape.slice(1));
      return [name, rows.flatMap((row) => [...data.subarray(row * width, (row + 1) * width)])];
    }),
  );
  const state = Object.fromEntries([...below(recording, 'start.')].map(([name, t]) => [ours(name), t.data]));
  const scalar = { ...Object.fromEntries(ctx.scalars), rows: rows.length };
  const found = (await runGraph(bench.open, { outputs }, { input, state, scalar }, { fuse: true, target: bench.target })).output;

  const weights = [...below(recording, 'backward.')].map(([name, t]) => ({ name, found: found[`backward.${name}`], wanted: t.data }));
  const of = (name: string): typeof weights => weights.filter((w) => w.name === name);
  const largeWeights = weights.filter(({ name }) => name !== 'image' && name !== 'encoder.features' && !isKeyBias(name));
  return [
    check('forward: loss', 1e-5, 'absolute', [{ name: 'loss', found: found.loss, wanted: [recording.forward.loss] }]),
    ...[...below(recording, 'forward.')].map(([name, t]) =>
      check(`forward: ${name}`, 1e-5, 'of the largest', [{ name, found: found[`forward.${name}`], wanted: t.data }]),
    ),
    check('backward: weights', 1e-5, 'of the largest', largeWeights),
    check(
      'backward: key biases',
      1e-6,
      'absolute',
      weights.filter(({ name }) => isKeyBias(name)),
    ),
    check('backward: image', 1e-5, 'of the largest', of('image')),
    check('backward: encoder.features', 1e-5, 'of the largest', of('encoder.features')),
  ];
}
