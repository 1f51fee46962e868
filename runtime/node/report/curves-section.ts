/** How training went: a table of starts and ends, then a grid of charts for each stage. */
import { chart } from './charts.ts';
import { panelsOf } from './curves.ts';
import { markup } from './html.ts';
import type { Markup } from './html.ts';
import { CURVES } from './names.ts';
import { byStage } from './subjects.ts';
import type { Subject } from './subjects.ts';
import { trainingRows } from './summary.ts';
import { subjectName, trainingTable } from './training-table.ts';

/** Undefined where nothing has been trained yet. */
export async function trainingMarkup(subjects: readonly Subject[]): Promise<Markup[] | undefined> {
  const rows = trainingRows(subjects).filter((row) => row.metrics.size > 0);
  const parts: Markup[] = rows.length > 0 ? [trainingTable(rows)] : [];
  for (const [stage, members] of byStage(subjects)) {
    const panels = CURVES.flatMap((metric) => panelsOf(metric, members));
    if (panels.length === 0) continue;
    const charts: Markup[] = [];
    for (const panel of panels) charts.push(await chart(panel));
    const shown = members.filter((member) => panels.some((panel) => panel.series.some((series) => series.subject === member)));
    const kinds = new Set(panels.flatMap((panel) => panel.series.map((series) => series.kind)));
    const bucket = Math.max(...panels.map((panel) => panel.bucket));
    parts.push(markup`<h3>${stage}</h3>
<p class="legend">${shown.map(subjectName)}${howToRead(kinds)}${bucket > 1 && ` Points of training lines are means over ${bucket} steps.`}</p>
<div class="charts">${charts}</div>
`);
  }
  return parts.length === 0 ? undefined : parts;
}

function howToRead(kinds: ReadonlySet<string>): string {
  if (kinds.has('mean'))
    return 'Faint lines are training batches, dashed ones held-out rows of one seed, strong ones their mean over the seeds.';
  if (kinds.has('held')) return kinds.has('train') ? 'Faint lines are training batches, strong ones held-out rows.' : 'Held-out rows.';
  return 'Training batches; nothing was evaluated on held-out rows.';
}
