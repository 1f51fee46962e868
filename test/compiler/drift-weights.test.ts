/** What `drift` compares where two stages train different weights of an encoder: all of them, each where it lies. */
import { expect, test } from '@jest/globals';
import { example } from '../../grammar/diagnostics/example.ts';
import type { ScoreTask } from '../../plan/plan.ts';
import { compileText, laterStage } from '../support/compile-text.ts';

const USES =
  'use std.vision.vit\nuse std.language.decoder\nuse std.connector.mlp.merge\nuse std.data.scenes\nuse std.loss.sft\nuse std.optim.adamw\nuse std.probe.drift';

test('weights that only one of the two stages trained are compared too', () => {
  const after = laterStage('layers(eyes, 0..1)') + 'probe moved = drift(later.eyes, start: tune.eyes, on: scenes.objects)\n';
  const text = example({ uses: USES, train: 'train [within(eyes, "patch"), mllm.connector]', more: after });
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

test('an adapter counts as the change of its matrix, not as weights of its own', () => {
  const after =
    laterStage('lora(eyes, rank: 2, targets: ["query"])') + 'probe moved = drift(later.eyes, start: tune.eyes, on: scenes.objects)\n';
  const { plan, diagnostics } = compileText(example({ uses: USES, more: after }));
  expect(diagnostics).toEqual([]);
  const score = plan?.tasks.find((task): task is ScoreTask => task.kind === 'score');
  const [now, before] = ['weights_now', 'weights_before'].map((name) => score?.weights?.[name] ?? []);
  expect(now.map(({ name }) => name)).toEqual(before.map(({ name }) => name));
  const changed = now.filter(({ merge }) => merge);
  expect(changed.map(({ name }) => name)).toEqual(['eyes.blocks.0.attention.query.w']);
  expect(changed[0].source).toMatchObject({ from: 'task', task: 'tune@0' });
  expect(changed[0].merge).toMatchObject({ rank: 2, down: { task: 'later@0' }, up: { task: 'later@0' } });
  expect(before.some(({ merge }) => merge)).toBe(false);
});
