/**
 * Statistics: what the figures of two arms allow to conclude. In come values by seed (one figure a trained model) and values by
 * example (one a row that a model was asked about), out come intervals, p-values and verdicts. What the values measure is the business
 * of `runtime/core/score`, how it is shown that of the report.
 *
 * There are two kinds of chance. Another seed would have trained another model, and other rows would have asked other questions of it. Verdicts
 * rest on differences that are paired by seed (`paired.ts`). Where each seed draws rows of its own, the spread over seeds holds both kinds;
 * where all seeds are judged on the same rows (files), the interval counts rows as well (`two-way.ts`). `bootstrap.ts`
 * tells within one seed how much the choice of rows matters, and never makes a verdict.
 *
 * Many measures of one pair of arms give many chances to be wrong, so that they are judged as a family (`verdict.ts`, `holm.ts`).
 * Everything is float64, a pure function, and the same on every machine up to the last bits of exp and log.
 */
export { pairedBootstrap, pairedRatioBootstrap } from './bootstrap.ts';
export type { ByRow, Resampled, Resampling } from './bootstrap.ts';
export { STATISTICS_CODES } from './errors.ts';
export { holm } from './holm.ts';
export { differenceOf, differencesBySeed, pairedDifference } from './paired.ts';
export type { Difference } from './paired.ts';
export { meanOfRatios, rowsOfRatios } from './ratios.ts';
export type { RatioRow } from './ratios.ts';
export { deviation, mean, meanInterval } from './sample.ts';
export type { Interval } from './sample.ts';
export { studentCdf, studentQuantile, twoSidedP } from './student.ts';
export { intervalOver } from './two-way.ts';
export type { RowValues } from './two-way.ts';
export { verdict, verdicts } from './verdict.ts';
export type { Comparison, Judgement, Verdict } from './verdict.ts';
