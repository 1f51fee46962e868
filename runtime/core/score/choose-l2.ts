/**
 * Chooses the strength of a regression's penalty by validation: each value of a grid is fitted on one part of the fitting rows and
 * judged by its accuracy on the other. Held rows have no part in it. Of equally accurate values the larger one is taken, which is the simpler model.
 *
 * Which rows validate follows from their index alone, drawn by a key: rows often come in a repeating order of classes, so that every
 * fifth row would be a sample of few. All examples of a row (its patches) are on one side.
 */
import { keyOf, Random } from '../random.ts';
import { numberOf } from './arguments.ts';
import { fitRegression } from './fit-regression.ts';
import type { Solver } from './fit-regression.ts';
import type { Examples } from './softmax-regression.ts';
import type { ScoreParams } from './types.ts';
import { scoreError } from './errors.ts';

export interface Grid {
  /** Ascending. */
  values: number[];
  /** Share of the rows that validate, between 0 and 1. */
  validate: number;
}

export interface Choice {
  l2: number;
  /** `edge`: the choice stands at an end of a grid of several values, so that the best may lie beyond. */
  details: { l2: number[]; accuracy: number[]; chosen: number; edge: boolean; fitted: number; validated: number };
}

/** The grid that the parameters ask for; undefined where they ask for none. R0704 where they contradict themselves. */
export function gridOf(params: ScoreParams): Grid | undefined {
  const asked = (name: string): boolean => Object.hasOwn(params, name);
  const steps = numberOf(params, 'l2_steps', 0, 0, 'logistic');
  if (steps === 0) {
    if (asked('l2_steps') || !(asked('l2_from') || asked('l2_to'))) return undefined;
    throw scoreError(
      'R0704',
      'logistic is given an end of a grid of l2, and no l2_steps',
      'say how many values to try, such as l2_steps: 7',
    );
  }
  const [from, to] = [numberOf(params, 'l2_from', 0, 0, 'logistic'), numberOf(params, 'l2_to', 0, 0, 'logistic')];
  const validate = numberOf(params, 'validate', 0.2, 0, 'logistic');
  if (!Number.isInteger(steps) || from <= 0 || to < from || (steps > 1 && to === from)) {
    throw scoreError(
      'R0704',
      `logistic cannot make a grid of ${steps} values of l2 from ${from} to ${to}`,
      'give a whole number of steps, and two ends above 0, the smaller one first',
    );
  }
  if (validate <= 0 || validate >= 1) {
    throw scoreError('R0704', `validate of logistic is ${validate}, and a grid of l2 needs rows to choose by`, 'give a share such as 0.2');
  }
  const values = Array.from({ length: steps }, (_, i) => (steps === 1 ? from : from * (to / from) ** (i / (steps - 1))));
  return { values, validate };
}

/** Whether row `index` validates: a function of the index and the share alone, true for about that share of rows. */
export function validates(index: number, share: number): boolean {
  return new Random(keyOf('logistic/validate', 0), index).uniform() < share;
}

/** Fits every value of the grid; `perRow` examples after one another are one row. R0706 where one side has no rows. */
export function chooseL2(examples: Examples, perRow: number, { values, validate }: Grid, solver: Solver): Choice {
  const rows = Array.from({ length: examples.n / perRow }, (_, row) => row);
  const fit = part(
    examples,
    perRow,
    rows.filter((row) => !validates(row, validate)),
  );
  const judge = part(
    examples,
    perRow,
    rows.filter((row) => validates(row, validate)),
  );
  if (fit.n === 0 || judge.n === 0) {
    throw scoreError('R0706', `${rows.length} rows are too few to set ${validate} of them aside`, 'give the embed `fit` more rows');
  }
  const accuracy = new Array<number>(values.length).fill(0);
  let best = values.length - 1;
  let start: Float64Array | undefined;
  // From the strongest penalty on, each fit begins where the last one ended: the minima are the same, and nearer.
  for (let i = values.length - 1; i >= 0; i--) {
    const fitted = fitRegression(fit, values[i], solver, start);
    start = fitted.minimum.x;
    const predicted = fitted.predict(judge);
    accuracy[i] = predicted.reduce((sum, label, at) => sum + (label === judge.label[at] ? 1 : 0), 0) / judge.n;
    if (accuracy[i] > accuracy[best]) best = i;
  }
  const edge = values.length > 1 && (best === 0 || best === values.length - 1);
  return { l2: values[best], details: { l2: values, accuracy, chosen: values[best], edge, fitted: fit.n, validated: judge.n } };
}

function part({ features, label, width }: Examples, perRow: number, rows: readonly number[]): Examples {
  const n = rows.length * perRow;
  const some = { features: new Float64Array(n * width), label: new Int32Array(n), n, width };
  rows.forEach((row, i) => {
    const [from, to] = [row * perRow, (row + 1) * perRow];
    some.features.set(features.subarray(from * width, to * width), i * perRow * width);
    some.label.set(label.subarray(from, to), i * perRow);
  });
  return some;
}
