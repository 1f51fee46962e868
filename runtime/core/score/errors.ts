/** What each code of a score's error means. `scoreError` takes no other code, so that none goes unexplained. */
import { PivotError } from '../../../plan/errors.ts';

export const SCORE_CODES = {
  R0701: 'The plan names a score that this runtime does not have.',
  R0702: 'A score is called without one of its tables.',
  R0703: 'A table lacks a column that the score reads, or holds another number of values than its shape says.',
  R0704: 'A parameter of a score has a value that the score cannot use.',
  R0705: 'A table holds a number that is not finite. The model that it came from broke, and nothing can be said of it.',
  R0706: 'The columns of a table do not belong together: their shapes, their rows, or the form of an entry.',
  R0707: 'No row of a table has what the score measures.',
} as const;

export type ScoreCode = keyof typeof SCORE_CODES;

export function scoreError(code: ScoreCode, message: string, cure: string): PivotError {
  return new PivotError(code, message, { cure });
}
