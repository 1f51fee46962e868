/** Adapters in models that a layer makes of parts: towers, and arrows named as a whole. */
import { expect, test } from '@jest/globals';
import { example } from '../../grammar/diagnostics/example.ts';
import type { TrainTask } from '../../plan/plan.ts';
import { compileText } from '../support/compile-text.ts';

const TOWERS = {
  uses: 'use std.vision.vit\nuse std.language.bag_of_words\nuse std.model.towers\nuse std.data.scenes\nuse std.loss.siglip\nuse std.optim.adamw',
  language: 'encoder words = bag_of_words(tokenizer: scenes.words, width: 16)',
  model: 'model clip = towers(encoder: eyes, text: words, width: 16)',
  data: 'data pairs = scenes.tags(count: 64)',
  loss: 'loss siglip\n  model clip',
};

function tasksOf(text: string): TrainTask[] {
  const { plan, diagnostics } = compileText(text);
  expect(diagnostics).toEqual([]);
  return plan?.tasks.filter((task): task is TrainTask => task.kind === 'train') ?? [];
}

const trained = (task: TrainTask): string[] => task.state.flatMap((s) => (s.trained ? [s.name] : []));
const factors = (part: string): string[] => ['lora_A', 'lora_B'].map((side) => `${part}.blocks.0.attention.query.${side}.weight`);

test('an encoder of two towers has its adapter, and keeps it in later stages', () => {
  const more = 'stage later from tune {\n  train within(clip, "image_map")\n  model clip\n  on pairs\n  loss siglip\n  optimize adamw(lr: 1e-3)\n  batch 8\n  steps 4\n}'; // prettier-ignore
  const [tune, later] = tasksOf(example({ ...TOWERS, train: 'train lora(eyes, rank: 2, targets: ["query"])', more }));
  expect(trained(tune)).toEqual([...factors('eyes'), 'siglip.log_temperature', 'siglip.bias']);
  expect(trained(later).filter((name) => name.includes('lora'))).toEqual([]);
  for (const name of factors('eyes')) expect(later.state.find((s) => s.name === name)?.source).toMatchObject({ task: 'tune@0' });
});

test('an adapter of a whole model is for the parts that have such matrices', () => {
  const [towers] = tasksOf(example({ ...TOWERS, train: 'train lora(clip, rank: 2, targets: ["query"])' }));
  expect(trained(towers)).toEqual(expect.arrayContaining(factors('eyes')));
  const [arrow] = tasksOf(example({ train: 'train lora(mllm, rank: 2, targets: ["query"])' }));
  expect(trained(arrow)).toEqual([...factors('eyes'), ...factors('head')]);
});
