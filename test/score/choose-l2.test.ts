import { describe, expect, test } from '@jest/globals';
import { gridOf, validates } from '../../runtime/core/score/choose-l2.ts';
import { logistic } from '../../runtime/core/score/logistic.ts';
import type { Json, ScoreParams, Table } from '../../runtime/core/score/types.ts';
import { recorded } from '../statistics/fixtures.ts';

interface Side {
  features: number[];
  label: number[];
}
const data = recorded<{ width: number; fit: Side; held: Side; grid: { l2: number; top1: number }[] }>('logistic');

function table({ features, label }: Side): Table {
  return {
    tensors: new Map([
      ['features', { shape: [label.length, data.width], data: Float32Array.from(features) }],
      ['label', { shape: [label.length], data: Int32Array.from(label) }],
    ]),
    rows: [],
  };
}

const tables = { fit: table(data.fit), held: table(data.held) };
const run = (params: ScoreParams) => logistic(tables, params);
const detail = (details: Json | undefined, name: string): Json => (details as Record<string, Json>)[name];

describe('a grid of l2', () => {
  test('each value alone gives the accuracy of scikit-learn', () => {
    for (const { l2, top1 } of data.grid) expect(Math.abs(run({ l2 }).values.top1 - top1)).toBeLessThanOrEqual(0.005);
    expect(new Set(data.grid.map(({ top1 }) => top1)).size).toBeGreaterThan(3);
  });

  test('is chosen from by the accuracy on rows set aside, and all rows are fitted again', () => {
    const params = { l2_from: 1e-4, l2_to: 1, l2_steps: 5, validate: 0.25 };
    const result = run(params);
    const validation = detail(result.details, 'validation') as {
      l2: number[];
      accuracy: number[];
      chosen: number;
      edge: boolean;
      validated: number;
    };
    // By hand: the same split as a problem of its own, once for each value.
    const rows = data.fit.label.map((_, i) => i);
    const side = (chosen: number[]): Table =>
      table({
        features: chosen.flatMap((i) => data.fit.features.slice(i * data.width, (i + 1) * data.width)),
        label: chosen.map((i) => data.fit.label[i]),
      });
    const split = { fit: side(rows.filter((i) => !validates(i, 0.25))), held: side(rows.filter((i) => validates(i, 0.25))) };
    const byHand = data.grid.map(({ l2 }) => logistic(split, { l2 }).values.top1);
    validation.l2.forEach((l2, i) => expect(l2).toBeCloseTo(data.grid[i].l2, 12));
    validation.accuracy.forEach((accuracy, i) => expect(accuracy).toBeCloseTo(byHand[i], 12));
    expect(validation.validated).toBe(split.held.tensors.get('label')?.shape[0]);
    const best = byHand.lastIndexOf(Math.max(...byHand));
    expect(validation.chosen).toBeCloseTo(data.grid[best].l2, 12);
    expect(validation.edge).toBe(best === 0 || best === 4);
    expect(detail(result.details, 'fitted')).toBe(data.fit.label.length);
    expect(result.values).toEqual(run({ l2: validation.chosen }).values);
  });

  test('of equally accurate values the larger is taken, and an end of the grid is named', () => {
    // With penalties this small the fits are the same.
    const result = run({ l2_from: 1e-13, l2_to: 1e-12, l2_steps: 3, iterations: 30 });
    const { accuracy, chosen, edge } = detail(result.details, 'validation') as { accuracy: number[]; chosen: number; edge: boolean };
    expect(new Set(accuracy).size).toBe(1);
    expect(chosen).toBeCloseTo(1e-12, 24);
    expect(edge).toBe(true);
  });

  test('is not made where none is asked for', () => {
    expect(run({ l2: 0.01, l2_steps: 0, l2_from: 1, l2_to: 2, validate: 0 })).toEqual(run({ l2: 0.01 }));
    expect(detail(run({}).details, 'validation')).toBeUndefined();
  });

  test('rows are set aside by their index alone, in no pattern that data could share', () => {
    const chosen = Array.from({ length: 2000 }, (_, i) => i).filter((i) => validates(i, 0.2));
    expect(chosen.length / 2000).toBeCloseTo(0.2, 1);
    const classes = new Map<number, number>();
    for (const i of chosen) classes.set(i % 10, (classes.get(i % 10) ?? 0) + 1);
    expect(Math.min(...classes.values())).toBeGreaterThan(20);
    expect(classes.size).toBe(10);
    // More are set aside for a larger share, none less.
    expect(chosen.every((i) => validates(i, 0.3))).toBe(true);
  });

  test('steps are equal in the logarithm', () => {
    expect(gridOf({ l2_from: 1e-3, l2_to: 10, l2_steps: 3 })).toEqual({ values: [1e-3, expect.closeTo(0.1, 12), 10], validate: 0.2 });
    expect(gridOf({ l2_from: 0.5, l2_to: 0.5, l2_steps: 1 })?.values).toEqual([0.5]);
  });

  test.each([
    ['an end without steps', { l2_from: 1 }, 'R0704'],
    ['ends the wrong way round', { l2_from: 1, l2_to: 0.1, l2_steps: 3 }, 'R0704'],
    ['an end of zero', { l2_from: 0, l2_to: 0.1, l2_steps: 3 }, 'R0704'],
    ['half a step', { l2_from: 0.01, l2_to: 0.1, l2_steps: 2.5 }, 'R0704'],
    ['nothing to choose by', { l2_from: 0.01, l2_to: 0.1, l2_steps: 2, validate: 0 }, 'R0704'],
    ['nothing to fit', { l2_from: 0.01, l2_to: 0.1, l2_steps: 2, validate: 1 }, 'R0704'],
    ['a share that leaves no row', { l2_from: 0.01, l2_to: 0.1, l2_steps: 2, validate: 1e-9 }, 'R0706'],
  ])('refuses %s', (_, params: ScoreParams, code) => {
    expect(() => run(params)).toThrow(expect.objectContaining({ code }));
  });
});
