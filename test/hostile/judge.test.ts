import { describe, expect, test } from '@jest/globals';
import { judge, mentions } from './judge.ts';
import type { Case, Outcome } from './result.ts';

const one = (verdict: Case['verdict'], more: Partial<Case> = {}): Case => ({ file: 'rows/a.jsonl', verdict, wrong: '', ...more });
const refused = (said: string): Outcome => ({ kind: 'refused', said });
const read = (more: object = {}): Outcome => ({ kind: 'read', result: { warnings: [], ...more } });

describe('the judge of hostile files', () => {
  test('refusals must name the file and what is wrong', () => {
    const line = one('reject', { names: { line: 7, field: 'prompt[0].role' } });
    expect(judge(line, refused('a.jsonl:7: prompt[0].role'))).toBeUndefined();
    expect(judge(line, refused('a.jsonl:17: prompt[0].role'))).toMatch(/line 7/);
    expect(judge(line, refused('a.jsonl:7: a role'))).toMatch(/field/);
    expect(judge(line, refused('line 7, prompt[0].role'))).toMatch(/the file/);
    expect(judge(line, read())).toMatch(/should be refused/);
    expect(judge(line, { kind: 'failed', said: 'TypeError' })).toMatch(/no PivotError/);
    expect(judge(line, { kind: 'killed', said: 'took too long' })).toBe('took too long');
  });

  test('sound files must be read, and as what they are', () => {
    const good = one('accept', { result: { rows: 3 } });
    expect(judge(good, read({ rows: 3 }))).toBeUndefined();
    expect(judge(good, read({ rows: 2 }))).toMatch(/rows: expected 3, read 2/);
    expect(judge(good, read())).toMatch(/rows/);
    expect(judge(good, refused('a.jsonl'))).toMatch(/sound/);
    const tensors = one('accept', { result: { a: ['F32', [2]] } });
    expect(judge(tensors, read({ tensors: [['a', 'F32', [2]]] }))).toBeUndefined();
    expect(judge(tensors, read({ tensors: [['a', 'F32', [3]]] }))).toMatch(/a: expected/);
  });

  test('silence is no warning', () => {
    const warn = one('warn', { names: { tensor: 'b' } });
    expect(judge(warn, read())).toMatch(/without a warning/);
    expect(judge(warn, read({ warnings: ['the tensor b'] }))).toBeUndefined();
    expect(judge(warn, refused('a.jsonl: b'))).toBeUndefined();
    expect(judge(one('either', { result: { rows: 1 } }), read({ rows: 2 }))).toMatch(/rows/);
  });

  test('hints are for the numbers and names in them', () => {
    expect(mentions('expected 904 bytes, found 616', 'expected', '904 bytes')).toBe(true);
    expect(mentions('expected 90 bytes', 'expected', '904 bytes')).toBe(false);
    expect(mentions('found ["192", "448"]', 'found', "['192', '448']")).toBe(true);
    expect(mentions('found null', 'found', 'None')).toBe(true);
    expect(mentions('a divisor of 24', 'expected', 'a divisor of hidden_size 24')).toBe(true);
    expect(mentions('found a list', 'field', 'model.vocab')).toBe(false);
    expect(mentions('a number', 'found', 'HTML')).toBe(false);
  });
});
