/** Mean and spread of a sample, and the interval of its mean. */
import { requireNumbers, statisticsError } from './errors.ts';
import { studentQuantile } from './student.ts';

/** The arithmetic mean; undefined for no values. */
export function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0) / values.length;
}

/** Sample standard deviation (n - 1); undefined for fewer than two values. */
export function deviation(values: readonly number[]): number | undefined {
  const centre = mean(values);
  if (centre === undefined || values.length < 2) return undefined;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - centre) ** 2, 0) / (values.length - 1));
}

export interface Interval {
  mean: number;
  /** Undefined for a single value: it says nothing about others. */
  interval?: [number, number];
  n: number;
}

/**
 * Mean with its interval by Student's t: mean ± t(n - 1) s / sqrt(n). `level` is the share of samples whose interval holds the
 * true mean, were the values independent and normal. Undefined for no values; R0711 for one that is not finite.
 */
export function meanInterval(values: readonly number[], level = 0.95): Interval | undefined {
  requireNumbers(values, 'the sample');
  if (!(level > 0 && level < 1))
    throw statisticsError('R0711', `an interval of ${level} is none`, 'give a level between 0 and 1, such as 0.95');
  const centre = mean(values);
  if (centre === undefined) return undefined;
  const n = values.length;
  const spread = deviation(values);
  if (spread === undefined) return { mean: centre, n };
  const half = (studentQuantile((1 + level) / 2, n - 1) * spread) / Math.sqrt(n);
  return { mean: centre, interval: [centre - half, centre + half], n };
}
