/** What `drift` compares where two stages train different weights of an encoder: all of them, each where it lies. */
import { expect, test } from '@jest/globals';
import { example } from '../../grammar/diagnostics/example.ts';
import type { ScoreTask } from '../../plan/plan.ts';
import { compileText } from '../support/compile-text.ts';

test('weights that only one of the two stages trained are compared too', () => {
  const after = `stage later from tune {
  train layers(eyes, 0..1)
  model mllm
  on pairs
  loss sft
  optimize adamw(lr: 1e-3)
  batch 8
  steps 4
}
probe moved = drift(later.eyes, start: tune.eyes, on: scenes.objects)
`;
  const uses =
    'use std.vision.vit\nuse std.language.decoder\nuse std.connector.mlp.merge\nuse std.data.scenes\nuse std.loss.sft\nuse std.optim.adamw\nuse std.probe.drift';
  const text = example({ uses, train: 'train [within(eyes, "patch"), mllm.connector]', more: after });
  const { plan, diagnostics } = compileText(text);
  expect(diagnostics).toEqual([]);
  const score = plan?.tasks.find((task): task is ScoreTask => task.kind === 'score');
  const sources = (name: string): Record<string, string> =>
    Object.fromEntries(score?.weights?.[name].map(({ name, source }) => [name, source.from === 'task' ? source.task : source.from]) ?? []);
  const [now, before] = [sources('weights_now'), sources('weights_before')];
  expect(Object.keys(now)).toEqual(Object.keys(before));
  const at = 'eyes.blocks.0.norm1.scale';
  expect([now['eyes.patch.w'], before['eyes.patch.w']]).toEqual(['tune@0', 'tune@0']);
  expect([now['eyes.position'], before['eyes.position']]).toEqual(['init', 'init']);
  expect([now[at], before[at]]).toEqual(['later@0', 'init']);
});
