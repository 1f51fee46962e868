/** The fields that choose between equal ways of computing: what they take, and what is said to anything else. */
import { describe, expect, test } from '@jest/globals';
import { compileStage } from './runs.ts';

/** Codes and messages of a stage with this field. */
function faults(field: string): string[] {
  return compileStage({ loss: 'dpo(beta: 0.1)', fields: [field] }).diagnostics.map(({ code, message }) => `${code} ${message}`);
}

describe('fields of a stage', () => {
  test.each(['pack shared', 'pack separate', 'reference live', 'reference cached'])('%s', (field) => {
    expect(faults(field)).toEqual([]);
  });

  test('a misspelt word is told with the one that was meant', () => {
    const { diagnostics } = compileStage({ loss: 'dpo(beta: 0.1)', fields: ['pack seperate'] });
    expect(diagnostics.map((d) => d.code)).toEqual(['P0201']);
    expect(diagnostics[0].help).toContain('separate');
  });

  test('anything else is told what is expected', () => {
    expect(faults('pack 2')).toEqual(['P0301 expected shared or separate, found 2']);
    expect(faults('reference 5')).toEqual(['P0301 expected a stage, such as align or post.dpo, found 5']);
  });

  test('what is the default and what is written give one task', () => {
    const hash = (fields: string[]): string | undefined => compileStage({ loss: 'dpo(beta: 0.1)', fields }).plan?.tasks[0].hash;
    expect(hash(['pack shared', 'reference cached'])).toBe(hash([]));
    expect(hash(['pack separate'])).not.toBe(hash([]));
    expect(hash(['reference live'])).not.toBe(hash([]));
  });
});
