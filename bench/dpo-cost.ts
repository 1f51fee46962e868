/**
 * What a step of preference optimisation costs, in floating-point operations of compiled programs. Ours packs both answers behind one
 * image and one prompt and reads the reference's log-probabilities from a cache; the usual way (TRL's) runs image, prompt and
 * answer once for each answer, and the reference beside the policy at every step.
 *
 * The usual way is put together from a supervised step on twice as many rows of one answer each (forward, backward, optimizer) and the
 * forward pass of the same rows for the reference: the two losses differ by a few operations a row. The compiler's own
 * `pack separate`, `reference live` stands beside it; that program sees that both answers have the same image and encodes it once.
 */
import { nodeHost, packageRoot } from '../cli/host.ts';
import { compile } from '../compiler/compile.ts';
import { formatDiagnostics } from '../grammar/index.ts';
import type { TrainTask } from '../plan/plan.ts';
import type { Program, Target } from '../plan/program.ts';

interface Case {
  name: string;
  pairs: number;
  /** Declarations of `mllm`, and of `rows`: preference pairs. */
  model: string;
}

const USES = `pivot 1
use std.vision.vit
use std.language.decoder
use std.connector.mlp
use std.connector.mlp.merge
use std.data.scenes
use std.loss.{ sft, dpo }
use std.optim.adamw
`;

const CASES: readonly Case[] = [
  {
    name: 'quickstart: 9 image tokens, 7 prompt, 20 + 20 answers; ViT 3 x 64, decoder 2 x 64',
    pairs: 32,
    model: `
encoder  eyes = vit(image: 24px, patch: 4px, width: 64, depth: 3, heads: 4)
language head = decoder(tokenizer: scenes.words, width: 64, depth: 2, heads: 4, context: 36)
model    mllm = eyes -> merge(hidden: 128) -> head
data     rows = scenes.preferences(count: 64)
`,
  },
  {
    name: 'peers: 64 image tokens, 16 prompt, 8 + 8 answers; ViT 4 x 192, decoder 4 x 192',
    pairs: 16,
    model: `
source pairs(count: int) -> pairs = native("scenes.preferences", tokenizer: scenes.words, image: 64px, prompt: 16, answer: 8)
encoder  eyes = vit(image: 64px, patch: 8px, width: 192, depth: 4, heads: 6)
language head = decoder(tokenizer: scenes.words, width: 192, depth: 4, heads: 6, context: 96)
model    mllm = eyes -> mlp -> head
data     rows = pairs(count: 64)
`,
  },
];

/** Passes over the data that the reference pass is spread over. */
export const EPOCHS = 3;

export interface DpoCost {
  name: string;
  pairs: number;
  /** Operations of one step. */
  packedCached: number;
  separateLive: number;
  usual: number;
  /** Operations of the reference's pass over the rows of one step: once for each row of the data, whatever the epochs. */
  reference: number;
  /** Packed and cached, as a share of the usual way: a step, and with the reference's pass spread over EPOCHS epochs and over one. */
  share: number;
  shareSpread: number;
  shareOneEpoch: number;
}

export function dpoCosts(target: Target): DpoCost[] {
  return CASES.map(({ name, pairs, model }) => {
    const flops = (loss: string, batch: number, ...fields: string[]) => {
      const programs = compiled(`${USES}${model}${stage(loss, batch, fields)}`, target);
      return (role: string): number => programs(role).flops;
    };
    const packed = flops('dpo(beta: 0.1)', pairs);
    const separate = flops('dpo(beta: 0.1)', pairs, 'pack separate', 'reference live');
    const supervised = flops('sft', 2 * pairs, 'eval every 1 steps on rows');
    const usual = supervised('step') + supervised('forward');
    const [packedCached, reference] = [packed('step'), packed('reference')];
    return {
      name,
      pairs,
      packedCached,
      separateLive: separate('step'),
      usual,
      reference,
      share: packedCached / usual,
      shareSpread: (packedCached + reference / EPOCHS) / usual,
      shareOneEpoch: (packedCached + reference) / usual,
    };
  });
}

function stage(loss: string, batch: number, fields: readonly string[]): string {
  const lines = ['train mllm', 'on rows', `loss ${loss}`, 'optimize adamw(lr: 1e-3)', 'clip 1.0', `batch ${batch}`, 'steps 1', ...fields];
  return `stage tune {\n${lines.join('\n')}\n}\n`;
}

/** The programs of the text's only training task, by role. */
function compiled(text: string, target: Target): (role: string) => Program {
  const name = 'cost.pivot';
  const host = nodeHost(packageRoot());
  const { plan, diagnostics, texts } = compile(
    name,
    { ...host, read: (path) => (path === name ? text : host.read(path)) },
    { targets: [target] },
  );
  const task = plan?.tasks.find((one): one is TrainTask => one.kind === 'train');
  if (!plan || !task) throw new Error(formatDiagnostics(diagnostics, texts));
  return (role) => plan.programs[task.programs[target.name][role]];
}
