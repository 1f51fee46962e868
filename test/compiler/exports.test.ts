/** Exports as a text names them: which weights they take, and names that are refused before anything is trained. */
import { expect, test } from '@jest/globals';
import { example } from '../../grammar/diagnostics/example.ts';
import type { ExportTask } from '../../plan/plan.ts';
import { compileText, laterStage } from '../support/compile-text.ts';

const AFTER = laterStage('mllm.connector');

function exported(...lines: string[]): { tasks: ExportTask[]; faults: string[] } {
  const text = example({
    encoder: 'encoder eyes = pretrained("siglip2")',
    data: 'data pairs = scenes.preferences(count: 64, size: 48px)',
    language: 'language head = decoder(tokenizer: scenes.words, width: 16, depth: 1, heads: 2, context: 64)',
    uses: 'use std.language.decoder\nuse std.connector.mlp.mlp\nuse std.data.scenes\nuse std.loss.sft\nuse std.optim.adamw',
    model: 'model mllm = eyes -> mlp() -> head',
    loss: 'loss sft',
    train: 'train layers(eyes, 0..1)',
    more: [AFTER, ...lines, ''].join('\n'),
  });
  const { plan, diagnostics } = compileText(text, {}, 'test/fixtures/models');
  return {
    tasks: plan?.tasks.filter((task): task is ExportTask => task.kind === 'export') ?? [],
    faults: diagnostics.flatMap(({ severity, message }) => (severity === 'error' ? [message] : [])),
  };
}

test('a folder has what an earlier stage trained too', () => {
  const { tasks, faults } = exported('export later.eyes as "late/"', 'export tune.eyes as "early/"');
  expect(faults).toEqual([]);
  const [late, early] = tasks;
  expect(late.tensors.length).toBeGreaterThan(10);
  expect(late.tensors).toEqual(early.tensors);
  expect(new Set(late.tensors.map(({ source }) => (source.from === 'task' ? source.task : source.from)))).toEqual(new Set(['tune@0']));
});

test('names by which nothing can be written, or something would be lost', () => {
  for (const name of ['', '/', 'eyes', 'eyes.bin'])
    expect(exported(`export tune.eyes as "${name}"`).faults).toEqual([expect.stringContaining('is neither')]);
  for (const name of ['siglip2/', './siglip2//'])
    expect(exported(`export tune.eyes as "${name}"`).faults).toEqual([expect.stringContaining('would be written over')]);
  expect(exported('export tune.eyes as "out/"', 'export later.eyes as "./out/"').faults).toEqual([
    expect.stringContaining('exported twice'),
  ]);
});
