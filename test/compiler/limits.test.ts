/** Limits of a text and of what it describes: each is a sentence with a place, within seconds, and never a stack. */
import { describe, expect, test } from '@jest/globals';
import { LIMITS, formatDiagnostics, parse } from '../../grammar/index.ts';
import { example } from '../../grammar/diagnostics/example.ts';
import { compileText } from '../support/compile-text.ts';

/** The codes of a text, and all that is said. */
function told(text: string): { codes: string[]; said: string } {
  const { diagnostics, texts } = compileText(text);
  return { codes: diagnostics.map(({ code }) => code), said: formatDiagnostics(diagnostics, texts) };
}

const chain = (n: number): string =>
  Array.from({ length: n }, (_, i) => `param p${i + 1} = p${i}`)
    .reverse()
    .join('\n');
const doubling = Array.from({ length: 24 }, (_, i) => `layer b${i + 1}(x: [.., D]) -> [.., D] { return b${i}(b${i}(x)) }`).join('\n');
const own = (body: string): string =>
  example({ loss: 'loss own', more: `use std.model.scores.Scored\nloss own(policy: Scored) {\n${body}\n}` });

describe('what is nested', () => {
  const kinds: Record<string, (n: number) => string> = {
    parentheses: (n) => `param a = ${'('.repeat(n)}1${')'.repeat(n)}`,
    lists: (n) => `param a = ${'['.repeat(n)}1${']'.repeat(n)}`,
    calls: (n) => `param a = ${'abs('.repeat(n)}1${')'.repeat(n)}`,
    minus: (n) => `param a = ${'- '.repeat(n)}1`,
    not: (n) => `param a = ${'not '.repeat(n)}true`,
    powers: (n) => `param a = 1${' ^ 1'.repeat(n)}`,
    conditions: (n) => `param a = ${'if true then 1 else '.repeat(n)}1`,
    blocks: (n) => `layer a(x: [N]) { ${'if true { '.repeat(n)}return x ${'}'.repeat(n)} }`,
    'else if': (n) => `layer a(x: [N]) { if true { return x } ${'else if true { return x } '.repeat(n)} }`,
  };
  test.each(Object.keys(kinds))('%s', (name) => {
    const codes = (n: number): string[] => parse(`pivot 1\n${kinds[name](n)}\n`, 'deep.pivot').diagnostics.map(({ code }) => code);
    expect(codes(20)).toEqual([]);
    for (const n of [LIMITS.nesting.most + 1, 300, 5_000]) expect(codes(n)).toEqual(['P0701']);
  });
});

test.each([' + 1', ' * 1', ' or true', '.a', '(1)', '[0]', ' < 1'])('a chain of thousands of `%s`', (link) => {
  const { codes, said } = told(`pivot 1\nparam a = 1${link.repeat(3_000)}\n`);
  expect(codes).toContain('P0701');
  expect(said.length).toBeLessThan(5_000);
});

describe('what is evaluated', () => {
  test.each([
    ['params that refer to one another', `pivot 1\nparam p0 = 1\n${chain(2_000)}\n`],
    ['a function that calls itself', own('  let f(x) = f(x)\n  return f(1) * sum(policy.logp)')],
    [
      'calls that double',
      example({ more: `layer b0(x: [.., D]) -> [.., D] { return x + 1 }\n${doubling}` }).replace('merge() -> head', 'b24 -> head'),
    ],
    [
      'numbers that double',
      own(
        `${Array.from({ length: 40 }, (_, i) => `  let f${i + 1}(x) = f${i}(x) + f${i}(x)`)
          .join('\n')
          .replace('f0(x) + f0(x)', 'x + x')}\n  return f40(1) * sum(policy.logp)`,
      ),
    ],
    ['a repeat of billions', own('  let s = sum(policy.logp)\n  repeat i in 0..2147483648 { s = s + 1 }\n  return s')],
  ])('%s', (_, text) => {
    const { codes, said } = told(text);
    expect(codes).toContain('P0701');
    expect(said.length).toBeLessThan(50_000);
  });

  test('what a layer is made with stands beside the limit', () => {
    const deep = 'layer deep(x: [.., D], depth: int) -> [.., D] {\n  let y = x\n  repeat i in 0..depth { y = y + 1 }\n  return y\n}';
    const { codes, said } = told(example({ more: deep }).replace('merge() -> head', 'deep(depth: 2147483647) -> head'));
    expect(codes).toContain('P0701');
    expect(said).toContain('deep has depth: 2147483647');
  });
});

test.each([
  ['steps', 'batch 8\n  steps 1000000000000'],
  ['steps', 'batch 8\n  epochs 1000000000'],
])('too many %s', (_, rest) => {
  const { codes, said } = told(example({ rest }));
  expect(codes).toEqual(['P0701']);
  expect(said).toContain('steps of training');
});

test.each(['seeds 0..1000000000', 'seeds 0..1000'])('%s', (more) => {
  expect(told(example({ more })).codes).toEqual(['P0701']);
});

test('a text, and a string, of more characters than are read', () => {
  expect(told(`pivot 1\n// ${'x'.repeat(LIMITS.text.most)}\n`).codes).toEqual(['P0701']);
  expect(told(`pivot 1\nparam a = "${'x'.repeat(LIMITS.string.most)}"\n`).codes).toEqual(['P0701']);
});

test('of many errors a hundred are printed, and the others counted', () => {
  const { codes, said } = told(`pivot 1\n${Array.from({ length: 1_000 }, (_, i) => `param p${i} = q${i}`).join('\n')}\n`);
  expect(codes.length).toBe(1_000);
  expect(said.match(/^error /gm)?.length).toBe(LIMITS.errors.most);
  expect(said).toContain(`and ${1_000 - LIMITS.errors.most} more`);
});
