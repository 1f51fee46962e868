import { describe, expect, test } from '@jest/globals';
import { label, scaleOf } from '../../runtime/node/report/plot.ts';

describe('scaleOf', () => {
  test.each([
    [[40.8, 49.7], [40, 45, 50], 0],
    [[0.08, 0.151], [0.08, 0.1, 0.12, 0.14, 0.16], 2],
    [[-3, 4], [-4, -2, 0, 2, 4], 0],
    [[8.2], [7, 7.5, 8, 8.5, 9, 9.5], 1],
    [[0, 0], [-1, -0.5, 0, 0.5, 1], 1],
  ])('%p has round ticks that hold all values', (values, ticks, decimals) => {
    const scale = scaleOf(values, 0, 100);
    expect(scale.ticks.map((tick) => Number(tick.toFixed(6)))).toEqual(ticks);
    expect(scale.decimals).toBe(decimals);
    for (const value of values) {
      expect(scale.at(value)).toBeGreaterThanOrEqual(-1e-9);
      expect(scale.at(value)).toBeLessThanOrEqual(100 + 1e-9);
    }
    expect([scale.at(scale.ticks[0]), scale.at(scale.ticks[scale.ticks.length - 1])].map(Math.round)).toEqual([0, 100]);
  });

  test('nothing to show is no fault', () => expect(scaleOf([NaN], 0, 1).ticks.length).toBeGreaterThan(1));
});

test('a name in a chart cannot become an element', () => {
  expect(label(0, 0, '</text><script>').text).toContain('&lt;/text&gt;&lt;script&gt;');
});
