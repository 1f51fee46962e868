/**
 * Scores: what a probe says in numbers. In come the small tables that embed tasks wrote (features, labels, maps), out come
 * a few named values, and what each row adds to them. Everything here runs on the host in float64 and is deterministic; the
 * features themselves are computed by programs on the device, and tables and figures are made by the report.
 *
 * A score is registered by adding its file to `scores`; a plan names it by its key, and `plan/scores.ts` says what it measures.
 */
import { alignment } from './alignment.ts';
import { answering } from './answering.ts';
import { drift } from './drift.ts';
import { focus } from './focus.ts';
import { logistic } from './logistic.ts';
import { preference } from './preference.ts';
import { segmentation } from './segmentation.ts';
import type { ScoreFn } from './types.ts';
import { scoreError } from './errors.ts';

export type { Json, ScoreFn, ScoreParams, ScoreResult, Table, TableTensor } from './types.ts';

export const scores: Readonly<Record<string, ScoreFn>> = { logistic, focus, preference, segmentation, alignment, answering, drift };

/** The score of that name; R0701 where there is none. */
export function scoreNamed(name: string): ScoreFn {
  if (Object.hasOwn(scores, name)) return scores[name];
  throw scoreError('R0701', `there is no score called ${name}`, `this runtime has ${Object.keys(scores).join(', ')}`);
}
