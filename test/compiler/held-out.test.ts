/** Rows that probes ask for: a split where a source has splits, files as the text names them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { packageRoot } from '../../cli/host.ts';
import { compileText } from '../support/compile-text.ts';

const TINY = readFileSync(join(packageRoot(), 'test', 'cli', 'tiny.pivot'), 'utf8');

function dataOf(more: string) {
  const text = `${TINY}\nuse std.data.files\nuse std.probe.answering.answering\n${more}`;
  const { plan, diagnostics } = compileText(text, {}, packageRoot());
  const data = plan?.tasks.flatMap((task) => (task.kind === 'sample' ? [task.data] : []));
  return { data, codes: diagnostics.map(({ code }) => code) };
}

const FILES = 'folder: "examples/rows", tokenizer: scenes.words, size: 24px, prompt: 7, answer: 20';

test.each([
  ['all of fewer than are asked for', `data held = files.captions(${FILES}, count: 5)\nprobe said = answering(tune, on: held)`, 5],
  ['as many as are asked for', `data held = files.captions(${FILES}, count: 5)\nprobe said = answering(tune, on: held, rows: 3)`, 3],
  ['files without a count', `probe said = answering(tune, on: files.captions(${FILES}), rows: 3)`, 3],
])('files: %s', (_, text, count) => {
  const { data, codes } = dataOf(text);
  expect(codes).toEqual([]);
  expect(data).toMatchObject([{ source: 'files.captions', count }]);
  expect(data?.[0].params).not.toHaveProperty('split');
});

test('a source with splits gives its held-out rows, whatever the text counts', () => {
  const { data, codes } = dataOf('probe said = answering(tune, on: scenes.captions(count: 5), rows: 6)');
  expect(codes).toEqual([]);
  expect(data).toMatchObject([{ source: 'scenes.captions', params: { split: 'held-out' }, count: 6 }]);
});

test('files have no second set of rows to fit on', () => {
  const probe =
    'probe own(subject: model, on: answers) {\n  let said = subject.sample(on(split: "probe", count: 3))\n  score answering(said: said)\n}';
  expect(dataOf(`${probe}\nprobe said = own(tune, on: files.captions(${FILES}))`).codes).toEqual(['P0209']);
});

test('fewer than one row are none', () => {
  for (const more of [`data held = files.captions(${FILES}, count: 0)`, `data held = files.captions(${FILES}, count: -3)`])
    expect(dataOf(`${more}\nprobe said = answering(tune, on: held)`).codes).toEqual(['P0320']);
  expect(dataOf(`probe said = answering(tune, on: files.captions(${FILES}), rows: 0)`).codes).toEqual(['P0320']);
});

test('a stage is not trained on pairs of what it leaves', () => {
  const stage = 'stage later from tune {\n  train mllm\n  on own\n  loss dpo\n  optimize adamw(lr: 1e-3)\n  batch 2\n  steps 2\n}';
  const own = (of: string) =>
    `use std.loss.dpo\ndata own = sample(${of}, on: scenes.captions(count: 5), per_prompt: 2, rank: "overlap")\n${stage}`;
  expect(dataOf(own('tune')).codes).toEqual([]);
  expect(dataOf(own('later')).codes).toEqual(['P0205']);
});
