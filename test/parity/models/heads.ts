/** Heads of encoders: pooled, projected and classified outputs, and the gradients of a recorded loss on the last of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { apply } from '../../../compiler/elaborate/calls.ts';
import { Context } from '../../../compiler/elaborate/context.ts';
import { evaluateIn } from '../../../compiler/elaborate/names.ts';
import { tensor } from '../../../compiler/elaborate/values.ts';
import { gradients } from '../../../compiler/gradient/gradient.ts';
import { GraphBuilder } from '../../../compiler/graph/builder.ts';
import type { Node, Output } from '../../../compiler/graph/graph.ts';
import { parseExpression } from '../../../grammar/index.ts';
import { runGraph } from '../../support/run-graph.ts';
import type { Bench } from '../bench.ts';
import type { Check } from '../check.ts';
import { compareAll, compareLoss } from './compare.ts';
import { recordedTensor, storedWeights, universeOver } from './recording.ts';
import type { ModelRecording } from './recording.ts';

/** The head of a recording: its layer of the standard library, where that lies in a checkpoint, and the name of what it gives. */
interface Head {
  layer: string;
  architecture: string;
  given?: string;
  gives: string;
}

function headOf({ family, tensors }: ModelRecording): Head | undefined {
  const loss = tensors.get('head_loss_weight');
  if (!loss) return undefined;
  if (tensors.has('image_embeds_raw'))
    return { layer: 'clip.clip_image', architecture: 'config: "vision_config", tensors: [""]', gives: 'image_embeds_raw' };
  if (tensors.has('logits'))
    return { layer: 'vit.vit_classifier', architecture: 'tensors: [""]', given: `, num_labels: ${loss.shape[1]}`, gives: 'logits' };
  if (family.startsWith('siglip'))
    return { layer: 'siglip.siglip_pooled', architecture: 'config: "vision_config", tensors: ["vision_model."]', gives: 'pooled' };
  return { layer: 'vit.vit_pooled', architecture: 'tensors: ["vit.", ""]', gives: 'pooled' };
}

/** A text whose own architecture puts the head's layer in the place of the encoder alone. */
function textOf({ name, folder }: ModelRecording, { layer, architecture, given = '' }: Head): string {
  return `pivot 1
use std.pretrained.${layer}
use std.model.towers.unit
architecture ${modelType(folder, name)} = checkpoint(layer: ${layer.split('.')[1]}, ${architecture})
encoder eyes = pretrained("${name}"${given})
`;
}

function modelType(folder: string, name: string): string {
  const config = JSON.parse(readFileSync(join(folder, name, 'config.json'), 'utf8')) as { model_type: string };
  return config.model_type;
}

export async function checkHead(bench: Bench, recording: ModelRecording): Promise<Check[]> {
  const head = headOf(recording);
  if (!head) return [];
  const universe = universeOver(recording.folder, textOf(recording, head));
  const { main } = universe.loaded;
  const { span } = main.tree;
  const ctx = new Context(new GraphBuilder());
  const b = ctx.builder;
  const call = (name: string, x: Node): Node => {
    const value = apply(ctx, evaluateIn(universe, main, parseExpression(name, 'parity').tree), [{ value: tensor(x), span }], span);
    if (value.kind !== 'tensor') throw new Error(`${name} of ${recording.name} gives no tensor`);
    return value.node;
  };
  const pixels = recordedTensor(recording, 'pixel_values');
  const lossWeight = recordedTensor(recording, 'head_loss_weight');
  const image = b.input('image', pixels.shape);
  const result = call('eyes', image);
  universe.pretrained.requireSound(span);
  const weighted = b.mul(result, b.input('loss_weight', lossWeight.shape));
  const loss = b.div(b.sum(weighted), b.constant(lossWeight.data.length));
  const outputs = [output('head_loss', loss), output(head.gives, result)];
  const pooled = ctx.exposed.get('eyes.pooled');
  if (pooled?.kind === 'tensor') outputs.push(output('pooled', pooled.node));
  if (recording.tensors.has('image_embeds')) outputs.push(output('image_embeds', call('unit', result)));
  const weights = [...ctx.weights.values()];
  const wanted = weights
    .map((w) => ({ name: `head_grad.${w.stored?.name}`, node: w.node }))
    .concat({ name: 'head_grad_pixel_values', node: image });
  const slopes = gradients(b, loss, wanted.map(({ node }) => node)); // prettier-ignore
  wanted.forEach(({ name }, i) => {
    const node: Node | undefined = slopes[i];
    if (node && recording.tensors.has(name)) outputs.push(output(name, node));
  });
  const bindings = {
    input: { image: [...pixels.data], loss_weight: [...lossWeight.data] },
    state: await storedWeights(recording.folder, weights),
    scalar: Object.fromEntries(ctx.scalars),
  };
  const found = (await runGraph(bench.open, { outputs }, bindings, { fuse: true, target: bench.target })).output;
  // A gradient that was recorded and not found is a miss, so names are those of the recording.
  const names = [...recording.tensors.keys()].filter((name) => name in found || /^head_grad[._]/.test(name));
  const what = `${recording.name} head`;
  return [compareLoss(recording, what, 'head_loss', found.head_loss), ...compareAll(recording, found, what, names)];
}

function output(name: string, node: Node): Output {
  return { kind: 'output', name, node };
}
