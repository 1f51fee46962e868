/**
 * A small model of two checkpoints whose image tokens stand among its tokens, with weights drawn by their names: its programs that decode
 * with a cache, and one that runs whole sequences and knows no cache.
 */
import { resolve } from 'node:path';
import { nodeHost } from '../../cli/host.ts';
import { apply } from '../../compiler/elaborate/calls.ts';
import { Context } from '../../compiler/elaborate/context.ts';
import { evaluateIn, openUniverse } from '../../compiler/elaborate/names.ts';
import type { Value } from '../../compiler/elaborate/values.ts';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { loadModules } from '../../compiler/modules/modules.ts';
import { collateFor, declareInputs, standardLayer } from '../../compiler/pipeline/batch.ts';
import { decodeGraphs } from '../../compiler/pipeline/decode.ts';
import type { DecodeGraphs } from '../../compiler/pipeline/decode.ts';
import type { Span } from '../../grammar/index.ts';

const textOf = (prompt: number, answer: number): string => `pivot 1
use std.connector.mlp.mlp
use std.data.files

encoder  eyes = pretrained("siglip2")
language head = pretrained("qwen2-bf16-sharded")
model    mllm = eyes -> mlp() -> head
data     rows = files.captions(folder: "rows", tokenizer: head.tokenizer, count: 4, size: 48px, prompt: ${prompt}, answer: ${answer}, pictures: 2)
`;

const SPAN: Span = { file: 'chat.pivot', start: 0, end: 0, line: 1, column: 1, endLine: 1, endColumn: 1 };

export function chatModel({ prompt = 9, answer = 10 } = {}) {
  const text = textOf(prompt, answer);
  const real = nodeHost(resolve('test/fixtures/models'));
  const host = { ...real, read: (path: string) => (path === 'chat.pivot' ? text : real.read(path)) };
  const loaded = loadModules('chat.pivot', host, ['std.model.vision_language', 'std.model.generate', 'std.pretrained.architectures']);
  if (loaded.diagnostics.length > 0) throw new Error(loaded.diagnostics.map((d) => d.message).join('\n'));
  const universe = openUniverse(loaded, host, new Map());
  const named = (name: string): Value => evaluateIn(universe, loaded.main, { kind: 'Identifier', name, span: SPAN });
  const [model, data] = [named('mllm'), named('rows')];
  if (model.kind !== 'model' || data.kind !== 'data') throw new Error('the text declares no mllm or no rows');
  const collate = collateFor(model, data, false, SPAN);
  if (collate.layout !== 'answers') throw new Error('the rows have no answers');
  return { loaded, model, collate, span: SPAN };
}

export type ChatModel = ReturnType<typeof chatModel>;

export function chatDecoder({ loaded, model, collate, span }: ChatModel, rows: number): DecodeGraphs {
  const graphs = decodeGraphs(loaded, model, collate, rows, span);
  if (!graphs) throw new Error('the model cannot be decoded');
  return graphs;
}

/** The whole row at once, without a cache; output `logits` [rows, answer, V], each before its token. */
export function chatWhole({ loaded, model, collate, span }: ChatModel, rows: number): Graph {
  if (model.form.kind !== 'arrow') throw new Error('the model is an arrow');
  const ctx = new Context(new GraphBuilder());
  const b = ctx.builder;
  const inputs = declareInputs(ctx, collate, rows);
  const input = (name: string): Value => inputs.get(name) as Value;
  const image = input('image');
  if (image.kind !== 'tensor') throw new Error('pictures are a tensor');
  const [, pictures, ...one] = image.node.shape;
  const { encoder, connector, language } = model.form;
  const given = {
    image: { kind: 'tensor', node: b.reshape(image.node, [rows * pictures, ...one]) } as Value,
    tokens: input('tokens'),
    positions: input('position'),
    segments: input('segment'),
    seen: input('seen'),
    encoder,
    connector,
    language,
  };
  const hidden = apply(
    ctx,
    standardLayer(loaded, 'model/vision_language', 'read_row'),
    Object.entries(given).map(([name, value]) => ({ name, value, span })),
    span,
  );
  const table = ctx.exposed.get(`${language.path}.unembedding`);
  if (hidden.kind !== 'tensor' || table?.kind !== 'tensor') throw new Error('the model gives no states');
  const [, places, width] = hidden.node.shape;
  const states = b.slice(hidden.node, [0, places - collate.answer - 1, 0], [rows, collate.answer, width]);
  return { outputs: [{ kind: 'output', name: 'logits', node: b.einsum('n a d, v d -> n a v', states, table.node) }] };
}
