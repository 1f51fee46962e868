/** Mean and spread over seeds, and intervals for differences that are paired by seed. */

export function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0) / values.length;
}

/** Sample standard deviation (n - 1); undefined for fewer than two values. */
export function deviation(values: readonly number[]): number | undefined {
  const centre = mean(values);
  if (centre === undefined || values.length < 2) return undefined;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - centre) ** 2, 0) / (values.length - 1));
}

/** Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom; beyond the table the normal one is near. */
const T95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086,
  2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

export interface Difference {
  mean: number;
  /** 95 % interval of the mean by Student's t; undefined for a single pair. */
  interval?: [number, number];
  pairs: number;
}

/** b - a, seed by seed, over the seeds that both have; undefined where they share none. */
export function pairedDifference(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): Difference | undefined {
  const differences: number[] = [];
  for (const [seed, value] of b) {
    const other = a.get(seed);
    if (other !== undefined) differences.push(value - other);
  }
  const centre = mean(differences);
  if (centre === undefined) return undefined;
  const n = differences.length;
  const spread = deviation(differences);
  if (spread === undefined) return { mean: centre, pairs: n };
  const half = ((n - 1 <= T95.length ? T95[n - 2] : 1.96) * spread) / Math.sqrt(n);
  return { mean: centre, interval: [centre - half, centre + half], pairs: n };
}
