/** The summary of the page: what is compared, what was found, and the verdict table of every comparison. */
import type { Plan } from '../../../plan/plan.ts';
import { armsMarkup } from './arms.ts';
import { findingOf } from './comparisons.ts';
import type { Comparison } from './comparisons.ts';
import { markup } from './html.ts';
import type { Content } from './html.ts';
import type { MeasureRow } from './measures.ts';
import type { RunRecord } from './read-run.ts';
import { seedsOf, verdictOn } from './subjects.ts';
import type { Subject } from './subjects.ts';
import { comparisonMarkup } from './verdict-table.ts';

/** Works on a run that is not finished: whatever can be said is said. */
export function outcomeMarkup(
  plan: Plan,
  run: RunRecord,
  subjects: readonly Subject[],
  rows: readonly MeasureRow[],
  comparisons: readonly Comparison[],
): Content {
  const seeds = seedsOf(plan);
  const trained = subjects.some((subject) => [...subject.runs.values()].some(({ metrics }) => metrics.length > 0));
  const nothing = rows.length === 0 && !trained;
  return [
    markup`<p class="verdict${seeds.length <= 1 && ' one'}">${verdictOn(seeds)}</p>
`,
    comparisons
      .flatMap((comparison) => findingOf(comparison) ?? [])
      .map(
        (finding) => markup`<p class="finding">${finding}</p>
`,
      ),
    armsMarkup(plan, run, subjects),
    comparisons.map(comparisonMarkup),
    nothing
      ? markup`<p>There are no results yet.</p>
`
      : comparisons.length === 0 &&
        markup`<p class="legend">${rows.length > 0 ? 'No two arms were judged by the same probe, so that nothing is compared; the values are below.' : 'No probe has been scored, so that nothing is compared yet.'}</p>
`,
  ];
}
