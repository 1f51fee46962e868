import { describe, expect, test } from '@jest/globals';
import { median, table } from '../../bench/results.ts';

describe('results of benchmarks', () => {
  test('the median is the middle, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 2, 4, 8])).toBe(6);
  });

  test('a table has its first column to the left and numbers to the right', () => {
    expect(
      table(
        ['', 'ms'],
        [
          ['add', '1.25'],
          ['softmax', '10'],
        ],
      ),
    ).toBe(['           ms', '-------  ----', 'add      1.25', 'softmax    10'].join('\n'));
  });
});
