/** Decoders alone and as the language model of LLaVA: hidden states, logits, log-probabilities, gradients, greedy answers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { apply } from '../../../compiler/elaborate/calls.ts';
import type { Given } from '../../../compiler/elaborate/calls.ts';
import { Context } from '../../../compiler/elaborate/context.ts';
import { evaluateIn } from '../../../compiler/elaborate/names.ts';
import type { Universe } from '../../../compiler/elaborate/names.ts';
import { tensor } from '../../../compiler/elaborate/values.ts';
import type { Value } from '../../../compiler/elaborate/values.ts';
import { gradients } from '../../../compiler/gradient/gradient.ts';
import { GraphBuilder } from '../../../compiler/graph/builder.ts';
import type { Node, Output } from '../../../compiler/graph/graph.ts';
import { parseExpression } from '../../../grammar/index.ts';
import { runGraph } from '../../support/run-graph.ts';
import type { Bench } from '../bench.ts';
import { check } from '../check.ts';
import type { Check } from '../check.ts';
import { compareAll, compareLoss } from './compare.ts';
import { hiddenStates } from './encoder.ts';
import { recordedTensor, storedWeights, universeOver } from './recording.ts';
import type { ModelRecording } from './recording.ts';

const TEXT = (name: string): string => `pivot 1
use std.model.scores.token_logp
language head = pretrained("${name}")
`;

/** The parts of a LLaVA folder, each by itself. */
const LLAVA_TEXT = (name: string): string => `pivot 1
use std.model.scores.token_logp
encoder eyes = pretrained("${name}", part: "vision_tower")
language head = pretrained("${name}", part: "language_model")
model mllm = eyes -> pretrained("${name}", part: "multi_modal_projector") -> head
`;

export async function checkDecoder(bench: Bench, recording: ModelRecording): Promise<Check[]> {
  const universe = universeOver(recording.folder, (recording.family === 'llava' ? LLAVA_TEXT : TEXT)(recording.name));
  const checks = await whole(bench, recording, universe);
  if (recording.tensors.has('long.input_ids')) checks.push(...(await long(bench, recording, universe)));
  checks.push(await greedy(bench, recording, universe));
  return checks;
}

/** Pictures of a reading: pixels of all rows, and the id that stands at each image token. */
interface Pictures {
  pixels: { shape: readonly number[]; data: ArrayLike<number> };
  token: number;
}

/** A decoder over rows of tokens, positions counted from 0, padding seen by nobody; with pictures, LLaVA's whole way. */
export class Reading {
  readonly ctx = new Context(new GraphBuilder());
  readonly hidden: Node;
  readonly table: Node;
  readonly logp: Node;
  readonly universe: Universe;
  readonly inputs: Record<string, number[]>;
  readonly image?: Node;
  readonly projected?: Node;

  constructor(universe: Universe, ids: ArrayLike<number>, mask: ArrayLike<number>, rows: number, pictures?: Pictures) {
    this.universe = universe;
    const b = this.ctx.builder;
    const length = ids.length / rows;
    const tokens = b.input('tokens', [rows, length], 'i32');
    const positions = b.input('positions', [rows, length], 'i32');
    const segments = b.input('segments', [rows, length], 'i32');
    this.inputs = {
      tokens: Array.from(ids),
      positions: Array.from(ids, (_, i) => i % length),
      segments: Array.from(mask, (m) => (m === 1 ? 0 : 3)),
      mask: Array.from(mask),
    };
    if (pictures) {
      this.inputs.image = Array.from(pictures.pixels.data);
      this.image = b.input('image', pictures.pixels.shape);
      this.projected = this.call('mllm.connector', { x: this.call('eyes', { pixels: this.image }) });
      const [count, each, width] = this.projected.shape;
      let next = 0;
      this.inputs.places = Array.from(ids, (id) => (id === pictures.token ? ++next : 0));
      if (next !== count * each) throw new Error(`${next} places for ${count * each} image tokens`);
      const places = b.input('places', [rows, length], 'i32');
      this.hidden = this.call('head', { seen: b.reshape(this.projected, [count * each, width]), places, tokens, positions, segments });
    } else {
      this.hidden = this.call('head', { tokens, positions, segments });
    }
    universe.pretrained.requireSound(universe.loaded.main.tree.span);
    const table = this.ctx.exposed.get('head.unembedding');
    if (table?.kind !== 'tensor') throw new Error('the decoder exposes no unembedding');
    this.table = table.node;
    const states = b.slice(this.hidden, [0, 0, 0], [rows, length - 1, this.hidden.shape[2]]);
    this.logp = this.call('token_logp', { states, table: this.table, targets: b.slice(tokens, [0, 1], [rows, length - 1]) });
  }

  /** The value of a layer of the text on tensors. */
  call(name: string, args: Record<string, Node>): Node {
    const { main } = this.universe.loaded;
    const { span } = main.tree;
    const given = Object.entries(args).map(([key, node]): Given => ({ name: key, value: tensor(node), span }));
    const value: Value = apply(this.ctx, evaluateIn(this.universe, main, parseExpression(name, 'parity').tree), given, span);
    if (value.kind !== 'tensor') throw new Error(`${name} gives no tensor`);
    return value.node;
  }

  /** Logits of the places `at` (column by row), [rows, picked, V]. */
  logitsAt(at: readonly number[][]): Node {
    const b = this.ctx.builder;
    const [rows, length, width] = this.hidden.shape;
    const parts = at.map((columns, row) =>
      b.concat(
        columns.map((column) => b.slice(this.hidden, [row, column, 0], [1, 1, width])),
        1,
      ),
    );
    if (parts.length !== rows || length === 0) throw new Error('a row of places for each row');
    return b.einsum('n a d, v d -> n a v', b.concat(parts, 0), this.table);
  }
}

async function whole(bench: Bench, recording: ModelRecording, universe: Universe): Promise<Check[]> {
  const ids = recordedTensor(recording, 'input_ids');
  const mask = recordedTensor(recording, 'attention_mask').data;
  const [rows, length] = ids.shape;
  const reading = new Reading(universe, ids.data, mask, rows, picturesOf(recording));
  const b = reading.ctx.builder;
  const real = b.input('mask', [rows, length], 'f32');
  const shown = b.reshape(real, [rows, length, 1]);
  // A target counts where it and the token before it are real.
  const both = b.mul(b.slice(real, [0, 1], [rows, length - 1]), b.slice(real, [0, 0], [rows, length - 1]));
  const counted = b.mul(reading.logp, both);
  const loss = b.neg(b.div(b.sum(counted), b.sum(both)));
  const places = recordedTensor(recording, 'logits_at');
  const at = Array.from({ length: rows }, (_, r) => Array.from(places.data.slice(r * places.shape[1], (r + 1) * places.shape[1])));
  const outputs: Output[] = [
    output('loss', loss),
    ...hiddenStates(reading.ctx, 'head.model').map((node, k) => output(`hidden.${k}`, b.mul(node, shown))),
    output('last_hidden_state', b.mul(reading.hidden, shown)),
    output('logits', reading.logitsAt(at)),
    output('logps', counted),
  ];
  if (reading.projected) {
    outputs.push(output('projected', reading.projected));
    hiddenStates(reading.ctx, 'eyes').forEach((node, k) => outputs.push(output(`vision.hidden.${k}`, node)));
  }
  const weights = [...reading.ctx.weights.values()];
  const wanted = weights.map((w) => ({ name: `grad.${w.stored?.name}`, node: w.node })).filter(({ name }) => recording.tensors.has(name));
  if (reading.image) wanted.push({ name: 'grad_pixel_values', node: reading.image });
  const slopes = gradients(
    b,
    loss,
    wanted.map(({ node }) => node),
  );
  wanted.forEach(({ name }, i) => {
    const node: Node | undefined = slopes[i];
    if (node) outputs.push(output(name, node));
  });
  const found = await run(bench, recording, reading, outputs);
  const names = [...recording.tensors.keys()].filter((name) => name in found || name.startsWith('grad.'));
  return [compareLoss(recording, recording.name, 'loss', found.loss), ...compareAll(recording, found, recording.name, names)];
}

async function long(bench: Bench, recording: ModelRecording, universe: Universe): Promise<Check[]> {
  const ids = recordedTensor(recording, 'long.input_ids').data;
  const reading = new Reading(universe, ids, new Int32Array(ids.length).fill(1), 1);
  const outputs = [output('long.last_hidden_state', reading.hidden), output('long.logps', reading.logp)];
  return compareAll(
    recording,
    await run(bench, recording, reading, outputs),
    `${recording.name} long`,
    Object.keys({ 'long.last_hidden_state': 0, 'long.logps': 0 }),
  );
}

/** The recorded pictures, or one of them. */
function picturesOf(recording: ModelRecording, only?: number): Pictures | undefined {
  const pixels = recording.tensors.get('pixel_values');
  if (!pixels) return undefined;
  const config = JSON.parse(readFileSync(join(recording.folder, recording.name, 'config.json'), 'utf8')) as Record<string, unknown>;
  const token = Number(config.image_token_index ?? config.image_token_id);
  if (only === undefined) return { pixels, token };
  const size = pixels.data.length / pixels.shape[0];
  return { pixels: { shape: [1, ...pixels.shape.slice(1)], data: pixels.data.slice(only * size, (only + 1) * size) }, token };
}

/** Each recorded token must be the likeliest after those before it: then greedy decoding gives the same answer. */
async function greedy(bench: Bench, recording: ModelRecording, universe: Universe): Promise<Check> {
  const arrays = [];
  for (const [i, { prompt_ids, new_ids, pixel_row }] of recording.generation.entries()) {
    const ids = [...prompt_ids, ...new_ids];
    const shown = pixel_row === undefined ? undefined : picturesOf(recording, pixel_row);
    const reading = new Reading(
      universe,
      ids,
      ids.map(() => 1),
      1,
      shown,
    );
    const at = new_ids.map((_, k) => prompt_ids.length - 1 + k);
    const { logits } = await run(bench, recording, reading, [output('logits', reading.logitsAt([at]))]);
    arrays.push({ name: `generation ${i}`, found: likeliest(logits, new_ids.length), wanted: new_ids });
  }
  return check(`${recording.name}: greedy answers, token for token`, 0, 'absolute', arrays);
}

export function likeliest(logits: ArrayLike<number>, rows: number): number[] {
  const width = logits.length / rows;
  return Array.from({ length: rows }, (_, r) => {
    let best = 0;
    for (let v = 1; v < width; v++) if (logits[r * width + v] > logits[r * width + best]) best = v;
    return best;
  });
}

async function run(bench: Bench, recording: ModelRecording, reading: Reading, outputs: Output[]): Promise<Record<string, Float64Array>> {
  const { ctx, inputs } = reading;
  const bindings = {
    input: inputs,
    state: await storedWeights(recording.folder, ctx.weights.values()),
    scalar: Object.fromEntries(ctx.scalars),
  };
  return (await runGraph(bench.open, { outputs }, bindings, { fuse: true, target: bench.target })).output;
}

function output(name: string, node: Node): Output {
  return { kind: 'output', name, node };
}
