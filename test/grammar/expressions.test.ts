import { describe, expect, test } from '@jest/globals';
import { parseExpression } from '../../grammar/index.ts';
import { expression, show } from './show.ts';

describe('what binds to what', () => {
  test.each([
    ['a -> b -> c', '(a -> b -> c)'],
    ['a or b -> c', '((a or b) -> c)'],
    ['a or b and c', '(a or (b and c))'],
    ['not a and b', '((not a) and b)'],
    ['not not a', '(not (not a))'],
    ['not a < b', '(not (a < b))'],
    ['a < b and c >= d', '((a < b) and (c >= d))'],
    ['a == b or c != d', '((a == b) or (c != d))'],
    ['i in 0..n', '(i in (0..n))'],
    ['0..n - 1', '(0..(n - 1))'],
    ['a - b - c', '((a - b) - c)'],
    ['a + b * c', '(a + (b * c))'],
    ['a * b / c % d', '(((a * b) / c) % d)'],
    ['-a * b', '((- a) * b)'],
    ['a - -b', '(a - (- b))'],
    ['-a ^ b', '(- (a ^ b))'],
    ['a ^ -b', '(a ^ (- b))'],
    ['a ^ b ^ c', '(a ^ (b ^ c))'],
    ['a.b(c)[d].e', 'a.b(c)[d].e'],
    ['-a.b(c)', '(- a.b(c))'],
    ['(a + b) * c', '((a + b) * c)'],
    ['if a then b else c + d', '(if a then b else (c + d))'],
    ['if a then b else if c then d else e', '(if a then b else (if c then d else e))'],
    ['f(if a then b else c, -d)', 'f((if a then b else c), (- d))'],
    ['[1, [2, 3], ]', '[1, [2, 3]]'],
    ['a\n  + b\n  (c)', '(a + b(c))'],
  ])('%s', (text, shown) => {
    expect(show(expression(text))).toBe(shown);
  });
});

describe('calls and indices', () => {
  test.each([
    ['f()', 'f()'],
    ['f(a, lr: b -> c,)', 'f(a, lr: (b -> c))'],
    ['x[0]', 'x[0]'],
    ['x[a, b:c, :, ..]', 'x[a, b:c, :, ..]'],
    ['x[:, 1:, :n, -1]', 'x[:, 1:, :n, (- 1)]'],
    ['x[.., a + 1 : 2 * a]', 'x[.., (a + 1):(2 * a)]'],
    ['x[seed: 0]', 'x[seed=0]'],
    ['x[seed:0]', 'x[seed:0]'],
    ['x[a : b]', 'x[a:b]'],
    ['x[a :]', 'x[a:]'],
    ['post.dpo[seed: 0].eyes', 'post.dpo[seed=0].eyes'],
  ])('%s', (text, shown) => {
    expect(show(expression(text))).toBe(shown);
  });
});

describe('literals', () => {
  test.each([
    ['8k', 8000, undefined, 'k'],
    ['1.1k', 1100, undefined, 'k'],
    ['1.5B', 1.5e9, undefined, 'B'],
    ['2M', 2e6, undefined, 'M'],
    ['32px', 32, 'px', undefined],
    ['5%', 5, '%', undefined],
    ['0.5%', 0.5, '%', undefined],
    ['18h', 18, 'h', undefined],
    ['300 steps', 300, 'steps', undefined],
    ['1 step', 1, 'steps', undefined],
    ['2\tepochs', 2, 'epochs', undefined],
    ['20k tokens', 20_000, 'tokens', 'k'],
    ['1k rows', 1000, 'rows', 'k'],
    ['20_000', 20_000, undefined, undefined],
    ['1e-3', 0.001, undefined, undefined],
    ['2.5E+2', 250, undefined, undefined],
  ])('%s', (text, value, unit, magnitude) => {
    expect(expression(text)).toMatchObject({ kind: 'NumberLiteral', value, text, ...(unit && { unit }), ...(magnitude && { magnitude }) });
  });

  test('a percent sign that clings is a unit, one that stands apart divides', () => {
    expect(show(expression('5% * 2'))).toBe('(5% * 2)');
    expect(show(expression('5 % 2'))).toBe('(5 % 2)');
    expect(show(expression('D % 2'))).toBe('(D % 2)');
  });

  test('a unit word stands on the line of its number', () => {
    const { diagnostics } = parseExpression('300\nsteps', 'test');
    expect(diagnostics.map((d) => d.code)).toEqual(['P0103']);
  });

  test('strings and words', () => {
    expect(expression('"a \\"b\\" \\\\ \\n"')).toMatchObject({ kind: 'StringLiteral', value: 'a "b" \\ \n' });
    expect(expression('"// no comment"')).toMatchObject({ value: '// no comment' });
    expect(show(expression('[true, false, none]'))).toBe('[true, false, none]');
    expect(show(expression('trueish'))).toBe('trueish');
  });
});

test('spans cover what was written, parentheses included', () => {
  const text = 'f(x)\n  + (a - b) ^ 2';
  const whole = expression(text);
  if (whole.kind !== 'Binary' || whole.right.kind !== 'Binary') throw new Error('not a sum of a power');
  const cut = (span: { start: number; end: number }): string => text.slice(span.start, span.end);
  expect(cut(whole.span)).toBe(text);
  expect(cut(whole.left.span)).toBe('f(x)');
  expect(cut(whole.right.left.span)).toBe('(a - b)');
  expect(whole.right.span).toEqual({ file: 'test', start: 9, end: 20, line: 2, column: 5, endLine: 2, endColumn: 16 });
});
