/**
 * A small model with random weights, large enough that its answers differ, and its programs: those that decode with a cache, and
 * one that runs whole sequences and knows no cache, to hold the former to.
 */
import { nodeHost, packageRoot } from '../../cli/host.ts';
import { apply } from '../../compiler/elaborate/calls.ts';
import { Context } from '../../compiler/elaborate/context.ts';
import type { WeightInfo } from '../../compiler/elaborate/context.ts';
import { evaluateIn, openUniverse } from '../../compiler/elaborate/names.ts';
import { tensor } from '../../compiler/elaborate/values.ts';
import type { Value } from '../../compiler/elaborate/values.ts';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { loadModules } from '../../compiler/modules/modules.ts';
import { runPasses, simplification } from '../../compiler/passes/passes.ts';
import { collateFor } from '../../compiler/pipeline/batch.ts';
import { camGraph, decodeGraphs } from '../../compiler/pipeline/decode.ts';
import type { Span } from '../../grammar/index.ts';
import { elements } from '../../plan/dtypes.ts';
import type { SampleTask, StateTensor } from '../../plan/plan.ts';
import type { Program, Target } from '../../plan/program.ts';
import { normal } from '../../runtime/core/random.ts';
import type { WeightSource } from '../../runtime/core/train/storage.ts';

const TEXT = `pivot 1
use std.vision.vit
use std.language.decoder
use std.connector.mlp.merge
use std.data.scenes

encoder  eyes = vit(image: 24px, patch: 4px, width: 16, depth: 1, heads: 2)
language head = decoder(tokenizer: scenes.words, width: 16, depth: 2, heads: 2, context: 48)
model    mllm = eyes -> merge() -> head
data     rows = scenes.questions(count: 5)
`;

const SPAN: Span = { file: 'decoder.pivot', start: 0, end: 0, line: 1, column: 1, endLine: 1, endColumn: 1 };

/** Text, model and collation; `text` may replace the text above, whose names it must declare. */
export function smallModel(text = TEXT) {
  const real = nodeHost(packageRoot());
  const host = { ...real, read: (path: string) => (path === 'decoder.pivot' ? text : real.read(path)) };
  const loaded = loadModules('decoder.pivot', host, [
    'std.model.vision_language',
    'std.model.generate',
    'std.model.text',
    'std.optim.clip',
  ]);
  if (loaded.diagnostics.length > 0) throw new Error(loaded.diagnostics.map((d) => d.message).join('\n'));
  const universe = openUniverse(loaded, host, new Map());
  const named = (name: string): Value => evaluateIn(universe, loaded.main, { kind: 'Identifier', name, span: SPAN });
  const [model, data] = [named('mllm'), named('rows')];
  if (model.kind !== 'model' || data.kind !== 'data' || !data.tokenizer || !('words' in data.tokenizer.of))
    throw new Error('the text declares no mllm or no rows');
  const collate = collateFor(model, data, false, SPAN);
  if (collate.layout !== 'answers') throw new Error('the rows have no answers');
  return { loaded, model, collate, tokenizer: data.tokenizer.of.words, span: SPAN };
}

export type SmallModel = ReturnType<typeof smallModel>;

export interface Lowered {
  programs: Record<string, Program>;
  kernels: Record<string, string>;
}

export function lowerAll(roles: Record<string, Graph>, target: Target): Lowered {
  const result: Lowered = { programs: {}, kernels: {} };
  for (const [role, graph] of Object.entries(roles)) {
    const { program, kernels } = lower(runPasses(graph, simplification()), target, { fuse: true, name: role });
    result.programs[role] = program;
    Object.assign(result.kernels, kernels);
  }
  return result;
}

/** A task that answers `count` rows of `scenes.questions`, `perPrompt` times each. */
export function sampleTask(
  model: SmallModel,
  target: Target,
  of: { count: number; batch: number; perPrompt?: number; temperature?: number; seed?: number },
): Lowered & { task: SampleTask } {
  const { count, batch, perPrompt = 1, temperature = 0, seed = 3 } = of;
  const items = count * perPrompt;
  const graphs = [
    ...(items >= batch ? [decodeGraphs(model.loaded, model.model, model.collate, batch, model.span)] : []),
    ...(items % batch > 0 ? [decodeGraphs(model.loaded, model.model, model.collate, items % batch, model.span, '.rest')] : []),
  ].map((one) => one ?? missing());
  const lowered = lowerAll(Object.assign({}, ...graphs.map(({ roles }) => roles)) as Record<string, Graph>, target);
  const task: SampleTask = {
    kind: 'sample',
    id: `answers.${batch}`,
    hash: `of ${JSON.stringify(of)}`,
    needs: [],
    seed,
    state: [...weightState(graphs[0].weights), ...graphs.flatMap(({ cache }) => cache).map(cacheState)],
    data: { source: 'scenes.questions', params: { split: 'held-out', seed: 0, size: 24 }, tokenizer: 'words', count },
    collate: model.collate,
    batch,
    programs: {},
    scalars: graphs[0].scalars,
    perPrompt,
    temperature,
    subject: { stage: 'tune' },
  };
  return { ...lowered, task };
}

function missing(): never {
  throw new Error('the model cannot be decoded');
}

function weightState(weights: readonly WeightInfo[]): StateTensor[] {
  return weights.map(({ path, shape }) => ({
    name: path,
    dtype: 'f32',
    shape,
    source: { from: 'file', file: 'weights', name: path },
    keep: 'weight',
    trained: false,
  }));
}

/** Weights drawn by their names, the same for every task: wide, so that answers differ from row to row. */
export function drawnWeights({ state }: SampleTask): WeightSource {
  return {
    ofTask: () => Promise.reject(new Error('there are no other tasks')),
    ofFile: async (_, name) => {
      const shape = state.find((s) => s.name === name)?.shape ?? [];
      const std = /\.(scale|shift|b)$/.test(name) ? 0 : name.startsWith('head.') ? 0.4 : 0.2;
      const data = normal(name, 3, elements(shape), std);
      return { name, dtype: 'f32', shape, data: name.endsWith('.scale') ? data.fill(1) : data };
    },
  };
}

function cacheState({ name, dtype, shape }: { name: string; dtype: StateTensor['dtype']; shape: readonly number[] }): StateTensor {
  const source: StateTensor['source'] = { from: 'init', init: { kind: 'constant', value: 0 } };
  return { name, dtype, shape: [...shape], source, keep: 'working', trained: false };
}

/** `whole`: [image | prompt | answer] at once, without a cache; output `logits` [rows, answer, V], each before its token. */
export function wholeGraph({ loaded: _, model, collate, span }: SmallModel, rows: number): Graph {
  if (model.form.kind !== 'arrow') return missing();
  const ctx = new Context(new GraphBuilder());
  const b = ctx.builder;
  const length = collate.imageTokens + collate.prompt + collate.answer;
  const run = (layer: Value, ...args: Value[]): Value =>
    apply(
      ctx,
      layer,
      args.map((value) => ({ value, span })),
      span,
    );
  const ids = (name: string, width: number): Value => tensor(b.input(name, [rows, width], 'i32'));
  const seen = run(model.form.connector, run(model.form.encoder, tensor(b.input('image', [rows, 3, collate.image, collate.image]))));
  const hidden = run(
    model.form.language,
    seen,
    ids('tokens', collate.prompt + collate.answer),
    ids('position', length),
    ids('segment', length),
  );
  const table = ctx.exposed.get(`${model.form.language.path}.embedding`);
  if (hidden.kind !== 'tensor' || table?.kind !== 'tensor') return missing();
  const states = b.slice(hidden.node, [0, length - collate.answer - 1, 0], [rows, collate.answer, hidden.node.shape[2]]);
  return { outputs: [{ kind: 'output', name: 'logits', node: b.einsum('n a d, v d -> n a v', states, table.node) }] };
}

export function camOf({ loaded, model, collate, span }: SmallModel): Graph {
  return (camGraph(loaded, model, collate, span) ?? missing()).graph;
}
