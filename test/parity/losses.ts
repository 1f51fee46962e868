/** Losses on recorded inputs: their values, and their gradients by policy token, by embedding, by logit. */
import { Context } from '../../compiler/elaborate/context.ts';
import type { Universe } from '../../compiler/elaborate/names.ts';
import { tensor } from '../../compiler/elaborate/values.ts';
import type { Value } from '../../compiler/elaborate/values.ts';
import { gradients } from '../../compiler/gradient/gradient.ts';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import type { Node, Output } from '../../compiler/graph/graph.ts';
import { buildObjective } from '../../compiler/pipeline/objective.ts';
import type { Tensor } from '../../runtime/core/safetensors/format.ts';
import { runGraph } from '../support/run-graph.ts';
import type { Bench } from './bench.ts';
import { check } from './check.ts';
import type { Check } from './check.ts';
import { nodeOf, valueOf } from './forward.ts';
import { recorded } from './recording.ts';
import type { Recording } from './recording.ts';

/** A loss of the recording: the text that builds it, what it is computed on, and the recorded gradient of each input or weight. */
export interface Case {
  name: string;
  loss: string;
  model: 'answer' | 'pair' | 'towers' | 'classify';
  inputs: Tensor[];
  wanted: Record<string, Tensor>;
}

export async function checkLosses(bench: Bench, recording: Recording, universe: Universe): Promise<Check[]> {
  const checks: Check[] = [];
  const cases = casesOf(recording);
  for (const name of Object.keys(recording.losses)) {
    const one = cases.find((c) => c.name === name);
    if (!one) throw new Error(`there is no text for the recorded loss ${name}`);
    const { loss, slopes } = await runLoss(bench, universe, one);
    checks.push(check(`loss ${name}: value`, 1e-6, 'of the largest', [{ name, found: loss, wanted: [recording.losses[name]] }]));
    // One vector of all of a loss's gradients: a single number among them has no scale of its own.
    const names = Object.keys(one.wanted);
    const found = names.flatMap((of) => [...(slopes[of] ?? [])]);
    checks.push(
      check(`loss ${name}: gradients`, 1e-6, 'of the largest', [{ name, found, wanted: names.flatMap((of) => [...one.wanted[of].data]) }]),
    );
  }
  return checks;
}

function casesOf(recording: Recording): Case[] {
  const get = (name: string): Tensor => recorded(recording, `losses.${name}`);
  const named = (t: Tensor, name: string): Tensor => ({ ...t, name });
  const side = (name: string, at: 0 | 1): Tensor => half(get(name), at);
  const chosen = [named(side('policy', 0), 'chosen'), named(side('mask', 0), 'chosen_mask')];
  const pair = [
    ...chosen,
    named(side('policy', 1), 'rejected'),
    named(side('mask', 1), 'rejected_mask'),
    named(side('reference', 0), 'reference.chosen.logp'),
    named(side('reference', 1), 'reference.rejected.logp'),
  ];
  const preference = ['dpo', 'dpo(smoothing: 0.1)', 'hinge', 'ipo'].map((name): Case => ({
    name,
    loss: name,
    model: 'pair',
    inputs: pair,
    wanted: { chosen: side(`${name}.grad`, 0), rejected: side(`${name}.grad`, 1) },
  }));
  const gradient = (loss: string, names: readonly string[]): Record<string, Tensor> =>
    Object.fromEntries(names.map((name) => [name, get(`${loss}.grad.${name}`)]));
  return [
    { name: 'sft(chosen)', loss: 'sft', model: 'answer', inputs: chosen, wanted: { chosen: side('sft(chosen).grad', 0) } },
    ...preference,
    {
      name: 'siglip',
      loss: 'siglip',
      model: 'towers',
      inputs: [named(get('siglip.image'), 'image'), named(get('siglip.text'), 'text')],
      wanted: gradient('siglip', ['image', 'text', 'log_temperature', 'bias']),
    },
    {
      name: 'softmax_cross_entropy',
      loss: 'softmax_cross_entropy',
      model: 'classify',
      inputs: [named(get('softmax.logits'), 'logits'), named(get('softmax.label'), 'label')],
      wanted: { logits: get('softmax.grad') },
    },
  ];
}

/** One side of a tensor [2, ...rest]. */
function half(t: Tensor, at: 0 | 1): Tensor {
  const length = t.data.length / 2;
  return { ...t, shape: t.shape.slice(1), data: t.data.subarray(at * length, (at + 1) * length) };
}

/** The value of a loss on a device, and its slopes by the names of `wanted`. */
export async function runLoss(
  bench: Bench,
  universe: Universe,
  { loss, model, inputs, wanted }: Case,
): Promise<{ loss: ArrayLike<number>; slopes: Record<string, Iterable<number>> }> {
  const ctx = new Context(new GraphBuilder());
  const rows = inputs[0].shape[0];
  ctx.batch = rows;
  const values = new Map(inputs.map((t): [string, Value] => [t.name, tensor(ctx.builder.input(t.name, t.shape, t.dtype))]));
  const [modelValue, bound] = [valueOf(universe, model), valueOf(universe, loss)];
  if (modelValue.kind !== 'model' || bound.kind !== 'bound') throw new Error(`${loss} of ${model} is no loss of a model`);
  const span = universe.loaded.main.tree.span;
  const collate = { layout: 'classes', image: 0 } as const;
  const objective = buildObjective(ctx, universe.loaded, {
    model: modelValue,
    loss: bound,
    collate,
    reference: model === 'pair' ? 'cached' : 'none',
    inputs: values,
    span,
  });
  const nodes = Object.keys(wanted).map((name) => ctx.weights.get(`${loss}.${name}`)?.node ?? nodeOf(values.get(name), name));
  const slopes = gradients(ctx.builder, objective.loss, nodes);
  const output = (name: string, node: Node | undefined): Output[] => (node ? [{ kind: 'output', name, node }] : []);
  const graph = { outputs: [...output('loss', objective.loss), ...Object.keys(wanted).flatMap((name, i) => output(name, slopes[i]))] };
  const state = Object.fromEntries([...ctx.weights.values()].map((w) => [w.path, [w.init.kind === 'constant' ? w.init.value : NaN]]));
  const input = Object.fromEntries(inputs.map((t) => [t.name, t.data]));
  const found = await runGraph(
    bench.open,
    graph,
    { input, state, scalar: { ...Object.fromEntries(ctx.scalars), rows } },
    { fuse: true, target: bench.target },
  );
  return { loss: found.output.loss, slopes: found.output };
}
