/**
 * From metric lines to the series of a chart: one for each subject and seed, of the training batches and of the held-out
 * rows; and their mean over the seeds.
 */
import type { MetricLine } from './read-run.ts';
import type { Subject } from './subjects.ts';

export interface Point {
  step: number;
  value: number;
}

export interface Series {
  subject: Subject;
  /** `train`: the batches' own values. `held`: evaluations of one seed. `mean`: evaluations over several seeds. */
  kind: 'train' | 'held' | 'mean';
  points: Point[];
}

export interface Panel {
  metric: string;
  /** Where losses of different functions would share a chart: which function this one shows. */
  loss?: string;
  series: Series[];
  /** Steps that were averaged into one point of a training series; 1 where none were. */
  bucket: number;
}

/** More points than a chart is wide only make the page heavy. */
const MAX_POINTS = 120;

/** The charts of one metric: one, or one for each loss function where the metric is the loss itself. Empty where nobody wrote it. */
export function panelsOf(metric: string, subjects: readonly Subject[]): Panel[] {
  const losses = [...new Set(subjects.flatMap((subject) => lossOf(subject) ?? []))];
  const groups =
    metric === 'loss' && losses.length > 1
      ? losses.map((loss) => ({ loss, subjects: subjects.filter((s) => lossOf(s) === loss) }))
      : [{ subjects }];
  return groups.flatMap((group) => {
    const longest = Math.max(0, ...group.subjects.flatMap((s) => [...s.runs.values()].map((run) => points(run.metrics, metric).length)));
    const bucket = Math.max(1, Math.ceil(longest / MAX_POINTS));
    const series = group.subjects.flatMap((subject) => seriesOf(subject, metric, bucket));
    return series.length === 0 ? [] : [{ metric, ...('loss' in group ? { loss: group.loss } : {}), series, bucket }];
  });
}

function lossOf(subject: Subject): string | undefined {
  for (const { task, metrics } of subject.runs.values()) if (task.kind === 'train' && metrics.length > 0) return task.loss;
  return undefined;
}

function seriesOf(subject: Subject, metric: string, bucket: number): Series[] {
  const runs = [...subject.runs.values()];
  const train = runs.map((run) => averaged(points(run.metrics, metric), bucket)).filter((list) => list.length > 0);
  const held = runs.map((run) => points(run.metrics, `eval_${metric}`)).filter((list) => list.length > 0);
  const series: Series[] = [
    ...train.map((list): Series => ({ subject, kind: 'train', points: list })),
    ...held.map((list): Series => ({ subject, kind: 'held', points: list })),
  ];
  if (held.length > 1) series.push({ subject, kind: 'mean', points: meanOf(held) });
  return series;
}

function points(lines: readonly MetricLine[], key: string): Point[] {
  return lines.flatMap((line) => (line[key] === undefined ? [] : [{ step: line.step, value: line[key] }]));
}

/** Means over `bucket` neighbours, each at the middle of its steps. */
function averaged(list: readonly Point[], bucket: number): Point[] {
  if (bucket === 1) return [...list];
  const result: Point[] = [];
  for (let i = 0; i < list.length; i += bucket) {
    const part = list.slice(i, i + bucket);
    result.push({ step: part.reduce((s, p) => s + p.step, 0) / part.length, value: part.reduce((s, p) => s + p.value, 0) / part.length });
  }
  return result;
}

/** The mean over seeds at the steps that all of them reached. */
function meanOf(lists: readonly Point[][]): Point[] {
  return lists[0].flatMap(({ step }) => {
    const values = lists.map((list) => list.find((p) => p.step === step)?.value);
    const known = values.filter((v) => v !== undefined);
    return known.length < lists.length ? [] : [{ step, value: known.reduce((a, b) => a + b, 0) / known.length }];
  });
}
