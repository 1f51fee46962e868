/**
 * How much a compilation has done. A text of a few lines can ask for more than any machine has (calls that double with each layer, a
 * repeat of billions), so depth and work are counted, and end in a diagnostic. One compilation runs at a time, so there is one count.
 */
import { LIMITS } from '../../grammar/index.ts';
import type { Span } from '../../grammar/index.ts';
import { fail } from './fault.ts';

let depth = 0;
let evaluations = 0;

/** Begins the count of a compilation. */
export function beginWork(): void {
  depth = 0;
  evaluations = 0;
}

/** Runs a schedule over all steps of a stage, whose work is counted apart from that of the text: it grows with the steps, not with the text. */
export function countedApart<T>(run: () => T): T {
  const before = evaluations;
  evaluations = LIMITS.evaluations.most - SCHEDULE;
  try {
    return run();
  } finally {
    evaluations = before;
  }
}

/** Evaluations that a schedule may take over all steps. */
const SCHEDULE = 2_500_000;

/** Counts an evaluation at `span` and runs it one level deeper. Each level takes some of the stack. */
export function counted<T>(span: Span, run: () => T): T {
  if (depth >= LIMITS.depth.most) fail('P0701', { limit: 'depth', where: 'this calls, or refers to, too much in turn' }, span);
  if (++evaluations > LIMITS.evaluations.most) fail('P0701', { limit: 'evaluations', where: 'this text asks for too much work' }, span);
  depth++;
  try {
    return run();
  } finally {
    depth--;
  }
}
