/**
 * Multinomial logistic regression as a function to minimise. Rows are taken in fours: a weight is loaded once for four
 * rows and four sums run side by side, which makes plain JavaScript several times as fast as row by row.
 */
import type { Objective } from './lbfgs.ts';

export interface Examples {
  /** [n, width], row-major. */
  features: Float64Array;
  label: Int32Array;
  n: number;
  width: number;
}

const BLOCK = 4;

/**
 * mean(-log p(target)) + l2 / 2 * |W|^2 of parameters [classes, width + 1], whose last column is the intercept and is not
 * penalised. `target` holds indices of classes.
 */
export function crossEntropy({ features, n, width }: Examples, target: Int32Array, classes: number, l2: number): Objective {
  // Rows that fill up the last four weigh nothing.
  const padded = new Float64Array(Math.ceil(n / BLOCK) * BLOCK * width);
  padded.set(features);
  const logits = new Float64Array(classes * BLOCK);
  return (x, gradient) => {
    gradient.fill(0);
    let loss = 0;
    for (let row = 0; row < n; row += BLOCK) {
      scoreRows(x, padded, row * width, width, classes, logits);
      for (let r = 0; r < BLOCK; r++) loss += row + r < n ? softmaxSlopes(logits, r, target[row + r], 1 / n) : ignore(logits, r);
      addSlopes(gradient, padded, row * width, width, classes, logits);
    }
    let squares = 0;
    for (let c = 0; c < classes; c++) {
      for (let at = c * (width + 1); at < c * (width + 1) + width; at++) {
        squares += x[at] * x[at];
        gradient[at] += l2 * x[at];
      }
    }
    return loss / n + (l2 / 2) * squares;
  };
}

/** The likeliest class of each example; of equally likely ones the first. */
export function likeliest(x: Float64Array, { features, n, width }: Examples, classes: number): Int32Array {
  const padded = new Float64Array(Math.ceil(n / BLOCK) * BLOCK * width);
  padded.set(features);
  const logits = new Float64Array(classes * BLOCK);
  const best = new Int32Array(n);
  for (let row = 0; row < n; row++) {
    if (row % BLOCK === 0) scoreRows(x, padded, row * width, width, classes, logits);
    for (let c = 1; c < classes; c++) if (logits[c * BLOCK + (row % BLOCK)] > logits[best[row] * BLOCK + (row % BLOCK)]) best[row] = c;
  }
  return best;
}

/** logits[c, r] = w_c . f_r + b_c for the four rows of features that begin at `from`. */
function scoreRows(x: Float64Array, features: Float64Array, from: number, width: number, classes: number, logits: Float64Array): void {
  const [f1, f2, f3] = [from + width, from + 2 * width, from + 3 * width];
  for (let c = 0, at = 0; c < classes; c++, at += width + 1) {
    const intercept = x[at + width];
    let s0 = intercept;
    let s1 = intercept;
    let s2 = intercept;
    let s3 = intercept;
    for (let d = 0; d < width; d++) {
      const w = x[at + d];
      s0 += w * features[from + d];
      s1 += w * features[f1 + d];
      s2 += w * features[f2 + d];
      s3 += w * features[f3 + d];
    }
    logits[BLOCK * c] = s0;
    logits[BLOCK * c + 1] = s1;
    logits[BLOCK * c + 2] = s2;
    logits[BLOCK * c + 3] = s3;
  }
}

/** Turns the logits of row `r` into `weight` times the gradient of its loss, and returns the loss. */
function softmaxSlopes(logits: Float64Array, r: number, target: number, weight: number): number {
  let top = -Infinity;
  for (let at = r; at < logits.length; at += BLOCK) if (logits[at] > top) top = logits[at];
  const right = logits[BLOCK * target + r];
  let sum = 0;
  for (let at = r; at < logits.length; at += BLOCK) {
    logits[at] = Math.exp(logits[at] - top);
    sum += logits[at];
  }
  for (let at = r; at < logits.length; at += BLOCK) logits[at] *= weight / sum;
  logits[BLOCK * target + r] -= weight;
  return Math.log(sum) + top - right;
}

function ignore(logits: Float64Array, r: number): number {
  for (let at = r; at < logits.length; at += BLOCK) logits[at] = 0;
  return 0;
}

/** gradient[c] += slope[c, r] * (f_r, 1), over the four rows. */
function addSlopes(
  gradient: Float64Array,
  features: Float64Array,
  from: number,
  width: number,
  classes: number,
  slopes: Float64Array,
): void {
  const [f1, f2, f3] = [from + width, from + 2 * width, from + 3 * width];
  for (let c = 0, at = 0; c < classes; c++, at += width + 1) {
    const s0 = slopes[BLOCK * c];
    const s1 = slopes[BLOCK * c + 1];
    const s2 = slopes[BLOCK * c + 2];
    const s3 = slopes[BLOCK * c + 3];
    for (let d = 0; d < width; d++) {
      gradient[at + d] += s0 * features[from + d] + s1 * features[f1 + d] + s2 * features[f2 + d] + s3 * features[f3 + d];
    }
    gradient[at + width] += s0 + s1 + s2 + s3;
  }
}
