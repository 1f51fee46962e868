import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { logistic } from '../../runtime/core/score/logistic.ts';
import { minimise } from '../../runtime/core/score/lbfgs.ts';
import type { Json, Table } from '../../runtime/core/score/types.ts';

interface Recorded {
  l2: number;
  width: number;
  fit: { features: number[]; label: number[] };
  held: { features: number[]; label: number[] };
  predicted: number[];
  top1: number;
  class_recall: number;
  loss: number;
}

const recorded: Recorded = JSON.parse(readFileSync(new URL('../fixtures/score/logistic.json', import.meta.url), 'utf8'));

function table(features: number[], label: number[], width: number): Table {
  return {
    tensors: new Map([
      ['features', { shape: [label.length, width], data: Float32Array.from(features) }],
      ['label', { shape: [label.length], data: Int32Array.from(label) }],
    ]),
    rows: [],
  };
}

function detail(details: Json | undefined, name: string): Json {
  if (typeof details !== 'object' || details === null || Array.isArray(details)) throw new Error('details are no object');
  return details[name];
}

const fit = table(recorded.fit.features, recorded.fit.label, recorded.width);
const held = table(recorded.held.features, recorded.held.label, recorded.width);

describe('logistic', () => {
  test('agrees with scikit-learn', () => {
    const result = logistic({ fit, held }, { l2: recorded.l2, tolerance: 1e-9 });
    expect(detail(result.details, 'predicted')).toEqual(recorded.predicted);
    expect(result.values.top1).toBeCloseTo(recorded.top1, 12);
    expect(result.values.class_recall).toBeCloseTo(recorded.class_recall, 12);
    expect(Math.abs(Number(detail(result.details, 'loss')) - recorded.loss)).toBeLessThan(1e-9);
    expect(detail(result.details, 'converged')).toBe(true);
    expect(recorded.top1).not.toBe(recorded.class_recall);
  });

  test('keeps for each held row whether it was right', () => {
    const { values, examples, ratios } = logistic({ fit, held }, { l2: recorded.l2 });
    const correct = recorded.predicted.map((label, i) => (label === recorded.held.label[i] ? 1 : 0));
    expect(examples).toEqual({ top1: correct });
    expect(ratios).toEqual({ class_recall: correct.map((value, i) => [[recorded.held.label[i], value, 1]]) });
    expect(values.top1).toBe(correct.reduce((x: number, y) => x + y, 0) / 80);
  });

  test('does not mind the scale of a column', () => {
    const scaled = (t: number[]) => t.map((v, i) => (i % recorded.width === 1 ? v * 1024 : v));
    const again = logistic(
      {
        fit: table(scaled(recorded.fit.features), recorded.fit.label, recorded.width),
        held: table(scaled(recorded.held.features), recorded.held.label, recorded.width),
      },
      { l2: recorded.l2 },
    );
    expect(again.values).toEqual(logistic({ fit, held }, { l2: recorded.l2 }).values);
  });

  test('reads a label a patch as an example a patch', () => {
    const patches = (t: Table): Table => ({
      tensors: new Map([...t.tensors].map(([name, { shape, data }]) => [name, { shape: [shape[0] / 4, 4, ...shape.slice(1)], data }])),
      rows: [],
    });
    const flat = logistic({ fit, held }, { l2: recorded.l2 });
    const grouped = logistic({ fit: patches(fit), held: patches(held) }, { l2: recorded.l2 });
    expect(grouped.values.class_recall).toBe(flat.values.class_recall);
    expect(grouped.values.top1).toBeCloseTo(flat.values.top1, 14);
    expect(grouped.details).toEqual(flat.details);
    // Patches of one picture are no independent examples: they stand in one row.
    const [first] = grouped.examples?.top1 ?? [];
    expect(grouped.examples?.top1).toHaveLength(20);
    expect(first).toBe((flat.examples?.top1 ?? []).slice(0, 4).reduce((sum: number, value) => sum + (value ?? NaN), 0) / 4);
    expect(grouped.ratios?.class_recall[0].reduce((sum, [, , of]) => sum + of, 0)).toBe(4);
  });

  test('a class that was never fitted is missed', () => {
    const two = table([0, 0.1, 1, 1.1], [0, 0, 5, 5], 1);
    const three = table([0, 1, 2], [0, 5, 7], 1);
    expect(logistic({ fit: two, held: three }, {}).values).toEqual({ top1: 2 / 3, class_recall: 2 / 3 });
  });

  test.each([
    ['a missing table', () => logistic({ fit }, {}), 'R0702'],
    ['a missing column', () => logistic({ fit, held: { tensors: new Map(), rows: [] } }, {}), 'R0703'],
    ['a negative l2', () => logistic({ fit, held }, { l2: -1 }), 'R0704'],
    ['a number that is none', () => logistic({ fit, held: table([NaN], [0], 1) }, {}), 'R0705'],
    ['another width', () => logistic({ fit, held: table([1], [0], 1) }, {}), 'R0706'],
    ['no rows', () => logistic({ fit, held: table([], [], recorded.width) }, {}), 'R0706'],
  ])('refuses %s', (_, run, code) => {
    expect(run).toThrow(expect.objectContaining({ code }));
  });
});

describe('minimise', () => {
  test('finds the bottom of a narrow valley', () => {
    // Rosenbrock's function in 4 dimensions, minimum 0 at (1, 1, 1, 1).
    const found = minimise(
      (x, g) => {
        g.fill(0);
        let value = 0;
        for (let i = 0; i < 3; i++) {
          const a = x[i + 1] - x[i] * x[i];
          const b = 1 - x[i];
          value += 100 * a * a + b * b;
          g[i] += -400 * a * x[i] - 2 * b;
          g[i + 1] += 200 * a;
        }
        return value;
      },
      Float64Array.of(-1.2, 1, -1.2, 1),
      1e-9,
      500,
    );
    expect(found.converged).toBe(true);
    for (const value of found.x) expect(value).toBeCloseTo(1, 7);
  });

  test('says so when it was not given enough steps', () => {
    const found = minimise(
      (x, g) => {
        g[0] = 4 * x[0] ** 3;
        return x[0] ** 4;
      },
      Float64Array.of(3),
      1e-12,
      3,
    );
    expect(found.iterations).toBe(3);
    expect(found.converged).toBe(false);
  });
});
