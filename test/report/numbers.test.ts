import { describe, expect, test } from '@jest/globals';
import { decimalsFor, duration, fixed, grouped, withPrefix } from '../../runtime/node/report/numbers.ts';
import { deviation, mean, pairedDifference } from '../../runtime/node/report/statistics.ts';

const blank = '\u202f';

describe('numbers', () => {
  test.each([
    [-0.5, 2, false, '−0.50'],
    [0.5, 1, true, '+0.5'],
    [-0.0001, 2, true, '0.00'],
    [undefined, 2, false, '–'],
    [NaN, 2, false, 'NaN'],
    [-Infinity, 2, false, '−∞'],
  ])('fixed(%p, %p, %p) = %p', (value, decimals, signed, text) => expect(fixed(value, decimals, signed)).toBe(text));

  test.each([
    [[0.693, 0.4], 3],
    [[1.302, 0.9], 3],
    [[13.02, undefined], 2],
    [[0.0536], 4],
    [[12345], 0],
    [[0, undefined], 1],
  ])('%p is shown with %p decimals', (values, decimals) => expect(decimalsFor(values, 4)).toBe(decimals));

  test.each([
    [8.21, `8.2${blank}s`],
    [59.97, `1${blank}min 00${blank}s`],
    [185, `3${blank}min 05${blank}s`],
    [7199, `2${blank}h 00${blank}min`],
    [7620, `2${blank}h 07${blank}min`],
    [undefined, '–'],
  ])('%p seconds read %p', (seconds, text) => expect(duration(seconds)).toBe(text));

  test.each([
    [12.4e9, `12.4${blank}GFLOP`],
    [999.7e9, `1.00${blank}TFLOP`],
    [5, `5.00${blank}FLOP`],
    [0, `0${blank}FLOP`],
  ])('%p operations read %p', (value, text) => expect(withPrefix(value, 'FLOP')).toBe(text));

  test('digits are grouped by three', () =>
    expect([999, 1000, 1234567].map(grouped)).toEqual(['999', `1${blank}000`, `1${blank}234${blank}567`]));
});

describe('statistics', () => {
  test('mean and deviation of a sample', () => {
    expect(mean([2, 4, 4, 4, 5, 5, 7, 9])).toBe(5);
    expect(deviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 12);
    expect(mean([])).toBeUndefined();
    expect(deviation([3])).toBeUndefined();
  });

  test('differences are paired by seed and have Student’s interval', () => {
    const a = new Map([
      [0, 1],
      [1, 2],
      [2, 3],
      [9, 100],
    ]);
    const b = new Map([
      [2, 3.9],
      [1, 3.1],
      [0, 2],
      [5, -100],
    ]);
    const found = pairedDifference(a, b);
    // Differences 1.0, 1.1, 0.9: mean 1, deviation 0.1, t = 4.3026527 at two degrees of freedom.
    expect(found?.pairs).toBe(3);
    expect(found?.mean).toBeCloseTo(1, 12);
    expect(found?.interval?.[0]).toBeCloseTo(1 - (4.3026527297 * 0.1) / Math.sqrt(3), 9);
    expect(found?.interval?.[1]).toBeCloseTo(1 + (4.3026527297 * 0.1) / Math.sqrt(3), 9);
  });

  test('a single pair has a difference and no interval; no pair has neither', () => {
    expect(pairedDifference(new Map([[0, 1]]), new Map([[0, 3]]))).toEqual({ mean: 2, pairs: 1 });
    expect(pairedDifference(new Map([[0, 1]]), new Map([[1, 3]]))).toBeUndefined();
  });
});
