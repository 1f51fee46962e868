import { describe, expect, test } from '@jest/globals';
import { meanOfRatios, pairedBootstrap, pairedRatioBootstrap } from '../../runtime/core/statistics/statistics.ts';
import type { RatioRow } from '../../runtime/core/statistics/statistics.ts';
import { recorded } from './fixtures.ts';

const { cases } = recorded<{ cases: { a: number[]; b: number[]; interval: [number, number]; error: number }[] }>('bootstrap');
const how = { key: 'probe/top1', seed: 0 };

describe('the paired bootstrap', () => {
  test('agrees with scipy within the error of its 2000 resamples', () => {
    // A 2.5 % percentile of B normal values errs by sqrt(0.025 * 0.975 / B) / density = 2.67 / sqrt(B) standard deviations.
    for (const { a, b, interval, error } of cases) {
      const found = pairedBootstrap(a, b, how);
      const allowed = (4 * 2.67 * error) / Math.sqrt(2000) + 0.5 / a.length ** 2;
      expect(found?.n).toBe(a.length);
      expect(Math.abs((found?.interval[0] ?? NaN) - interval[0])).toBeLessThan(allowed);
      expect(Math.abs((found?.interval[1] ?? NaN) - interval[1])).toBeLessThan(allowed);
      expect(allowed).toBeLessThan((interval[1] - interval[0]) / 10);
    }
  });

  test('is the same every time, another under another key or seed', () => {
    const [{ a, b }] = cases.slice(1);
    const first = pairedBootstrap(a, b, how);
    expect(pairedBootstrap(a, b, how)).toEqual(first);
    expect(pairedBootstrap(a, b, { ...how, key: 'probe/iou' })?.interval).not.toEqual(first?.interval);
    expect(pairedBootstrap(a, b, { ...how, seed: 1 })?.interval).not.toEqual(first?.interval);
  });

  test('leaves out rows that one arm has no value for', () => {
    const found = pairedBootstrap([0, null, 1, 0, 0.5], [0.5, 1, null, 0.5, 1], how);
    expect(found).toEqual({ mean: 0.5, interval: [0.5, 0.5], n: 3 });
    expect(pairedBootstrap([null], [1], how)).toBeUndefined();
    expect(pairedBootstrap([], [], how)).toBeUndefined();
  });

  test('refuses lists of different rows, and no resamples', () => {
    expect(() => pairedBootstrap([1], [1, 2], how)).toThrow(expect.objectContaining({ code: 'R0712' }));
    expect(() => pairedBootstrap([1], [2], { ...how, resamples: 0 })).toThrow(expect.objectContaining({ code: 'R0711' }));
  });
});

describe('means of ratios', () => {
  test('are those of the sums over rows, class by class', () => {
    const rows: RatioRow[] = [
      [
        [0, 1, 2],
        [3, 0, 1],
      ],
      [[0, 2, 2]],
      [[7, 0, 0]],
    ];
    expect(meanOfRatios(rows)).toBe((3 / 4 + 0) / 2);
    expect(meanOfRatios([[[2, 0, 0]]])).toBeUndefined();
  });

  test('with one class and equal rows are means, whose bootstrap is that of the mean', () => {
    const [{ a, b }] = cases;
    const rows = (values: number[]): RatioRow[] => values.map((value) => [[4, value, 1]]);
    const of = pairedRatioBootstrap(rows(a), rows(b), how);
    const plain = pairedBootstrap(a, b, how);
    expect(of?.mean).toBeCloseTo(plain?.mean ?? NaN, 14);
    expect(of?.interval[0]).toBeCloseTo(plain?.interval[0] ?? NaN, 14);
    expect(of?.interval[1]).toBeCloseTo(plain?.interval[1] ?? NaN, 14);
  });
});
