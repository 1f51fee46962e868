/** Intervals and p-values that count rows where all seeds share them. */
import { describe, expect, test } from '@jest/globals';
import { Random } from '../../runtime/core/random.ts';
import {
  differenceOf,
  intervalOver,
  meanOfRatios,
  rowsOfRatios,
  studentQuantile,
  verdict,
} from '../../runtime/core/statistics/statistics.ts';
import type { RatioRow } from '../../runtime/core/statistics/statistics.ts';

const random = new Random([5, 23]);
const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
const variance = (list: readonly number[]): number => list.reduce((sum, v) => sum + (v - mean(list)) ** 2, 0) / (list.length - 1);

/** `seeds` lists of `count` values with effects of seeds and of rows. */
function crossed(seeds: number, count: number, centre: number, bySeed = 0.5, byRow = 1): number[][] {
  const rows = Array.from({ length: count }, () => byRow * random.normal());
  return Array.from({ length: seeds }, () => {
    const seed = centre + bySeed * random.normal();
    return rows.map((row) => seed + row + 0.5 * random.normal());
  });
}

describe('the mean over seeds and shared rows', () => {
  test('has the interval of Banerjee', () => {
    const rows = crossed(4, 30, 0);
    const values = rows.map(mean);
    const byRow = rows[0].map((_, i) => mean(rows.map((list) => list[i])));
    const half = Math.sqrt(
      (studentQuantile(0.975, 3) ** 2 * variance(values)) / 4 + (studentQuantile(0.975, 29) ** 2 * variance(byRow)) / 30,
    );
    const found = intervalOver(values, rows);
    expect(found?.interval?.[0]).toBeCloseTo(mean(values) - half, 12);
    expect(found?.interval?.[1]).toBeCloseTo(mean(values) + half, 12);
    // Never narrower than either part alone.
    expect(half).toBeGreaterThan((intervalOver(values)?.interval?.[1] ?? NaN) - mean(values));
  });

  test('has a p that is below 0.05 where the interval leaves out 0, for all shares of seeds and rows', () => {
    let below = 0;
    for (let i = 0; i < 60; i++) {
      const rows = crossed(2 + (i % 4), 12, random.normal(), [0.01, 0.3, 2][i % 3], [2, 0.3, 0.01][(i >> 2) % 3]);
      const found = differenceOf(rows.map(mean), rows);
      const [low, high] = found?.interval ?? [NaN, NaN];
      expect((found?.p ?? NaN) < 0.05).toBe(low > 0 || high < 0);
      if ((found?.p ?? NaN) < 0.05) below++;
    }
    expect(below).toBeGreaterThan(5);
    expect(below).toBeLessThan(55);
  });

  test('has a p for any size of the difference, smaller for a larger one, whatever the two spreads are', () => {
    for (const seeds of [2, 3, 5])
      for (const [bySeed, byRow] of [
        [1e-9, 1],
        [1, 1e-9],
        [1, 1],
        [0, 1],
        [1e-3, 0],
      ]) {
        const rows = crossed(seeds, 20, 0, bySeed, byRow);
        const ps = [1e-6, 1e-2, 1, 10, 1e3, 1e8, 1e200].map((shift) => {
          const moved = rows.map((list) => list.map((value) => value - mean(rows.flat()) + shift));
          return differenceOf(moved.map(mean), moved)?.p ?? NaN;
        });
        expect(ps.every((p) => p >= 0 && p <= 1)).toBe(true);
        // Where rounding has swallowed a spread, the signs are all that is left.
        const [, ...larger] = Math.min(bySeed, byRow) >= 1e-3 || bySeed === 1e-3 ? ps.slice(0, 5) : [];
        larger.forEach((p, i) => expect(p).toBeLessThanOrEqual(ps[i]));
      }
  });

  test('is Student’s where rows add nothing, and that of the rows where seeds are alike', () => {
    const values = [0.1, 0.3, 0.2];
    const flat = values.map((value) => [value, value, value]);
    expect(differenceOf(values, flat)?.p).toBeCloseTo(differenceOf(values)?.p ?? NaN, 14);
    const alike = Array.from({ length: 3 }, () => [0, 1, 0, 1, 1, 0.5, 1]);
    const found = differenceOf(alike.map(mean), alike);
    expect(found?.p).toBeCloseTo(differenceOf(alike[0])?.p ?? NaN, 12);
    expect(found?.interval?.[0]).toBeCloseTo(differenceOf(alike[0])?.interval?.[0] ?? NaN, 12);
  });

  test('leaves out rows that no seed has; refuses seeds of other rows', () => {
    const rows = [
      [0.2, null, 0.4, null],
      [0.1, null, 0.6, 0.2],
    ];
    expect(differenceOf([0.3, 0.3], rows)).toEqual(differenceOf([0.3, 0.3], [[0.2, 0.4, null], rows[1].filter((value) => value !== null)]));
    expect(() => differenceOf([0.3, 0.3], [[1, 2], [1]])).toThrow(expect.objectContaining({ code: 'R0712' }));
    expect(differenceOf([0.3], [[0.3, 0.3]])).toEqual({ mean: 0.3, pairs: 1 });
  });

  test('rows that were shared and not kept give no interval and no verdict', () => {
    const differences = [0.051, 0.049, 0.05, 0.052, 0.048];
    expect(verdict({ differences, better: 'larger' }).verdict).toBe('ahead');
    expect(verdict({ differences, shared: 'unknown', better: 'larger' })).toMatchObject({
      verdict: 'no verdict',
      difference: { pairs: 5 },
    });
    expect(verdict({ differences, shared: 'unknown', better: 'larger' }).difference?.interval).toBeUndefined();
  });
});

describe('a mean of ratios by row', () => {
  const draw = (count: number): RatioRow[] =>
    Array.from({ length: count }, () => {
      const c = random.below(3);
      return [
        [c, random.below(5), 4],
        [3, random.below(2), 1],
      ];
    });

  test('is the mean of what rows add, to the last digits', () => {
    const rows = draw(50);
    const added = rowsOfRatios(rows) ?? [];
    expect(mean(added)).toBeCloseTo(meanOfRatios(rows) ?? NaN, 13);
    expect(rowsOfRatios([[[2, 0, 0]]])).toBeUndefined();
  });

  test('varies between samples as the rows say', () => {
    const samples = Array.from({ length: 150 }, () => draw(60));
    const spread = variance(samples.map((rows) => meanOfRatios(rows) ?? NaN));
    const said = mean(samples.map((rows) => variance(rowsOfRatios(rows) ?? []) / rows.length));
    expect(said / spread).toBeGreaterThan(0.75);
    expect(said / spread).toBeLessThan(1.3);
  });
});
