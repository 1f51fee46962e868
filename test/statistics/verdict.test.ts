import { describe, expect, test } from '@jest/globals';
import { Random } from '../../runtime/core/random.ts';
import { differenceOf, holm, verdict, verdicts } from '../../runtime/core/statistics/statistics.ts';
import type { Comparison } from '../../runtime/core/statistics/statistics.ts';
import { recorded } from './fixtures.ts';

const clear = [0.051, 0.049, 0.05, 0.052, 0.048];
const noise = [0.03, -0.04, 0.01, -0.02, 0.02];
const larger = (differences: readonly number[]): Comparison => ({ differences, better: 'larger' });

describe('Holm’s adjustment', () => {
  test('agrees with statsmodels', () => {
    for (const { p, adjusted } of recorded<{ p: number[]; adjusted: number[] }[]>('holm')) {
      holm(p).forEach((value, i) => expect(value).toBeCloseTo(adjusted[i], 14));
    }
    expect(holm([])).toEqual([]);
  });

  test('refuses what is no probability', () => {
    for (const p of [-0.1, 1.1, NaN]) expect(() => holm([0.5, p])).toThrow(expect.objectContaining({ code: 'R0711' }));
  });
});

describe('verdicts', () => {
  test('say which way is better', () => {
    expect(verdict(larger(clear))).toMatchObject({ verdict: 'ahead', seeds: 5, inFavour: 5 });
    expect(verdict({ differences: clear, better: 'smaller' })).toMatchObject({ verdict: 'behind', inFavour: 0 });
    expect(verdict(larger(clear.map((d) => -d)))).toMatchObject({ verdict: 'behind', inFavour: 0 });
    expect(verdict(larger(noise))).toMatchObject({ verdict: 'cannot tell', inFavour: 3 });
  });

  test('carry the interval, the raw p and the adjusted one', () => {
    const [first, second] = verdicts([larger(clear), larger(noise)]);
    expect(first.difference).toEqual(differenceOf(clear));
    expect(first.adjusted).toBeCloseTo(2 * (first.difference?.p ?? NaN), 15);
    expect(second.adjusted).toBe(second.difference?.p);
  });

  test('one seed, none, and measures of which no value is better have none, and do not count', () => {
    const [judged, one, none, told] = verdicts([larger(clear), larger([0.5]), larger([]), { differences: clear, better: 'neither' }]);
    expect(one).toEqual({ verdict: 'no verdict', seeds: 1, inFavour: 1, difference: { mean: 0.5, pairs: 1 } });
    expect(none).toEqual({ verdict: 'no verdict', seeds: 0, inFavour: 0 });
    expect(told).toEqual({ verdict: 'no verdict', seeds: 5, difference: differenceOf(clear) });
    expect(judged.adjusted).toBe(judged.difference?.p);
  });

  test('what is clear alone may not be among many', () => {
    // t = 3.6 at 4 degrees of freedom: p = 0.023.
    const fair = [0.01, 0.02, 0.03, 0.04, 0.02].map((d) => d + 0.002);
    const alone = verdict(larger(fair));
    expect(alone.verdict).toBe('ahead');
    const among = verdicts([larger(fair), ...Array.from({ length: 9 }, () => larger(noise))]);
    expect(among[0].difference).toEqual(alone.difference);
    expect(among[0].verdict).toBe('cannot tell');
  });
});

describe('simulated comparisons of five seeds', () => {
  const random = new Random([17, 29]);
  const REPORTS = 2000;

  test('95 % intervals hold the true difference as often as they say', () => {
    let covered = 0;
    let tight = 0;
    for (let i = 0; i < REPORTS; i++) {
      const found = differenceOf(Array.from({ length: 5 }, () => 0.03 + 0.02 * random.normal()));
      const [low, high] = found?.interval ?? [NaN, NaN];
      if (low <= 0.03 && 0.03 <= high) covered++;
      if ((found?.p ?? 1) < 0.05 !== (low > 0 || high < 0)) tight++;
    }
    expect(covered / REPORTS).toBeGreaterThanOrEqual(0.935);
    expect(covered / REPORTS).toBeLessThanOrEqual(0.965);
    // Interval and p are two sides of one test.
    expect(tight).toBe(0);
  });

  test.each([
    ['independent', 0],
    ['correlated', 0.6],
    ['nearly equal', 0.95],
  ])('where no arm is better, few reports on 8 %s measures name one', (_, share) => {
    let wrong = 0;
    for (let i = 0; i < REPORTS; i++) {
      // Measures of one model share part of their chance.
      const common = Array.from({ length: 5 }, () => random.normal());
      const family = Array.from({ length: 8 }, () =>
        larger(common.map((c) => Math.sqrt(share) * c + Math.sqrt(1 - share) * random.normal())),
      );
      if (verdicts(family).some((judged) => judged.verdict === 'ahead' || judged.verdict === 'behind')) wrong++;
    }
    expect(wrong / REPORTS).toBeLessThanOrEqual(0.065);
    // A test that never speaks would pass as well.
    expect(wrong).toBeGreaterThan(0);
  });

  test('a large difference is named', () => {
    let named = 0;
    for (let i = 0; i < 200; i++) {
      const family = Array.from({ length: 8 }, () => larger(Array.from({ length: 5 }, () => 0.2 + 0.02 * random.normal())));
      named += verdicts(family).filter((judged) => judged.verdict === 'ahead').length;
    }
    expect(named / 1600).toBeGreaterThan(0.98);
  });
});
