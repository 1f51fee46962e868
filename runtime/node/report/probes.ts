/** The probes in full: the values of every subject and seed, a chart a measure, drift beside them, and each seed by itself. */
import type { Comparison } from './comparisons.ts';
import { markup } from './html.ts';
import type { Content, Markup } from './html.ts';
import { baselinesOf, groupsOf } from './measures.ts';
import type { MeasureGroup, MeasureRow } from './measures.ts';
import { valueNaming } from './names.ts';
import { NONE } from './numbers.ts';
import { probeChart } from './probe-charts.ts';
import type { Subject } from './subjects.ts';
import { mean } from './statistics.ts';
import { number, statisticCell, styleFor, table } from './tables.ts';
import { subjectName } from './training-table.ts';
import { styleOf } from './verdict-table.ts';

/** The section; `shown` are the subjects that some probe judges. */
export function probesMarkup(
  rows: readonly MeasureRow[],
  subjects: readonly Subject[],
  shown: readonly Subject[],
  comparisons: readonly Comparison[],
): Markup {
  const whole = rows.filter((row) => !row.part);
  // How far each arm has moved, beside every probe: a better value that cost more change is another finding.
  const drift = whole.filter((row) => row.score === 'drift').slice(0, 1);
  const several = whole.some((row) => row.cells.some((cell) => cell.bySeed.size > 1));
  return markup`<p class="legend">${shown.map(subjectName)}${
    several
      ? 'Diamonds are means over seeds with their 95 % interval, faint dots the seeds. Arms of a seed vary together, so that intervals of two arms may overlap where their paired difference is clear: the verdicts above go by pairs.'
      : 'One seed: no interval over seeds.'
  }</p>
${[...new Set(whole.map((row) => row.probe))].map((probe) => {
  const own = whole.filter((row) => row.probe === probe);
  // What is told and not judged is what the others are read against: a number, no chart of its own.
  const judged = own[0].score === 'drift' ? own : own.filter((row) => row.measure?.better !== 'neither');
  // Rows of neighbouring charts are the same subjects.
  const valued = subjects.filter((_, i) => own.some((row) => row.cells[i].mean !== undefined));
  const moved = drift.filter(
    (row) => !own.includes(row) && valued.some((subject) => row.cells[subjects.indexOf(subject)].mean !== undefined),
  );
  const drawn = [...judged, ...moved];
  return markup`<h3>${probe}</h3>
${notes(own)}<div class="charts small">${drawn.map((row) => probeChart(row, subjects, valued, moved.includes(row) ? row.probe : undefined))}</div>
`;
})}<h3>All values</h3>
${groupsOf(whole).map((group) => valuesTable(group, subjects))}${comparisons.map(withinTable)}`;
}

function notes(rows: readonly MeasureRow[]): Content {
  const found = new Set([
    ...rows.flatMap((row) => baselinesOf(row)),
    ...rows.flatMap(({ score, value, cells }) => {
      const { label, note, percent = false } = valueNaming(score, value);
      if (note === undefined) return [];
      const told = score === 'drift' ? undefined : mean(cells.flatMap((cell) => cell.mean ?? []));
      return [
        told === undefined ? `${label}: ${note}` : `${label} (${number(told, styleFor(cells, percent))}${percent ? ' %' : ''}) is ${note}`,
      ];
    }),
  ]);
  const text = [...found].map((note) => `${note[0].toUpperCase()}${note.slice(1)}.`).join(' ');
  return (
    text !== '' &&
    markup`<p class="note wide">${text}</p>
`
  );
}

/** A row a measure, a column a subject, with the value of every seed. */
function valuesTable({ rows, columns }: MeasureGroup, subjects: readonly Subject[]): Markup {
  const body = rows.map((row, i): Content[] => {
    const { label, percent = false } = valueNaming(row.score, row.value);
    const style = styleFor(row.cells, percent);
    return [
      rows[i - 1]?.probe === row.probe ? '' : row.probe,
      markup`${label}${percent && markup`<span class="unit">,\u00a0%</span>`}`,
      ...columns.map((c) => statisticCell(row.cells[c], style)),
    ];
  });
  const several = rows.some((row) => row.cells.some((cell) => cell.bySeed.size > 1));
  return table(
    [{ head: 'probe' }, { head: 'measure' }, ...columns.map((c) => ({ head: subjectName(subjects[c]), number: true }))],
    body,
    several
      ? 'Mean ± standard deviation over seeds; below, the seeds in order. What does not depend on the seed was measured once.'
      : undefined,
  );
}

/** Differences within each seed, with intervals over rows. Only beside intervals over seeds, which are what counts. */
function withinTable({ judged, other, baseline }: Comparison): Content {
  const rows = judged.filter((one) => one.difference.pairs > 1 && one.withinSeed().size > 1);
  if (rows.length === 0) return undefined;
  const seeds = [...new Set(rows.flatMap((one) => [...one.withinSeed().keys()]))];
  const body = rows.map((one, i): Content[] => {
    const { label, percent } = valueNaming(one.row.score, one.row.value);
    const style = { ...styleOf(one), signed: true };
    return [
      rows[i - 1]?.row.probe === one.row.probe ? '' : one.row.probe,
      markup`${label}${percent && markup`<span class="unit">,\u00a0%</span>`}`,
      ...seeds.map((seed): Content => {
        const found = one.withinSeed().get(seed);
        if (found?.interval === undefined) return NONE;
        const [low, high] = found.interval;
        return markup`${number(found.mean, style)}<span class="seeds">${number(low, style)} to ${number(high, style)}</span>`;
      }),
    ];
  });
  return markup`<h3>Within each seed: ${subjectName(other)} against ${subjectName(baseline)}</h3>
${table(
  [{ head: 'probe' }, { head: 'measure' }, ...seeds.map((seed) => ({ head: `seed ${seed}`, number: true }))],
  body,
  `${other.label} less ${baseline.label} over the rows that were judged, with the 95 % interval of a paired bootstrap over rows. These intervals say how much the choice of rows matters, and nothing about other seeds.`,
)}`;
}
