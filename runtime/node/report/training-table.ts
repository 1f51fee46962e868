/** How training went for each arm, as a table. */
import { markup } from './html.ts';
import type { Content, Markup } from './html.ts';
import { metricNaming } from './names.ts';
import { duration, NONE } from './numbers.ts';
import type { Subject } from './subjects.ts';
import { SUMMARY_METRICS } from './summary.ts';
import type { TrainingRow } from './summary.ts';
import { narrowCell, number, styleFor, table } from './tables.ts';
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

/** The name of a subject with its colour. */
export function subjectName(subject: Subject): Markup {
  return markup`<span class="subject"><i class="swatch c${subject.arm === undefined ? 'x' : subject.colour % 6}"></i>${subject.label}</span>`;
}
