/**
 * Means of ratios over classes, such as macro recall and mean intersection over union. They are no means over examples, so that a
 * row keeps what it adds to each class, from which the measure can be computed over any choice of rows.
 */

/** What one example adds: [class, hits, of] for each class that it adds to. */
export type RatioRow = [number, number, number][];

/** The mean over classes of sum(hits) / sum(of); classes whose sum of `of` is 0 are left out. Undefined where no class is left. */
export function meanOfRatios(rows: readonly RatioRow[]): number | undefined {
  return weightedRatios(rows)(new Int32Array(rows.length).fill(1));
}

/**
 * What each row adds to the mean of ratios, such that their mean is that measure: the measure and the row's influence on it, to first order (the
 * infinitesimal jackknife; Efron 1982, "The jackknife, the bootstrap and other resampling plans", chapter 6). Their variance over the
 * rows is that of the measure. Undefined where no class is left.
 */
export function rowsOfRatios(rows: readonly RatioRow[]): number[] | undefined {
  const sums = new Map<number, { hits: number; of: number }>();
  for (const [c, hits, of] of rows.flat()) {
    const sum = sums.get(c) ?? { hits: 0, of: 0 };
    sums.set(c, { hits: sum.hits + hits, of: sum.of + of });
  }
  const measure = meanOfRatios(rows);
  if (measure === undefined) return undefined;
  const classes = [...sums.values()].filter(({ of }) => of !== 0).length;
  return rows.map((row) => {
    const influence = row.reduce((total, [c, hits, of]) => {
      const sum = sums.get(c);
      return sum === undefined || sum.of === 0 ? total : total + (hits - (sum.hits / sum.of) * of) / sum.of;
    }, 0);
    return measure + (rows.length * influence) / classes;
  });
}

/** The same as a function of how often each row counts, to be asked many times. */
export function weightedRatios(rows: readonly RatioRow[]): (weights: Int32Array) => number | undefined {
  // In the order of the classes, so that the sum does not depend on which row came first.
  const classes = [...new Set(rows.flatMap((row) => row.map(([c]) => c)))].sort((a, b) => a - b);
  const position = new Map(classes.map((c, i) => [c, i]));
  const entries = rows.flatMap((row, i) => row.map(([c, hits, of]) => ({ row: i, at: position.get(c) ?? 0, hits, of })));
  const rowOf = Int32Array.from(entries, (e) => e.row);
  const at = Int32Array.from(entries, (e) => e.at);
  const right = Float64Array.from(entries, (e) => e.hits);
  const all = Float64Array.from(entries, (e) => e.of);
  const hits = new Float64Array(classes.length);
  const of = new Float64Array(classes.length);
  return (weights) => {
    hits.fill(0);
    of.fill(0);
    for (let e = 0; e < at.length; e++) {
      const weight = weights[rowOf[e]];
      hits[at[e]] += weight * right[e];
      of[at[e]] += weight * all[e];
    }
    let sum = 0;
    let present = 0;
    for (let c = 0; c < of.length; c++) {
      if (of[c] === 0) continue;
      sum += hits[c] / of[c];
      present++;
    }
    return present === 0 ? undefined : sum / present;
  };
}
