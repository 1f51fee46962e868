/** The summary as plain text, for the terminal at the end of a run. */
import { join } from 'node:path';
import type { Plan } from '../../../plan/plan.ts';
import { metricNaming, valueNaming } from './names.ts';
import { duration } from './numbers.ts';
import { readRun } from './read-run.ts';
import { seedsOf, subjectsOf, verdictOn } from './subjects.ts';
import { comparedPair, judged, probeRows, SUMMARY_METRICS, trainingRows } from './summary.ts';
import type { ProbeRow, TrainingRow } from './summary.ts';
import { number, statisticText, styleFor } from './tables.ts';
import type { Subject } from './subjects.ts';

/**
 * Two small tables (training: a row an arm; probes: a row a value, a column an arm), what so many seeds allow to conclude,
 * and where the report lies. Works on a run that is not finished.
 */
export function formatSummary(runDir: string, plan: Plan): string {
  const run = readRun(runDir, plan);
  const subjects = subjectsOf(plan, run);
  const blocks: string[] = [];
  const training = trainingRows(subjects).filter((row) => row.metrics.size > 0);
  if (training.length > 0) blocks.push(aligned(trainingLines(training)));
  const probes = probeRows(run, subjects);
  if (probes.length > 0) blocks.push(aligned(probeLines(probes, subjects, judged(plan, subjects))));
  if (run.unfinished.length > 0) blocks.push(`Not finished: ${run.unfinished.map((task) => oneLine(task.id)).join(', ')}`);
  blocks.push(verdictOn(seedsOf(plan)));
  blocks.push(`Report: ${join(runDir, 'report.html')}`);
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
      return change === undefined ? '–' : `${number(change.start.mean, style)} → ${statisticText(change.end, style)}`;
    }),
    duration(row.seconds.mean),
  ]);
  return [header, ...body];
}

function probeLines(rows: readonly ProbeRow[], subjects: readonly Subject[], shown: readonly Subject[]): string[][] {
  const columns = shown.map((subject) => subjects.indexOf(subject));
  const pair = comparedPair(subjects);
  const withDifference = pair !== undefined && rows.some((row) => row.difference !== undefined);
  const header = ['probe', ...columns.map((i) => oneLine(subjects[i].label))];
  if (withDifference) header.push(`${oneLine(subjects[pair[1]].label)} − ${oneLine(subjects[pair[0]].label)}`);
  const body = rows.map((row) => {
    const { label, percent = false } = valueNaming(row.value);
    const style = styleFor(row.cells, percent);
    const line = [`${oneLine(row.probe)}: ${label}${percent ? ', %' : ''}`, ...columns.map((i) => statisticText(row.cells[i], style))];
    if (withDifference) {
      const signed = { ...style, signed: true };
      const interval = row.difference?.interval;
      line.push(
        number(row.difference?.mean, signed) + (interval ? ` [${number(interval[0], signed)}, ${number(interval[1], signed)}]` : ''),
      );
    }
    return line;
  });
  return [header, ...body];
}

/** Columns two blanks apart, the first flush left and the others flush right, with a rule below the header. */
function aligned(lines: string[][]): string {
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const text = lines.map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '));
  return [text[0], '─'.repeat(text[0].length), ...text.slice(1)].join('\n');
}

/** Names come from a plan; no control character of theirs may reach the terminal. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
