/** Encoders: hidden states, the last tokens, gradients of a recorded loss, and the same at other resolutions. Heads are compared in heads.ts. */
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
import { checkHead } from './heads.ts';
import { recordedTensor, storedWeights, universeOver } from './recording.ts';
import type { ModelRecording } from './recording.ts';

/** Families without a head: what they call pooled is the last class token. */
const POOLED_BY_CLASS = ['dinov2', 'dinov2_with_registers', 'mocov3', 'timm'];

export async function checkEncoder(bench: Bench, recording: ModelRecording): Promise<Check[]> {
  const resolutions = [...recording.tensors.keys()].flatMap((name) => /^at\.(\w+)\.pixel_values$/.exec(name)?.[1] ?? []);
  const checks = [...(await run(bench, recording, '')), ...(await checkHead(bench, recording))];
  for (const resolution of resolutions) checks.push(...(await run(bench, recording, `at.${resolution}.`)));
  return checks;
}

/** One forward and backward pass; `prefix` is that of the recorded tensors. */
async function run(bench: Bench, recording: ModelRecording, prefix: string): Promise<Check[]> {
  const universe = universeOver(recording.folder, `pivot 1\nencoder eyes = pretrained("${recording.name}")\n`);
  const { main } = universe.loaded;
  const ctx = new Context(new GraphBuilder());
  const b = ctx.builder;
  const span = main.tree.span;
  const pixels = recordedTensor(recording, `${prefix}pixel_values`);
  const lossWeight = recordedTensor(recording, `${prefix}loss_weight`);
  const image = b.input('image', pixels.shape);
  const eyes = evaluateIn(universe, main, parseExpression('eyes', 'parity').tree);
  const last = apply(ctx, eyes, [{ value: tensor(image), span }], span);
  if (last.kind !== 'tensor') throw new Error(`${recording.name} gives no tensor`);
  universe.pretrained.requireSound(span);
  const weighted = b.mul(last.node, b.input('loss_weight', lossWeight.shape));
  const loss = b.div(b.sum(weighted), b.constant(lossWeight.data.length));
  const outputs: Output[] = [
    { kind: 'output', name: 'loss', node: loss },
    ...hiddenStates(ctx, 'eyes').map((node, k): Output => ({ kind: 'output', name: `${prefix}hidden.${k}`, node })),
    { kind: 'output', name: `${prefix}last_hidden_state`, node: last.node },
  ];
  if (prefix === '' && POOLED_BY_CLASS.includes(recording.family)) {
    const [n, , width] = last.node.shape;
    outputs.push({ kind: 'output', name: 'pooled', node: b.reshape(b.slice(last.node, [0, 0, 0], [n, 1, width]), [n, width]) });
  }
  const weights = [...ctx.weights.values()];
  const wanted = weights
    .map((w) => ({ name: `${prefix}grad.${w.stored?.name}`, node: w.node }))
    .filter(({ name }) => recording.tensors.has(name));
  if (prefix === '') wanted.push({ name: 'grad_pixel_values', node: image });
  const slopes = gradients(b, loss, wanted.map(({ node }) => node)); // prettier-ignore
  wanted.forEach(({ name }, i) => {
    const node: Node | undefined = slopes[i];
    if (node) outputs.push({ kind: 'output', name, node });
  });
  const bindings = {
    input: { image: [...pixels.data], loss_weight: [...lossWeight.data] },
    state: await storedWeights(recording.folder, weights),
    scalar: Object.fromEntries(ctx.scalars),
  };
  const found = (await runGraph(bench.open, { outputs }, bindings, { fuse: true, target: bench.target })).output;
  const names = [...recording.tensors.keys()].filter(
    (name) => outputs.some((o) => o.name === name) || (name.startsWith(`${prefix}grad.`) && wanted.some((w) => w.name === name)),
  );
  const what = `${recording.name}${prefix === '' ? '' : ` ${prefix.slice(0, -1)}`}`;
  return [...(prefix === '' ? [compareLoss(recording, what, 'loss', found.loss)] : []), ...compareAll(recording, found, what, names)];
}

/** The input of the first block, and what each block gave. */
export function hiddenStates(ctx: Context, path: string): Node[] {
  const blocks = [...ctx.returned].flatMap(([name, value]) => {
    const at = new RegExp(`^${path}\\.(?:(?:encoder|model)\\.)?(?:layers?|blocks)\\.(\\d+)$`).exec(name);
    return at && value.kind === 'tensor' ? [{ at: Number(at[1]), node: value.node }] : [];
  });
  const first = ctx.exposed.get(`${path}.embedded`);
  if (first?.kind !== 'tensor') throw new Error(`${path} exposes no \`embedded\``);
  return [first.node, ...blocks.sort((a, b) => a.at - b.at).map(({ node }) => node)];
}
