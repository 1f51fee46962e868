import { expect, test } from '@jest/globals';
import { measureOf, SCORES } from '../../plan/scores.ts';
import { meanOfRatios } from '../../runtime/core/statistics/statistics.ts';
import { scoreNamed, scores } from '../../runtime/core/score/score.ts';
import type { Table } from '../../runtime/core/score/types.ts';

const table = (
  tensors: Record<string, [shape: number[], data: number[], whole?: boolean]>,
  rows: Record<string, unknown>[] = [],
): Table => ({
  tensors: new Map(
    Object.entries(tensors).map(([name, [shape, data, whole]]) => [
      name,
      { shape, data: whole ? Int32Array.from(data) : Float32Array.from(data) },
    ]),
  ),
  rows,
});

const points = table({
  features: [
    [4, 1],
    [1, 2, -1, -2],
  ],
  label: [[4], [0, 0, 1, 1], true],
});
const box = { boxes: [{ x: 0, y: 0, w: 4, h: 4 }], size: 8 };
const TABLES: Record<string, Record<string, Table>> = {
  logistic: { fit: points, held: points },
  focus: {
    maps: table(
      {
        gradient: [
          [1, 4],
          [3, 1, 0, 0],
        ],
        cam: [
          [1, 4],
          [1, 1, 1, 1],
        ],
      },
      [box],
    ),
  },
  preference: { judged: table({ margin: [[4], [1, -1, 0, 2]] }) },
  segmentation: { judged: table({ label: [[1, 3], [0, 1, 1], true], said: [[1, 3], [0, 1, 2], true] }) },
  alignment: { seen: points, read: points },
  answering: { said: table({}, [{ said: 'red', answer: 'red', kind: 'short' }]) },
  drift: { now: points, before: points, weights_now: points, weights_before: points },
};

test('the runtime has the scores that plans may name, with the measures that the table tells', () => {
  expect(Object.keys(scores).sort()).toEqual(Object.keys(SCORES).sort());
  for (const [name, score] of Object.entries(scores)) {
    const { values, examples = {}, ratios = {} } = score(TABLES[name], { k: 2 }, 0);
    const measures = Object.keys(values);
    expect(measures.filter((value) => measureOf(name, value) === undefined)).toEqual([]);
    expect(new Set(measures.map((value) => value.split('.')[0]))).toEqual(new Set(Object.keys(SCORES[name])));
    // What is kept by row belongs to a value, and gives it.
    for (const [measure, list] of Object.entries(examples)) {
      const known = list.filter((value) => value !== null);
      expect(known.reduce((a, b) => a + b, 0) / known.length).toBeCloseTo(values[measure], 12);
    }
    for (const [measure, rows] of Object.entries(ratios)) expect(meanOfRatios(rows)).toBeCloseTo(values[measure], 12);
  }
});

test('scores are found by the name that a plan gives', () => {
  for (const name of Object.keys(scores)) expect(scoreNamed(name)).toBe(scores[name]);
});

test('an unknown score is refused, also one that every object has', () => {
  expect(() => scoreNamed('toString')).toThrow(expect.objectContaining({ code: 'R0701', cure: expect.stringContaining('logistic') }));
});
