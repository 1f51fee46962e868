/** The tables that answer the question: how training went for each arm, and what the probes say of each. */
import { markup } from './html.ts';
import type { Content, Markup } from './html.ts';
import { metricNaming, valueNaming } from './names.ts';
import { duration, NONE } from './numbers.ts';
import type { RunRecord } from './read-run.ts';
import type { Subject } from './subjects.ts';
import { SUMMARY_METRICS } from './summary.ts';
import type { ProbeRow, TrainingRow } from './summary.ts';
import { narrowCell, number, statisticCell, styleFor, table } from './tables.ts';
import type { Column } from './tables.ts';

/** A row a trained subject: each metric at the start, at the end, and the change. */
export function trainingTable(rows: readonly TrainingRow[]): Markup {
  const metrics = SUMMARY_METRICS.filter((name) => rows.some((row) => row.metrics.has(name)));
  const columns: Column[] = [{ head: '' }, { head: 'loss function' }];
  const cells: Content[][] = rows.map((row) => [subjectName(row.subject), markup`<span class="subject">${row.loss}</span>`]);
  for (const name of metrics) {
    const { label, percent = false } = metricNaming(name);
    const changes = rows.map((row) => row.metrics.get(name));
    const heldOut = changes.every((change) => change === undefined || change.heldOut);
    const group = `${heldOut ? `Held-out ${label.toLowerCase()}` : label}${percent ? ', %' : ''}`;
    columns.push({ head: 'start', group, number: true }, { head: 'end', group, number: true }, { head: 'change', group, number: true });
    const style = styleFor(
      changes.flatMap((c) => (c === undefined ? [] : [c.start, c.end])),
      percent,
    );
    changes.forEach((change, i) => {
      if (change === undefined) cells[i].push(...[0, 1, 2].map(() => markup`<span class="none">${NONE}</span>`));
      else {
        const mark = !change.heldOut && markup`<sup>*</sup>`;
        cells[i].push(
          number(change.start.mean, style),
          markup`${narrowCell(change.end, style)}${mark}`,
          narrowCell(change.change, { ...style, signed: true }),
        );
      }
    });
  }
  columns.push({ head: 'time', number: true });
  rows.forEach((row, i) => cells[i].push(duration(row.seconds.mean)));
  const onTraining = rows.some((row) => [...row.metrics.values()].some((change) => !change.heldOut));
  return table(
    columns,
    cells,
    markup`First and last evaluation on held-out rows.${onTraining && markup` <sup>*</sup> Not evaluated: the first and last training batch.`}${
      new Set(rows.map((row) => row.loss)).size > 1 &&
      ' Losses of different functions are not on one scale: compare each with its own start.'
    }${rows.some((row) => row.seconds.bySeed.size > 1) && ' Times are for one seed.'}`,
  );
}

/** A row a value of a probe, a column a subject; with two arms also their difference. */
export function probeTable(
  rows: readonly ProbeRow[],
  subjects: readonly Subject[],
  columns: readonly number[],
  pair: [number, number] | undefined,
  run: RunRecord,
): Markup {
  const withDifference = pair !== undefined && rows.some((row) => row.difference !== undefined);
  const withInterval = withDifference && rows.some((row) => row.difference?.interval !== undefined);
  const heads: Column[] = [{ head: 'probe' }, { head: 'value' }, ...columns.map((i) => ({ head: subjectName(subjects[i]), number: true }))];
  if (withDifference) heads.push({ head: `${subjects[pair[1]].label} − ${subjects[pair[0]].label}`, number: true });
  if (withInterval) heads.push({ head: '95 % interval', number: true });
  const body = rows.map((row, r) => {
    const { label, percent = false } = valueNaming(row.value);
    const style = styleFor(row.cells, percent);
    const cells: Content[] = [
      rows[r - 1]?.probe === row.probe ? '' : row.probe,
      markup`${label}${percent && markup`<span class="unit">, %</span>`}`,
      ...columns.map((i) => statisticCell(row.cells[i], style)),
    ];
    if (withDifference) {
      const signed = { ...style, signed: true };
      const interval = row.difference?.interval;
      cells.push(number(row.difference?.mean, signed));
      if (withInterval) cells.push(interval === undefined ? NONE : `${number(interval[0], signed)} to ${number(interval[1], signed)}`);
    }
    return cells;
  });
  return table(heads, body, markup`${baselineNotes(rows, run).map((note) => markup`<span class="note">${note}</span> `)}`);
}

/** What the values should be read against. */
function baselineNotes(rows: readonly ProbeRow[], run: RunRecord): string[] {
  const notes = new Set<string>();
  for (const row of rows) {
    const { label, note } = valueNaming(row.value);
    if (note !== undefined) notes.add(`${row.probe}: ${label} is ${note}.`);
    const record = run.tasks.find(({ task, score }) => task.kind === 'score' && task.probe === row.probe && score !== undefined);
    const commonest = record?.score?.details.largestClass;
    if (typeof commonest === 'number')
      notes.add(`${row.probe}: always naming the commonest class would be right in ${(100 * commonest).toFixed(1)} %.`);
  }
  return [...notes];
}

/** The name of a subject with its colour. */
export function subjectName(subject: Subject): Markup {
  return markup`<span class="subject"><i class="swatch c${subject.arm === undefined ? 'x' : subject.colour % 6}"></i>${subject.label}</span>`;
}
