import { describe, expect, test } from '@jest/globals';
import {
  differenceOf,
  meanInterval,
  pairedDifference,
  studentCdf,
  studentQuantile,
  twoSidedP,
} from '../../runtime/core/statistics/statistics.ts';
import { recorded } from './fixtures.ts';

interface Student {
  quantiles: { df: number; p: number; t: number }[];
  tails: { df: number; t: number; p: number; cdf: number }[];
  samples: { a: number[]; b: number[]; mean: number; interval: [number, number]; p: number; of_a_90: [number, number] }[];
}

const { quantiles, tails, samples } = recorded<Student>('student');
const relative = (found: number, wanted: number): number => (wanted === 0 ? found : Math.abs(found - wanted) / Math.abs(wanted));

describe('Student’s t', () => {
  test('tails agree with scipy in relative terms, from half a degree of freedom to ten million', () => {
    for (const { df, t, p, cdf } of tails) {
      const allowed = 1e-13 + 1e-16 * df;
      expect(relative(twoSidedP(t, df), p)).toBeLessThan(allowed);
      expect(relative(studentCdf(-t, df), cdf)).toBeLessThan(allowed);
      expect(Math.abs(studentCdf(t, df) - (1 - p / 2))).toBeLessThan(allowed);
    }
  });

  test('quantiles agree with scipy', () => {
    for (const { df, p, t } of quantiles) expect(relative(studentQuantile(p, df), t)).toBeLessThan(1e-12 + 1e-16 * df);
  });

  test('the middle, where differences of tails cancel, is exact too', () => {
    // By mpmath with 30 digits.
    expect(relative(studentQuantile(0.4999, 4), -0.000266666670617254683354)).toBeLessThan(1e-12);
    expect(relative(studentQuantile(0.4999, 1), -0.000314159275694370692314)).toBeLessThan(1e-12);
  });

  test('one and two degrees of freedom have closed forms', () => {
    for (const t of [1e-9, 0.3, 1, 6, 1e9, 1e160]) {
      expect(relative(twoSidedP(t, 1), (2 * Math.atan(1 / t)) / Math.PI)).toBeLessThan(1e-12);
      if (t < 1e9) expect(Math.abs(studentCdf(t, 2) - (0.5 + t / (2 * Math.sqrt(2 + t * t))))).toBeLessThan(1e-14);
    }
    expect(studentQuantile(0.975, Infinity)).toBeCloseTo(1.959963984540054, 8);
    expect(studentQuantile(0.5, 3)).toBe(0);
    expect(twoSidedP(0, 3)).toBe(1);
    expect(twoSidedP(-Infinity, 3)).toBe(0);
  });

  test.each([
    ['no degrees of freedom', () => studentCdf(1, 0)],
    ['a number of degrees that is none', () => studentCdf(1, NaN)],
    ['a t that is none', () => twoSidedP(NaN, 4)],
    ['the quantile of 0', () => studentQuantile(0, 4)],
    ['a level of 1', () => meanInterval([1, 2], 1)],
    ['a sample with a hole', () => meanInterval([1, NaN])],
    ['a difference without bounds', () => differenceOf([1, Infinity])],
  ])('refuses %s', (_, run) => expect(run).toThrow(expect.objectContaining({ code: 'R0711' })));
});

describe('intervals', () => {
  test('of paired differences agree with scipy’s paired t test', () => {
    for (const { a, b, mean, interval, p } of samples) {
      const seeds = (values: number[]) => new Map(values.map((value, seed) => [seed, value]));
      const found = pairedDifference(seeds(a), seeds(b));
      expect(found?.pairs).toBe(a.length);
      expect(found?.mean).toBeCloseTo(mean, 14);
      expect(found?.interval?.[0]).toBeCloseTo(interval[0], 12);
      expect(found?.interval?.[1]).toBeCloseTo(interval[1], 12);
      expect(relative(found?.p ?? NaN, p)).toBeLessThan(1e-9);
    }
  });

  test('of one mean agree with scipy at another level', () => {
    for (const { a, of_a_90 } of samples) {
      const found = meanInterval(a, 0.9);
      expect(found?.interval?.[0]).toBeCloseTo(of_a_90[0], 12);
      expect(found?.interval?.[1]).toBeCloseTo(of_a_90[1], 12);
    }
    expect(meanInterval([])).toBeUndefined();
    expect(meanInterval([3])).toEqual({ mean: 3, n: 1 });
  });

  test('equal differences have the p of their signs, also where rounding tells them apart', () => {
    expect(differenceOf([0.25, 0.25, 0.25])?.p).toBe(0.25);
    expect(differenceOf([0.7 - 0.6, 0.2 - 0.1, 0.4 - 0.3, 0.9 - 0.8])?.p).toBe(0.125);
    expect(differenceOf([0, 0, 0])).toEqual({ mean: 0, interval: [0, 0], p: 1, pairs: 3 });
    expect(differenceOf([0.5])).toEqual({ mean: 0.5, pairs: 1 });
    expect(differenceOf([])).toBeUndefined();
  });
});
