import { describe, expect, test } from '@jest/globals';
import { formatDiagnostics, lookup, nearest, parse, registry, report } from '../../grammar/index.ts';
import type { Diagnostic } from '../../grammar/index.ts';
import { syntax } from '../../grammar/diagnostics/syntax.ts';

describe('the registry', () => {
  test.each(Object.entries(syntax))('the example of %s yields it, and nothing else', (code, { example }) => {
    expect(parse(example, 'example').diagnostics.map((d) => d.code)).toEqual([code]);
  });

  test.each(Object.entries(registry))('%s explains itself', (code, { explain, example }) => {
    expect(code).toMatch(/^P0[1-7]\d\d$/);
    expect(explain).toMatch(/^[A-Z`a-z].{20,}[.]$/s);
    expect(example.length).toBeGreaterThan(0);
  });

  test('is asked by code', () => {
    expect(lookup('P0102')?.explain).toContain('closing');
    expect(lookup('P9999')).toBeUndefined();
    expect(lookup('constructor')).toBeUndefined();
  });

  test('fills in the sentence, the place, what was expected and the help', () => {
    const span = { file: 'a', start: 0, end: 1, line: 1, column: 1, endLine: 1, endColumn: 2 };
    expect(report('P0101', { expected: 'a value', found: '`)`', after: '`lr:`', help: 'try' }, span)).toEqual({
      code: 'P0101',
      severity: 'error',
      message: 'expected a value after `lr:`, found `)`',
      expected: 'a value',
      help: 'try',
      span,
    });
    expect(report('P0107', {})).not.toHaveProperty('span');
  });
});

describe('formatting', () => {
  const text = 'pivot 1\n\tdata a = f(lr: )\nstage s {\n  steps 3\n  clip 1\n  batch 2\n';
  const sources = new Map([['a.pivot', text]]);

  test('sentence, frame, carets, help, count', () => {
    expect(formatDiagnostics(parse(text, 'a.pivot').diagnostics, sources)).toMatchInlineSnapshot(`
      "error P0101: expected a value after \`lr:\`, found \`)\`
       --> a.pivot:2:17
        |
      2 | 	data a = f(lr: )
        | 	               ^ expected a value

      error P0102: \`{\` of line 3 is never closed
       --> a.pivot:3:9
        |
      3 | stage s {
        |         ^
        = help: add \`}\` at the end

      2 errors
      "
    `);
  });

  test('spans of many lines are cut, traces follow', () => {
    const { tree } = parse('pivot 1\nstage s {\n  a 1\n  b 2\n  c 3\n}\n', 'b.pivot');
    const [stage] = tree.declarations;
    const diagnostic: Diagnostic = {
      code: 'P0107',
      severity: 'warning',
      message: 'so it is',
      span: stage.span,
      trace: [{ span: tree.span, text: 'while reading it' }],
    };
    expect(formatDiagnostics([diagnostic], () => 'pivot 1\nstage s {\n  a 1\n  b 2\n  c 3\n}\n')).toMatchInlineSnapshot(`
      "warning P0107: so it is
       --> b.pivot:2:1
        |
      2 | stage s {
        | ^^^^^^^^^
      3 |   a 1
        |   ^^^
      4 |   b 2
        |   ^^^
        | ...
        = while reading it (b.pivot:1:1)

      1 warning
      "
    `);
  });

  test('without the source, without a place, without anything', () => {
    expect(formatDiagnostics([report('P0104', { mark: ')' }, parse(text, 'c.pivot').tree.span)], new Map())).toContain(
      '--> c.pivot:1:1\n  =',
    );
    expect(formatDiagnostics([report('P0107', {})], sources)).toMatch(/^error P0107: /);
    expect(formatDiagnostics([], sources)).toBe('');
  });

  test('colours only if asked for', () => {
    const { diagnostics } = parse(text, 'a.pivot');
    const plain = formatDiagnostics(diagnostics, sources);
    const colored = formatDiagnostics(diagnostics, sources, { color: true });
    expect(plain).not.toContain('\u001b');
    expect(colored).toContain('\u001b[1;31m');
    expect(colored.replace(/\u001b\[[\d;]*m/g, '')).toBe(plain);
  });
});

describe('the nearest name', () => {
  test.each([
    ['encodr', ['encoder', 'decoder'], 'encoder'],
    ['stpes', ['steps', 'seeds'], 'steps'],
    ['Loss', ['lose', 'loss'], 'loss'],
    ['lr', ['peak', 'lr_'], 'lr_'],
    ['xyz', ['encoder', 'loss'], undefined],
    ['a', [], undefined],
  ])('%s of %j', (name, candidates, expected) => {
    expect(nearest(name, candidates)).toBe(expected);
  });
});
