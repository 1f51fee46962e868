/**
 * `logistic`: a linear probe (E1; with a label a patch, E3). Multinomial logistic regression on standardised features,
 * judged on rows that it was not fitted on.
 *
 * Tables `fit` and `held`: `features` [n, D] and `label` [n]; or [n, P, D] and [n, P], where every patch is an example.
 * Parameters: `l2` (1e-3), `tolerance` on the largest entry of the gradient (1e-6), `iterations` (1000); or, in place of `l2`, a
 * grid to choose it from: `l2_from` to `l2_to` in `l2_steps` equal log steps (`l2_steps: 0` means no grid), the best on a share
 * `validate` (0.2) of the fitting rows, see `choose-l2.ts`. Then all fitting rows are fitted again.
 * Values: `top1`, the share of held examples that are classified rightly, and `class_recall`, the mean over classes of the
 * share of their held examples that are. A class that only the held rows have counts as missed. By row, patches together:
 * `examples` of top1 and `ratios` of class_recall.
 *
 * The minimised function is mean(-log p(label)) + l2 / 2 * |W|^2, the intercepts being free. That is the function of
 * scikit-learn's `LogisticRegression(C)` after `StandardScaler`, divided by C * n: C = 1 / (l2 * n), n = fitted examples.
 * (For two classes scikit-learn keeps one weight vector where this keeps two; its C is then half of that.)
 */
import { elements } from '../../../plan/dtypes.ts';
import { meanOfRatios } from '../statistics/statistics.ts';
import type { RatioRow } from '../statistics/statistics.ts';
import { columnOf, numberOf, requireFinite, tableOf } from './arguments.ts';
import { chooseL2, gridOf } from './choose-l2.ts';
import { fitRegression } from './fit-regression.ts';
import type { Solver } from './fit-regression.ts';
import type { Examples } from './softmax-regression.ts';
import type { Json, ScoreParams, ScoreResult, Table } from './types.ts';
import { scoreError } from './errors.ts';

export function logistic(tables: Record<string, Table>, params: ScoreParams): ScoreResult {
  const grid = gridOf(params);
  const solver: Solver = {
    tolerance: numberOf(params, 'tolerance', 1e-6, 0, 'logistic'),
    iterations: numberOf(params, 'iterations', 1000, 1, 'logistic'),
  };
  const fit = examples(tables, 'fit');
  const held = examples(tables, 'held');
  if (fit.width !== held.width) {
    throw scoreError(
      'R0706',
      `the features of fit have ${fit.width} columns, those of held ${held.width}`,
      'keep the same features in both embeds',
    );
  }
  const chosen = grid && chooseL2(fit, fit.perRow, grid, solver);
  const l2 = chosen?.l2 ?? numberOf(params, 'l2', 1e-3, 0, 'logistic');
  const fitted = fitRegression(fit, l2, solver);
  const predicted = fitted.predict(held);
  const ratios = byRow(held, predicted);
  const correct = ratios.map((row) => row.reduce((sum, [, hits]) => sum + hits, 0) / held.perRow);
  return {
    values: {
      top1: correct.reduce((a, b) => a + b, 0) / correct.length,
      class_recall: meanOfRatios(ratios) ?? 0,
    },
    examples: { top1: correct },
    ratios: { class_recall: ratios },
    details: {
      predicted: [...predicted],
      classes: fitted.classes.length,
      fitted: fit.n,
      held: held.n,
      largestClass: largestClass(held.label),
      loss: fitted.minimum.value,
      iterations: fitted.minimum.iterations,
      converged: fitted.minimum.converged,
      l2,
      ...(chosen === undefined ? {} : { validation: chosen.details satisfies Json }),
    },
  };
}

/** Examples of a table, of which `perRow` after one another come from one row. */
type RowExamples = Examples & { perRow: number };

function examples(tables: Record<string, Table>, argument: string): RowExamples {
  const table = tableOf(tables, argument, 'logistic');
  const features = columnOf(table, 'features', argument, 'logistic');
  const label = columnOf(table, 'label', argument, 'logistic');
  const leading = features.shape.slice(0, -1);
  if (features.shape.length < 2 || leading.join() !== label.shape.join()) {
    throw scoreError(
      'R0706',
      `features [${features.shape.join(', ')}] and label [${label.shape.join(', ')}] of ${argument} do not belong together`,
      'features need one axis more than the labels, and the same axes before it',
    );
  }
  const n = elements(leading);
  if (n === 0) throw scoreError('R0706', `${argument} has no rows`, 'give the embed a count above 0');
  requireFinite(features, 'features', argument, 'logistic');
  return {
    features: Float64Array.from(features.data),
    label: Int32Array.from(label.data),
    n,
    width: features.shape[leading.length],
    perRow: n / leading[0],
  };
}

/** For each row of the table: how many of its examples of each class there are, and how many of those are classified rightly. */
function byRow({ label, n, perRow }: RowExamples, predicted: Int32Array): RatioRow[] {
  return Array.from({ length: n / perRow }, (_, row) => {
    const counts = new Map<number, [number, number]>();
    for (let i = row * perRow; i < (row + 1) * perRow; i++) {
      const [hits, of] = counts.get(label[i]) ?? [0, 0];
      counts.set(label[i], [hits + (predicted[i] === label[i] ? 1 : 0), of + 1]);
    }
    return [...counts].map(([c, [hits, of]]): [number, number, number] => [c, hits, of]);
  });
}

/** What always guessing the commonest class would give: the number to read top-1 against. */
function largestClass(label: Int32Array): number {
  const count = new Map<number, number>();
  for (const value of label) count.set(value, (count.get(value) ?? 0) + 1);
  return Math.max(...count.values()) / label.length;
}
