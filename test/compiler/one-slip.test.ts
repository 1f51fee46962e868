/** One slip in a text is one error: nothing follows from it in other declarations, stages or arms. */
import { expect, test } from '@jest/globals';
import { example } from '../../grammar/diagnostics/example.ts';
import { compileText } from '../support/compile-text.ts';

const sound = example({
  rest: 'batch 8\n  steps 4',
  more: 'stage later from tune {\n  train mllm\n  on pairs\n  loss dpo(beta: 0.1, reference: tune)\n  optimize adamw(lr: 1e-3)\n  batch 8\n  steps 4\n}',
});

test('the text is sound', () => {
  expect(compileText(sound).diagnostics).toEqual([]);
});

test.each([
  ['a missing comma in a call', 'patch: 4px,', 'patch: 4px', 'P0101'],
  ['a missing comma in a list of names', '{ sft, dpo }', '{ sft dpo }', 'P0101'],
  ['a comma of another script', 'beta: 0.1,', 'beta: 0.1，', 'P0109'],
  ['a colon of another script', 'beta:', 'beta：', 'P0109'],
  ['parentheses of another script', 'merge()', 'merge（）', 'P0109'],
  ['a blank that does not break', 'steps 4', 'steps\u00a04', 'P0109'],
  ['a blank without width', 'steps 4', 'steps \u200b4', 'P0109'],
  ['a semicolon', 'batch 8\n', 'batch 8;\n', 'P0109'],
  ['an argument named with =', 'beta: 0.1', 'beta = 0.1', 'P0101'],
  ['a keyword misspelt', 'encoder', 'encodr', 'P0103'],
  ['a keyword of data misspelt', '\ndata ', '\ndta ', 'P0103'],
  [
    'a bracket left open',
    'vit(image: 24px, patch: 4px, width: 16, depth: 1, heads: 2)',
    'vit(image: 24px, patch: 4px, width: 16, depth: 1, heads: 2',
    'P0102',
  ],
  ['a bracket too many', 'heads: 2)', 'heads: 2))', 'P0104'],
  ['a string left open', 'scenes.preferences(count: 64)', 'scenes.preferences(split: "train, count: 64)', 'P0108'],
  ['a unit that is none', 'image: 24px', 'image: 24pixels', 'P0110'],
  ['a value that is missing', 'model mllm = eyes', 'model mllm = ', 'P0101'],
  ['an operator that is doubled', 'data pairs = ', 'data pairs = = ', 'P0101'],
])('%s', (_, written, slip, code) => {
  expect(sound).toContain(written);
  const { diagnostics } = compileText(sound.replace(written, slip));
  expect(diagnostics.map((d) => d.code)).toEqual([code]);
});
