import { describe, expect, test } from '@jest/globals';
import { segmentation } from '../../runtime/core/score/segmentation.ts';
import { meanOfRatios } from '../../runtime/core/statistics/statistics.ts';
import type { Table, TableTensor } from '../../runtime/core/score/types.ts';
import { recorded } from '../statistics/fixtures.ts';

const data = recorded<{
  shape: [number, number, number];
  label: number[];
  said: number[];
  logits: number[];
  recall: number;
  iou: number;
  confusion: number[][];
}>('segmentation');
const [n, patches, classes] = data.shape;

const table = (tensors: Record<string, TableTensor>): { judged: Table } => ({
  judged: { tensors: new Map(Object.entries(tensors)), rows: [] },
});
const ints = (values: number[], shape = [n, patches]): TableTensor => ({ shape, data: Int32Array.from(values) });
const label = ints(data.label);
const logits = { shape: data.shape, data: Float32Array.from(data.logits) };

describe('segmentation', () => {
  test('agrees with scikit-learn, from logits', () => {
    const { values, details } = segmentation(table({ label, logits }), {});
    expect(values.recall).toBeCloseTo(data.recall, 12);
    expect(values.iou).toBeCloseTo(data.iou, 12);
    expect(details).toEqual({ rows: n, patches, classes, confusion: data.confusion });
  });

  test('and from classes', () => {
    const { values } = segmentation(table({ label, said: ints(data.said) }), {});
    expect(values).toEqual(segmentation(table({ label, logits }), {}).values);
  });

  test('by hand: a class that is only said lowers the intersection over union, not the recall', () => {
    const { values } = segmentation(table({ label: ints([0, 0, 1, 1], [2, 2]), said: ints([0, 0, 1, 2], [2, 2]) }), {});
    expect(values.recall).toBe((1 + 1 / 2) / 2);
    expect(values.iou).toBeCloseTo((1 + 1 / 2 + 0) / 3, 15);
  });

  test('rows hold what is needed to compute both anew for any choice of them', () => {
    const { ratios } = segmentation(table({ label, logits }), {});
    const chosen = [3, 3, 7];
    const of = (values: number[]) => chosen.flatMap((row) => values.slice(row * patches, (row + 1) * patches));
    const again = segmentation(table({ label: ints(of(data.label), [3, patches]), said: ints(of(data.said), [3, patches]) }), {});
    for (const name of ['recall', 'iou']) {
      expect(meanOfRatios(chosen.map((row) => ratios?.[name][row] ?? []))).toBeCloseTo(again.values[name], 14);
    }
  });

  test.each([
    ['labels of pictures', table({ label: ints(data.label, [n * patches]), logits }), 'R0706'],
    ['logits of other patches', table({ label, logits: { ...logits, shape: [patches, n, classes] } }), 'R0706'],
    ['a class beyond the logits', table({ label: ints(data.label.map((c, i) => (i === 5 ? 6 : c))), logits }), 'R0706'],
    ['a class below zero', table({ label: ints(data.label.map((c, i) => (i === 5 ? -1 : c))), logits }), 'R0706'],
    ['logits that are none', table({ label, logits: { ...logits, data: logits.data.map((v, i) => (i === 9 ? NaN : v)) } }), 'R0705'],
    ['neither logits nor classes', table({ label }), 'R0703'],
    ['another table', {}, 'R0702'],
  ])('refuses %s', (_, tables, code) => {
    expect(() => segmentation(tables, {})).toThrow(expect.objectContaining({ code }));
  });
});
