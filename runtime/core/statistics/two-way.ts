/**
 * The mean of a value a seed, with an interval that also counts rows where all seeds were judged on the same ones.
 *
 * Where each seed draws its rows, the spread of the seeds holds the chance of the rows as well, and Student's t is enough. Where rows are
 * the same (files, or a seed in the text), what they happen to be moves all seeds alike and their spread does not show it. The model is that
 * of crossed random effects, value = mean + seed + row + rest, whose mean has the variance seed / S + row / N + rest / (S N):
 *
 * - `v1`, the variance of the means of S seeds over S, estimates seed / S + rest / (S N), with S - 1 degrees of freedom;
 * - `v2`, the variance of the means of N rows over N, estimates row / N + rest / (S N), with N - 1.
 *
 * v1 + v2 counts the rest twice, as the pigeonhole bootstrap does, which resamples seeds and rows (Owen 2007, "The pigeonhole bootstrap",
 * Annals of Applied Statistics 1): it is too large by no more than the rest, and never negative. The interval is
 *
 *     mean +- sqrt(t(S - 1)^2 v1 + t(N - 1)^2 v2)
 *
 * with Student's quantiles. For normal values it holds the true mean at least as often as it says, whatever the two variances are (Banerjee 1960,
 * "Approximate confidence interval for linear functions of means of k populations when the population variances are not equal", Sankhya 22).
 * p is where this interval just reaches 0. In simulations of 3 to 5 seeds without any difference, with 120 rows that make 0 to 95 % of
 * the variance, it errs in 1.4 to 5.1 %; Student's t over seeds alone in up to 57 %, percentiles of a pigeonhole bootstrap in up to 8 %,
 * Welch's t with Satterthwaite's degrees of freedom for v1 + v2 in up to 7 %. `test/statistics/false-verdicts.test.ts` holds the product to 6.5 %.
 *
 * Bounds: values of seeds and means of rows are taken as normal, and rows as independent of each other. Training rows, and
 * those that a probe is fitted on, are taken as given where they are the same for all seeds: a verdict then speaks of them.
 */
import { deviation, mean, meanInterval } from './sample.ts';
import type { Interval } from './sample.ts';
import { statisticsError } from './errors.ts';
import { studentQuantile, twoSidedP } from './student.ts';

/** Below it no p is told from another. */
const LEAST_P = 1e-300;

/** What each row adds to the value of each seed, such that their mean is that value; null where a row has none. */
export type RowValues = readonly (readonly (number | null)[])[];

/** The two variances of the mean, and their degrees of freedom. */
interface Variances {
  centre: number;
  v1: number;
  df1: number;
  v2: number;
  df2: number;
}

/**
 * Mean and interval of values by seed. `rows`: theirs by row, seed by seed, where the rows are the same for all. Undefined for no values, no interval
 * for a single one. R0711 for one that is not finite, R0712 where seeds have other rows.
 */
export function intervalOver(values: readonly number[], rows?: RowValues, level = 0.95): Interval | undefined {
  const plain = meanInterval(values, level);
  if (plain?.interval === undefined || rows === undefined) return plain;
  const half = halfWidth(variancesOf(values, rows), 1 - level);
  return { ...plain, interval: [plain.mean - half, plain.mean + half] };
}

/**
 * Two-sided p of the mean of at least two values against 0. Where nothing is left of either spread, which comes of measures that count few
 * things, the signs are all that is known, and p is that of the sign test, 2 / 2^n.
 */
export function pOver(values: readonly number[], rows?: RowValues): number {
  const { centre, v1, df1, v2, df2 } = variancesOf(values, rows);
  const largest = Math.max(...values.map(Math.abs));
  if (largest === 0 || centre === 0) return 1;
  // Values such as 0.7 - 0.6 and 0.2 - 0.1 differ by rounding alone.
  const none = (1e-12 * largest) ** 2;
  const [seeds, others] = [v1 * values.length > none, v2 > none];
  if (!seeds && !others) return 2 ** (1 - values.length);
  const t1 = twoSidedP(centre / Math.sqrt(v1), df1);
  if (!others) return t1;
  const t2 = twoSidedP(centre / Math.sqrt(v2), df2);
  if (!seeds) return t2;
  // Each part alone asks for less, the sum under the heavier tail for more.
  return reached({ centre, v1, df1, v2, df2 }, Math.max(t1, t2), twoSidedP(centre / Math.sqrt(v1 + v2), Math.min(df1, df2)));
}

function variancesOf(values: readonly number[], rows?: RowValues): Variances {
  const centre = mean(values) ?? 0;
  const v1 = (deviation(values) ?? 0) ** 2 / values.length;
  const byRow = rows === undefined ? [] : rowMeans(rows, values.length);
  const v2 = byRow.length < 2 ? 0 : (deviation(byRow) ?? 0) ** 2 / byRow.length;
  return { centre, v1, df1: values.length - 1, v2, df2: Math.max(1, byRow.length - 1) };
}

/** Of each row over the seeds that have a value of it. */
function rowMeans(rows: RowValues, seeds: number): number[] {
  const [first] = rows;
  if (rows.length !== seeds || rows.some((list) => list.length !== first.length)) {
    throw statisticsError(
      'R0712',
      `${seeds} seeds have ${rows.map((list) => list.length).join(', ')} rows`,
      'judge all seeds on the same rows, or each on rows of its own',
    );
  }
  return first.flatMap((_, i) => mean(rows.flatMap((list) => (isKnown(list[i]) ? [list[i]] : []))) ?? []);
}

/** How far the interval reaches that leaves out a share p: by the lower quantile, which keeps its digits where p is small. */
function halfWidth({ v1, df1, v2, df2 }: Variances, p: number): number {
  const part = (v: number, df: number): number => (v === 0 ? 0 : studentQuantile(p / 2, df) ** 2 * v);
  return Math.sqrt(part(v1, df1) + part(v2, df2));
}

/** The p whose interval just reaches 0, between two bounds: by false position on log p (Illinois). */
function reached(variances: Variances, least: number, most: number): number {
  const excess = (logP: number): number => Math.log(halfWidth(variances, Math.exp(logP)) / Math.abs(variances.centre));
  let [low, high] = [Math.log(Math.max(least, LEAST_P)), Math.log(Math.max(most, LEAST_P))];
  let [atLow, atHigh] = [excess(low), excess(high)];
  if (atLow <= 0) return least;
  if (atHigh >= 0) return most;
  let at = high;
  for (let i = 0; i < 100 && high - low > 1e-12; i++) {
    at = high - (atHigh * (high - low)) / (atHigh - atLow);
    const value = excess(at);
    // Also where nothing is left between the two but rounding.
    if (Math.abs(value) < 1e-10 || !(at > low && at < high)) break;
    if (value > 0) {
      [low, atLow] = [at, value];
      atHigh /= 2;
    } else {
      [high, atHigh] = [at, value];
      atLow /= 2;
    }
  }
  return Math.exp(at);
}

function isKnown(value: number | null): value is number {
  return value !== null && Number.isFinite(value);
}
