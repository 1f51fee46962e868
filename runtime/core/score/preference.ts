/**
 * `preference`: whether the better of two answers gained more than the worse.
 *
 * Table `judged`: `margin` [n], the gain of the chosen answer's log-probability since training began, less the rejected one's, in
 * nats. Values: `accuracy`, the share of rows whose margin is above 0 (a tie is no gain), and `margin`, the mean.
 */
import { columnOf, requireFinite, tableOf } from './arguments.ts';
import { scoreError } from './errors.ts';
import type { ScoreParams, ScoreResult, Table } from './types.ts';

export function preference(tables: Record<string, Table>, _params: ScoreParams): ScoreResult {
  const judged = tableOf(tables, 'judged', 'preference');
  const margin = columnOf(judged, 'margin', 'judged', 'preference');
  requireFinite(margin, 'margin', 'judged', 'preference');
  if (margin.shape.length !== 1 || margin.data.length === 0) {
    throw scoreError('R0706', `margin of judged should be [rows] and is [${margin.shape.join(', ')}]`, 'keep one number for each pair');
  }
  const margins = Array.from(margin.data);
  const right = margins.map((value) => (value > 0 ? 1 : 0));
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
  return {
    values: { accuracy: mean(right), margin: mean(margins) },
    examples: { accuracy: right, margin: margins },
    details: { rows: margins.length },
  };
}
