/**
 * `logistic`: a linear probe (E1; with a label a patch, E3). Multinomial logistic regression on standardised features,
 * judged on rows that it was not fitted on.
 *
 * Tables `fit` and `held`: `features` [n, D] and `label` [n]; or [n, P, D] and [n, P], where every patch is an example.
 * Parameters: `l2` (1e-3), `tolerance` on the largest entry of the gradient (1e-6), `iterations` (1000).
 * Values: `top1`, the share of held examples that are classified rightly, and `class_recall`, the mean over classes of the
 * share of their held examples that are. A class that only the held rows have counts as missed.
 *
 * The minimised function is mean(-log p(label)) + l2 / 2 * |W|^2, the intercepts being free. That is the function of
 * scikit-learn's `LogisticRegression(C)` after `StandardScaler`, divided by C * n: C = 1 / (l2 * n), n = fitted examples.
 * (For two classes scikit-learn keeps one weight vector where this keeps two; its C is then half of that.)
 */
import { elements } from '../../../plan/dtypes.ts';
import { columnOf, numberOf, requireFinite, tableOf } from './arguments.ts';
import { minimise } from './lbfgs.ts';
import { crossEntropy, likeliest } from './softmax-regression.ts';
import type { Examples } from './softmax-regression.ts';
import { standardiser } from './standardise.ts';
import type { ScoreParams, ScoreResult, Table } from './types.ts';
import { scoreError } from './errors.ts';

export function logistic(tables: Record<string, Table>, params: ScoreParams): ScoreResult {
  const l2 = numberOf(params, 'l2', 1e-3, 0, 'logistic');
  const tolerance = numberOf(params, 'tolerance', 1e-6, 0, 'logistic');
  const iterations = numberOf(params, 'iterations', 1000, 1, 'logistic');
  const fit = examples(tables, 'fit');
  const held = examples(tables, 'held');
  if (fit.width !== held.width) {
    throw scoreError(
      'R0706',
      `the features of fit have ${fit.width} columns, those of held ${held.width}`,
      'keep the same features in both embeds',
    );
  }
  const standardise = standardiser(fit.features, fit.width);
  standardise(fit.features);
  standardise(held.features);

  const classes = [...new Set(fit.label)].sort((a, b) => a - b);
  const target = Int32Array.from(fit.label, (label) => classes.indexOf(label));
  const objective = crossEntropy(fit, target, classes.length, l2);
  const minimum = minimise(objective, new Float64Array(classes.length * (fit.width + 1)), tolerance, iterations);

  const predicted = likeliest(minimum.x, held, classes.length).map((c) => classes[c]);
  const correct = Array.from(predicted, (label, i) => (label === held.label[i] ? 1 : 0));
  return {
    values: { top1: mean(correct), class_recall: classRecall(held.label, correct) },
    details: {
      correct,
      predicted: [...predicted],
      classes: classes.length,
      fitted: fit.n,
      held: held.n,
      largestClass: largestClass(held.label),
      loss: minimum.value,
      iterations: minimum.iterations,
      converged: minimum.converged,
    },
  };
}

function examples(tables: Record<string, Table>, argument: string): Examples {
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
  return { features: Float64Array.from(features.data), label: Int32Array.from(label.data), n, width: features.shape[leading.length] };
}

function classRecall(label: Int32Array, correct: number[]): number {
  const found = new Map<number, number>();
  label.forEach((value, i) => found.set(value, (found.get(value) ?? 0) + correct[i]));
  const count = counts(label);
  return mean([...count].map(([value, n]) => (found.get(value) ?? 0) / n));
}

/** What always guessing the commonest class would give: the number to read top-1 against. */
function largestClass(label: Int32Array): number {
  return Math.max(...counts(label).values()) / label.length;
}

function counts(label: Int32Array): Map<number, number> {
  const count = new Map<number, number>();
  for (const value of label) count.set(value, (count.get(value) ?? 0) + 1);
  return count;
}

function mean(values: number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
