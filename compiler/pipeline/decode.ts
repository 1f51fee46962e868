/**
 * The graphs by which an arrow model answers, token by token, with a cache of what its language model remembers.
 *
 * `prefill` runs [image | prompt], or a prompt with image tokens in it, and fills the cache; `decode` runs one more token at the place `slot`. Both give `logits`
 * [rows, V] of the next token. `camGraph` tells where the log-probability of an answer that was given comes from.
 */
import type { Span } from '../../grammar/index.ts';
import type { StoredDtype } from '../../plan/dtypes.ts';
import type { Collate } from '../../plan/plan.ts';
import { apply } from '../elaborate/calls.ts';
import type { Given } from '../elaborate/calls.ts';
import { Context } from '../elaborate/context.ts';
import type { WeightInfo } from '../elaborate/context.ts';
import { fail } from '../elaborate/fault.ts';
import { Cache, SLOT } from '../elaborate/remember.ts';
import { describe, tensor } from '../elaborate/values.ts';
import type { ModelValue, Value } from '../elaborate/values.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Graph, Node, Output } from '../graph/graph.ts';
import type { Loaded } from '../modules/modules.ts';
import { declareInputs, runModel, standardLayer } from './batch.ts';

/** Layouts whose rows have a prompt to answer. */
export type AnsweredCollate = Extract<Collate, { layout: 'pairs' | 'answers' }>;

export interface DecodeGraphs {
  /** `prefill` and `decode`, or `prefill.rest` and `decode.rest`. */
  roles: Record<string, Graph>;
  weights: WeightInfo[];
  /** The cache: states that `prefill` fills and `decode` adds to. They need no first value. */
  cache: { name: string; dtype: StoredDtype; shape: readonly number[] }[];
  /** `slot`, which the runtime sets at each token, and whatever the layers bring. */
  scalars: Record<string, number>;
}

/**
 * The decoding graphs for `rows` rows at once. Inputs of `prefill`: `image`, `tokens` [rows, prompt], `position` and `segment`
 * [rows, imageTokens + prompt], and with `pictures` also `seen`: as layout `answers` without the places of the answer. Inputs of `decode`: `tokens`, `position`
 * and `segment` [rows, 1]. `suffix` tells the graphs of a smaller last batch (`.rest`) apart, and its cache, which has another
 * shape. Undefined where nothing can be decoded: the model is no arrow, or its language layer remembers nothing. Faults of the
 * layers are thrown.
 */
export function decodeGraphs(
  loaded: Loaded,
  model: ModelValue,
  collate: AnsweredCollate,
  rows: number,
  span: Span,
  suffix: '' | '.rest' = '',
): DecodeGraphs | undefined {
  if (model.form.kind !== 'arrow') return undefined;
  const { encoder, connector, language } = model.form;
  const start = promptPlaces(collate);
  const capacity = start + collate.answer;
  const first = new Context();
  first.batch = rows;
  first.cache = new Cache('prefill', capacity, `cache${suffix}`);
  const among = collate.pictures !== undefined;
  const ids = (name: string, places: number): Node => first.builder.input(name, [rows, places], 'i32');
  const prefill = logitsOf(first, loaded, 'first_token', span, {
    image: imageInput(first.builder, collate, rows),
    tokens: ids('tokens', among ? start : collate.prompt),
    positions: ids('position', start),
    segments: ids('segment', start),
    ...(among ? { seen: ids('seen', start) } : {}),
    encoder,
    connector,
    language,
  });
  if (first.cache.states.size === 0) return undefined;

  const next = new Context();
  next.batch = rows;
  next.cache = new Cache('decode', capacity, `cache${suffix}`);
  const one = (name: string): Node => next.builder.input(name, [rows, 1], 'i32');
  const decode = logitsOf(next, loaded, 'next_token', span, {
    tokens: one('tokens'),
    positions: one('position'),
    segments: one('segment'),
    language,
  });
  const kept = [...next.cache.states];
  if (kept.length === 0) return undefined;
  const before = first.cache.states;
  for (const [name, { shape, dtype }] of kept) {
    const filled = before.get(name);
    if (filled?.shape.join() !== shape.join() || filled.dtype !== dtype)
      fail(
        'P0401',
        {
          what: `what ${name} remembers`,
          expected: `[${shape.join(', ')}]`,
          found: filled ? `[${filled.shape.join(', ')}]` : 'nothing',
          why: 'a layer must remember alike where a sequence is run at once and where one place is',
        },
        span,
      );
  }
  const weights = new Map([...first.weights, ...next.weights]);
  return {
    roles: {
      [`prefill${suffix}`]: {
        // What is remembered outside of the language model is never asked for.
        outputs: [logits(prefill), ...kept.flatMap(([name]): Output[] => stateOutput(name, before.get(name)))],
      },
      [`decode${suffix}`]: { outputs: [logits(decode), ...kept.flatMap(([name, node]) => stateOutput(name, node))] },
    },
    weights: [...weights.values()],
    cache: kept.map(([name, { dtype, shape }]) => ({ name, dtype: stored(dtype), shape })),
    scalars: { ...Object.fromEntries(first.scalars), ...Object.fromEntries(next.scalars), [SLOT]: 0 },
  };
}

/** Models that are decoded alike have one key: an adapter is part of what a model is, though its path does not tell. */
export function decodingKey({ path, form }: ModelValue): string {
  const parts = form.kind === 'arrow' ? [form.encoder, form.connector, form.language] : [form.layer];
  return JSON.stringify([path, ...parts.map(({ adapter }) => adapter ?? null)]);
}

/** Places before an answer: those of the prompt, and those of its pictures. */
function promptPlaces({ pictures, imageTokens, prompt }: AnsweredCollate): number {
  return (pictures ?? 1) * imageTokens + prompt;
}

/** Pictures of all rows in one list, as an encoder takes them. */
function imageInput(b: GraphBuilder, { pictures = 1, image }: AnsweredCollate, rows: number): Node {
  const one = [3, image, image];
  if (pictures === 1) return b.input('image', [rows, ...one]);
  return b.reshape(b.input('image', [rows, pictures, ...one]), [rows * pictures, ...one]);
}

/**
 * Grad-CAM and gradient of the answer's log-probability at the encoder's features, each [1, T] (or [pictures, T]), for one row of
 * layout `answers` (`cam`, `gradient`). The features are what the encoder exposes under that name, else what it returns. Undefined where they
 * are no [.., T, D], so that they have no places to show.
 */
export function camGraph(
  loaded: Loaded,
  model: ModelValue,
  collate: AnsweredCollate,
  span: Span,
): { graph: Graph; weights: WeightInfo[] } | undefined {
  if (model.form.kind !== 'arrow') return undefined;
  const ctx = new Context();
  const answers = { ...collate, layout: 'answers' as const };
  const answer = runModel(ctx, loaded, model, answers, declareInputs(ctx, answers, 1), span);
  const { path } = model.form.encoder;
  const features = ctx.exposed.get(`${path}.features`) ?? ctx.returned.get(path);
  if (features?.kind !== 'tensor' || features.node.shape.length !== 3) return undefined;
  const origin = apply(
    ctx,
    standardLayer(loaded, 'model/generate', 'origin'),
    [
      { value: answer, span },
      { value: features, span },
    ],
    span,
  );
  const outputs = ['cam', 'gradient'].map((name): Output => ({ kind: 'output', name, node: field(origin, name) }));
  return { graph: { outputs }, weights: [...ctx.weights.values()] };
}

function logitsOf(ctx: Context, loaded: Loaded, layer: string, span: Span, args: Record<string, Node | Value>): Node {
  const given = Object.entries(args).map(([name, value]): Given => ({ name, value: 'op' in value ? tensor(value) : value, span }));
  return field(apply(ctx, standardLayer(loaded, 'model/generate', layer), given, span), 'logits');
}

function field(value: Value, name: string): Node {
  const found = value.kind === 'record' ? value.fields.get(name) : undefined;
  if (found?.kind !== 'tensor') throw new Error(`std.model.generate gives no ${name}, but ${describe(value)}`);
  return found.node;
}

function logits(node: Node): Output {
  return { kind: 'output', name: 'logits', node };
}

function stateOutput(name: string, node: Node | undefined): Output[] {
  return node ? [{ kind: 'state', name, node }] : [];
}

function stored(dtype: Node['dtype']): StoredDtype {
  if (dtype === 'bool') throw new Error('truth values are never remembered');
  return dtype;
}
