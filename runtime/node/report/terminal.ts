/** The summary as plain text, for the terminal at the end of a run. */
import { join } from 'node:path';
import type { Plan } from '../../../plan/plan.ts';
import { comparisonsOf, findingOf, hasVerdicts } from './comparisons.ts';
import type { Compared, Comparison } from './comparisons.ts';
import { groupsOf, measureRows } from './measures.ts';
import type { MeasureGroup, MeasureRow } from './measures.ts';
import { metricNaming, valueNaming } from './names.ts';
import { duration, NONE } from './numbers.ts';
import { cut } from './plot.ts';
import { valuesText } from '../run/values.ts';
import { failuresOf, readRun, unfinishedNames } from './read-run.ts';
import { seedsOf, subjectsOf, verdictOn } from './subjects.ts';
import { SUMMARY_METRICS, trainingRows } from './summary.ts';
import type { TrainingRow } from './summary.ts';
import { number, statisticText, styleFor } from './tables.ts';
import type { Style } from './tables.ts';
import type { Subject } from './subjects.ts';
import { probabilityText } from './verdict-table.ts';
import type { Interval } from './verdicts.ts';

/** Tables are no wider: names are cut before numbers are. */
const WIDTH = 120;

/**
 * How training went (a row an arm), the values of what is not compared, where the report lies, and last, where the eye rests, the verdicts
 * of each pair of arms (a row a measure) with what so many seeds allow to conclude. Works on a run that is not finished.
 */
export function formatSummary(runDir: string, plan: Plan): string {
  const run = readRun(runDir, plan);
  const subjects = subjectsOf(plan, run);
  const blocks: string[] = [];
  const training = trainingRows(subjects).filter((row) => row.metrics.size > 0);
  if (training.length > 0) blocks.push(aligned(trainingLines(training)));
  const rows = measureRows(run, subjects);
  const comparisons = comparisonsOf(rows, subjects);
  const compared = new Set(comparisons.flatMap(({ baseline, other }) => [baseline, other]));
  // The verdicts have the values of both arms; others have them nowhere else.
  for (const group of groupsOf(rows)) {
    if (group.columns.some((i) => !compared.has(subjects[i]))) blocks.push(aligned(valueLines(group, subjects)));
  }
  blocks.push(`Report: ${join(runDir, 'report.html')}`);
  for (const comparison of comparisons) {
    const finding = findingOf(comparison);
    blocks.push(aligned(verdictLines(comparison)) + (finding === undefined ? '' : `\n${wrapped(oneLine(finding))}`));
  }
  for (const { task, failure } of failuresOf(run)) blocks.push(wrapped(`Failed: ${oneLine(task.id)}: ${oneLine(failure.message)}`));
  if (run.unfinished.length > 0) blocks.push(wrapped(`Not finished: ${oneLine(unfinishedNames(run, 12))}`));
  const values = valuesText(plan);
  if (values !== undefined) blocks.push(wrapped(`Values: ${oneLine(values)}`));
  blocks.push(wrapped(verdictOn(seedsOf(plan))));
  return blocks.join('\n\n');
}

function trainingLines(rows: readonly TrainingRow[]): string[][] {
  const metrics = SUMMARY_METRICS.filter((name) => rows.some((row) => row.metrics.has(name)));
  const header = [
    'training',
    ...metrics.map((name) => {
      const { label, percent } = metricNaming(name);
      const heldOut = rows.some((row) => row.metrics.get(name)?.heldOut);
      return `${heldOut ? 'held-out ' : ''}${label.toLowerCase()}${percent ? ', %' : ''}`;
    }),
    'time',
  ];
  const body = rows.map((row) => [
    oneLine(row.subject.label),
    ...metrics.map((name) => {
      const change = row.metrics.get(name);
      const style = styleFor(
        rows.flatMap((r) => r.metrics.get(name) ?? []).flatMap((c) => [c.start, c.end]),
        metricNaming(name).percent ?? false,
      );
      return change === undefined ? NONE : `${number(change.start.mean, style)} → ${statisticText(change.end, style)}`;
    }),
    duration(row.seconds.mean),
  ]);
  return [header, ...body];
}

function valueLines({ rows, columns }: MeasureGroup, subjects: readonly Subject[]): string[][] {
  const header = ['probe', ...columns.map((i) => nameOf(subjects[i]))];
  const body = rows
    .filter((row) => !row.part)
    .map((row) => {
      const style = styleFor(row.cells, valueNaming(row.score, row.value).percent ?? false);
      return [measureText(row), ...columns.map((i) => statisticText(row.cells[i], style))];
    });
  return [header, ...body];
}

/** A digit less than on the page: what is not a percentage would crowd out the names. */
function styleOf({ row, baseline, other }: Compared): Style {
  return styleFor([baseline, other], valueNaming(row.score, row.value).percent ?? false, 3);
}

/** A row a measure; with one seed the difference stands alone, or with the interval over its rows. */
function verdictLines(comparison: Comparison): string[][] {
  const { baseline, other, judged: measures, told } = comparison;
  const several = hasVerdicts(comparison);
  const header = [
    `${nameOf(other)} against ${nameOf(baseline)}`,
    nameOf(baseline),
    nameOf(other),
    several ? 'difference, 95 %' : 'difference, 95 % over rows',
  ];
  if (several) header.push('for', 'p', 'verdict');
  const body = measures.map((one) => {
    const style = styleOf(one);
    const { judgement } = one;
    const interval = several ? judgement.interval : [...one.withinSeed().values()].at(0)?.interval;
    const line = [
      measureText(one.row),
      statisticText(one.baseline, style),
      statisticText(one.other, style),
      differenceText(judgement.mean, interval, style),
    ];
    if (several) line.push(`${judgement.inFavour} of ${judgement.pairs}`, probabilityText(judgement.adjusted), judgement.verdict);
    return line;
  });
  for (const one of told) {
    const style = styleOf(one);
    const line = [
      measureText(one.row),
      statisticText(one.baseline, style),
      statisticText(one.other, style),
      differenceText(one.difference.mean, one.difference.interval, style),
    ];
    if (several) line.push('', '', 'told only');
    body.push(line);
  }
  return [header, ...body];
}

function differenceText(mean: number | undefined, interval: Interval | undefined, style: Style): string {
  const signed = { ...style, signed: true };
  return number(mean, signed) + (interval === undefined ? '' : ` [${number(interval[0], signed)}, ${number(interval[1], signed)}]`);
}

function measureText({ probe, score, value }: MeasureRow): string {
  const { label, percent } = valueNaming(score, value);
  return `${oneLine(probe)}: ${oneLine(label)}${percent ? ', %' : ''}`;
}

function nameOf(subject: Subject): string {
  return cut(oneLine(subject.label), 14);
}

/** Columns two blanks apart, the first flush left and the others flush right, with a rule below the header. */
function aligned(lines: string[][]): string {
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const others = widths.slice(1).reduce((sum, width) => sum + width + 2, 0);
  widths[0] = Math.min(widths[0], Math.max(12, WIDTH - others));
  const text = lines.map((line) =>
    line.map((cell, i) => (i === 0 ? cut(cell, widths[0]).padEnd(widths[0]) : cell.padStart(widths[i]))).join('  '),
  );
  return [text[0], '─'.repeat(text[0].length), ...text.slice(1)].join('\n');
}

/** A sentence in lines that are no wider than the tables may be. */
function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}

/** Names come from a plan; no control character of theirs may reach the terminal. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
