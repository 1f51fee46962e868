/** Fields of stages that say nothing, or what cannot be: none is passed over. */
import { describe, expect, test } from '@jest/globals';
import { example } from '../../grammar/diagnostics/example.ts';
import { compileText } from '../support/compile-text.ts';

function faults(line: string): [string, string][] {
  const text = example({ rest: `batch 8\n  steps 4\n  ${line}` });
  return compileText(text).diagnostics.map(({ code, message }) => [code, message]);
}

describe('fields', () => {
  test('that have no value', () => {
    for (const name of ['clip', 'freeze', 'recompute', 'reference', 'pack', 'start'])
      expect(faults(name)).toEqual([['P0301', `expected a value for \`${name}\` on its line, found nothing`]]);
  });

  test('that say when', () => {
    expect(faults('checkpoint every 2 steps')).toEqual([]);
    for (const line of ['checkpoint 2', 'checkpoint', 'eval 2', 'eval']) expect(faults(line).map(([code]) => code)).toEqual(['P0301']);
  });

  test('a norm is a number above 0', () => {
    expect(faults('clip 1.0')).toEqual([]);
    for (const value of ['0', '-1', '1%', '"1"', '[1]']) expect(faults(`clip ${value}`).map(([code]) => code)).toEqual(['P0301']);
  });
});
