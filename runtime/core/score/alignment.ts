/**
 * `alignment`: whether what is near in one space is near in the other (E4). Mutual k-nearest-neighbour alignment (Huh et al. 2024, "The
 * Platonic Representation Hypothesis", appendix A): features are scaled to unit length, a row's neighbours are the k others of largest
 * inner product, and the row's share is that of its neighbours in one space that are its neighbours in the other too.
 *
 * Tables `seen` and `read`: `features` [n, D] each, of the same rows; D may differ. Parameter `k` (10).
 * Value: `mutual_knn`, the mean share over rows; `examples` has each. `details.chance` = k / (n - 1) is what unrelated spaces get. Of
 * equally near rows the one of smaller index is taken.
 */
import { columnOf, numberOf, requireFinite, tableOf } from './arguments.ts';
import type { ScoreParams, ScoreResult, Table } from './types.ts';
import { scoreError } from './errors.ts';

export function alignment(tables: Record<string, Table>, params: ScoreParams): ScoreResult {
  const k = numberOf(params, 'k', 10, 1, 'alignment');
  const seen = unitRows(tables, 'seen');
  const read = unitRows(tables, 'read');
  const { n } = seen;
  if (read.n !== n) {
    throw scoreError('R0706', `seen has ${n} rows, read ${read.n}`, 'embed the same rows of the same data for both');
  }
  if (!Number.isInteger(k) || k >= n - 1) {
    throw scoreError('R0704', `k of the score alignment is ${k}, with ${n} rows`, 'give a whole number below the number of other rows');
  }
  const [first, second] = [neighbours(seen, k), neighbours(read, k)];
  const shares = first.map((near, i) => near.filter((j) => second[i].includes(j)).length / k);
  return {
    values: { mutual_knn: shares.reduce((a, b) => a + b, 0) / n },
    examples: { mutual_knn: shares },
    details: { k, n, chance: k / (n - 1) },
  };
}

interface Space {
  /** [n, width], each row of unit length. */
  rows: Float64Array;
  n: number;
  width: number;
}

function unitRows(tables: Record<string, Table>, argument: string): Space {
  const features = columnOf(tableOf(tables, argument, 'alignment'), 'features', argument, 'alignment');
  requireFinite(features, 'features', argument, 'alignment');
  if (features.shape.length !== 2) {
    throw scoreError(
      'R0706',
      `features of ${argument} have the shape [${features.shape.join(', ')}]`,
      'keep one vector a row, such as a mean',
    );
  }
  const [n, width] = features.shape;
  const rows = Float64Array.from(features.data);
  for (let i = 0; i < n; i++) {
    let square = 0;
    for (let d = i * width; d < (i + 1) * width; d++) square += rows[d] * rows[d];
    if (square === 0) {
      throw scoreError(
        'R0706',
        `the features of row ${i + 1} of ${argument} are all zero and point nowhere`,
        'look at what the embed keeps',
      );
    }
    const length = Math.sqrt(square);
    for (let d = i * width; d < (i + 1) * width; d++) rows[d] /= length;
  }
  return { rows, n, width };
}

/** The k nearest others of each row, the nearest first. */
function neighbours({ rows, n, width }: Space, k: number): number[][] {
  const nearness = new Float64Array(n);
  return Array.from({ length: n }, (_, i) => {
    for (let j = 0; j < n; j++) {
      let product = 0;
      for (let d = 0; d < width; d++) product += rows[i * width + d] * rows[j * width + d];
      nearness[j] = product;
    }
    const near: number[] = [];
    for (let j = 0; j < n; j++) {
      if (j === i || (near.length === k && nearness[j] <= nearness[near[k - 1]])) continue;
      let at = near.length;
      while (at > 0 && nearness[near[at - 1]] < nearness[j]) at--;
      near.splice(at, 0, j);
      if (near.length > k) near.pop();
    }
    return near;
  });
}
