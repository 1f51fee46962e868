import { describe, expect, test } from '@jest/globals';
import { Random } from '../../runtime/core/random.ts';
import { alignment } from '../../runtime/core/score/alignment.ts';
import { drift } from '../../runtime/core/score/drift.ts';
import type { Table } from '../../runtime/core/score/types.ts';
import { recorded } from '../statistics/fixtures.ts';

const data = recorded<{ k: number; x: number[][]; y: number[][]; shares: number[]; mutual_knn: number; cka: number }>('spaces');

const table = (rows: number[][]): Table => ({
  tensors: new Map([['features', { shape: [rows.length, rows[0].length], data: Float32Array.from(rows.flat()) }]]),
  rows: [],
});
const weights = (tensors: Record<string, number[]>): Table => ({
  tensors: new Map(Object.entries(tensors).map(([name, values]) => [name, { shape: [values.length], data: Float32Array.from(values) }])),
  rows: [],
});
const [x, y] = [table(data.x), table(data.y)];

describe('alignment', () => {
  test('agrees with a plain computation in numpy', () => {
    const { values, examples, details } = alignment({ seen: x, read: y }, { k: data.k });
    expect(examples?.mutual_knn).toEqual(data.shares);
    expect(values.mutual_knn).toBeCloseTo(data.mutual_knn, 14);
    expect(details).toEqual({ k: data.k, n: 50, chance: data.k / 49 });
  });

  test('is 1 between a space and a turned, scaled copy of it, whatever the length of a row', () => {
    const [c, s] = [0.8, 0.6];
    const turned = data.x.map((row, i) =>
      [c * row[0] - s * row[1], s * row[0] + c * row[1], ...row.slice(2)].map((v) => v * (1 + (i % 3))),
    );
    expect(alignment({ seen: x, read: table(turned) }, {}).values.mutual_knn).toBe(1);
  });

  test('is near k / (n - 1) between spaces that share nothing', () => {
    const random = new Random([5, 6]);
    const draw = () => table(Array.from({ length: 300 }, () => Array.from({ length: 8 }, () => random.normal())));
    const { values } = alignment({ seen: draw(), read: draw() }, {});
    expect(Math.abs(values.mutual_knn - 10 / 299)).toBeLessThan(0.01);
  });

  test('of equally near rows the first is a neighbour, never the row itself', () => {
    const same = table([[1], [2], [3], [4]]);
    // All are equally near: neighbours of row 0 are 1, 2; of the others 0 and the next smallest.
    const other = table([
      [1, 0],
      [1, 0.1],
      [1, 0.2],
      [1, 5],
    ]);
    const { examples } = alignment({ seen: same, read: other }, { k: 2 });
    // By angle, row 1 is nearest to 0 and 2, row 2 to 1 and 0, row 3 to 2 and 1.
    expect(examples?.mutual_knn).toEqual([1, 1, 1, 0.5]);
  });

  test.each([
    ['as many neighbours as others', { seen: x, read: y }, { k: 49 }, 'R0704'],
    ['half a neighbour', { seen: x, read: y }, { k: 2.5 }, 'R0704'],
    ['other rows', { seen: x, read: table(data.y.slice(1)) }, {}, 'R0706'],
    ['a row that points nowhere', { seen: x, read: table(data.y.map((row, i) => (i === 4 ? row.map(() => 0) : row))) }, {}, 'R0706'],
    ['a number that is none', { seen: x, read: table(data.y.map((row, i) => (i === 4 ? row.map(() => NaN) : row))) }, {}, 'R0705'],
    ['a missing space', { seen: x }, {}, 'R0702'],
  ])('refuses %s', (_, tables, params, code) => {
    expect(() => alignment(tables, params)).toThrow(expect.objectContaining({ code }));
  });
});

describe('drift', () => {
  test('of features agrees with a plain computation in numpy', () => {
    expect(drift({ now: x, before: y }, {}).values.cka).toBeCloseTo(data.cka, 12);
    expect(Object.keys(drift({ now: x, before: y }, {}).values)).toEqual(['cka']);
  });

  test('does not see a space that was turned, scaled and moved', () => {
    const moved = data.x.map((row) => [3 * row[1] + 7, 3 * row[0] - 2, ...row.slice(2).map((v) => -3 * v)]);
    expect(drift({ now: table(moved), before: x }, {}).values.cka).toBeCloseTo(1, 10);
  });

  test('of weights is the length of the change over the length of the start', () => {
    const before = weights({ a: [3, 0], b: [0, 4], c: [0] });
    const now = weights({ b: [0, 5], a: [3, 2], c: [2] });
    const { values, details } = drift({ weights_now: now, weights_before: before }, {});
    expect(values).toEqual({ weights: Math.sqrt(4 + 1 + 4) / 5 });
    expect(details).toEqual({
      tensors: [
        { name: 'a', size: 2, change: 2 / 3 },
        { name: 'b', size: 2, change: 0.25 },
        { name: 'c', size: 1, change: null },
      ],
      of: 3,
    });
  });

  test('names forty tensors at most, those that moved furthest', () => {
    const names = Array.from({ length: 50 }, (_, i) => `t${i}`);
    const before = weights(Object.fromEntries(names.map((name) => [name, [1]])));
    const now = weights(Object.fromEntries(names.map((name, i) => [name, [1 + i]])));
    const { details } = drift({ weights_now: now, weights_before: before, now: x, before: x }, {});
    const { tensors, of } = details as { tensors: { name: string }[]; of: number };
    expect(tensors.map(({ name }) => name)).toEqual(names.slice(10).reverse());
    expect(of).toBe(50);
  });

  test.each([
    ['nothing', {}, 'R0702'],
    ['weights without their start', { weights_now: weights({ a: [1] }) }, 'R0702'],
    ['features without their start', { before: x }, 'R0702'],
    ['a tensor that only one has', { weights_now: weights({ a: [1], b: [1] }), weights_before: weights({ a: [1] }) }, 'R0706'],
    ['a tensor of another size', { weights_now: weights({ a: [1, 2] }), weights_before: weights({ a: [1] }) }, 'R0706'],
    ['a weight that is none', { weights_now: weights({ a: [NaN] }), weights_before: weights({ a: [1] }) }, 'R0705'],
    ['a start at zero', { weights_now: weights({ a: [1] }), weights_before: weights({ a: [0] }) }, 'R0707'],
    ['features that are all the same', { now: table(data.x.map(() => [0.1, 0.7])), before: x }, 'R0707'],
    ['other rows', { now: x, before: table(data.y.slice(1)) }, 'R0706'],
  ])('refuses %s', (_, tables: Record<string, Table>, code) => {
    expect(() => drift(tables, {})).toThrow(expect.objectContaining({ code }));
  });
});
