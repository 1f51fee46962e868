/** A multinomial logistic regression on standardised features, fitted. */
import { minimise } from './lbfgs.ts';
import type { Minimum } from './lbfgs.ts';
import { crossEntropy, likeliest } from './softmax-regression.ts';
import type { Examples } from './softmax-regression.ts';
import { standardiser } from './standardise.ts';

export interface Solver {
  /** On the largest entry of the gradient. */
  tolerance: number;
  iterations: number;
}

export interface Fitted {
  /** Labels that were fitted, in order. */
  classes: number[];
  /** Weights [classes, width + 1], the last column being the intercepts. */
  minimum: Minimum;
  /** The likeliest label of each example. */
  predict(examples: Examples): Int32Array;
}

/** Fits mean(-log p(label)) + l2 / 2 * |W|^2; `start` are weights of an earlier fit of the same examples. */
export function fitRegression(examples: Examples, l2: number, { tolerance, iterations }: Solver, start?: Float64Array): Fitted {
  const standardise = standardiser(examples.features, examples.width);
  const classes = [...new Set(examples.label)].sort((a, b) => a - b);
  const target = Int32Array.from(examples.label, (label) => classes.indexOf(label));
  const objective = crossEntropy(standardised(examples), target, classes.length, l2);
  const minimum = minimise(objective, start ?? new Float64Array(classes.length * (examples.width + 1)), tolerance, iterations);
  return {
    classes,
    minimum,
    predict: (others) => likeliest(minimum.x, standardised(others), classes.length).map((c) => classes[c]),
  };

  function standardised(some: Examples): Examples {
    const features = some.features.slice();
    standardise(features);
    return { ...some, features };
  }
}
