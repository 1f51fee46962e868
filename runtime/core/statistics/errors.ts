/** What each code of a statistic's error means. `statisticsError` takes no other code, so that none goes unexplained. */
import { PivotError } from '../../../plan/errors.ts';

export const STATISTICS_CODES = {
  R0711:
    'A statistic is asked of a number that it has no answer for: one that is not finite, a share outside of 0..1, no degrees of freedom.',
  R0712: 'Two lists that should speak of the same examples, row by row, differ in length.',
} as const;

export type StatisticsCode = keyof typeof STATISTICS_CODES;

export function statisticsError(code: StatisticsCode, message: string, cure: string): PivotError {
  return new PivotError(code, message, { cure });
}

/** R0711 naming the first value that is not finite; `what` says what the values are. */
export function requireNumbers(values: readonly number[], what: string): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) {
    throw statisticsError('R0711', `number ${at + 1} of ${what} is ${values[at]}`, 'leave out what could not be measured');
  }
}
