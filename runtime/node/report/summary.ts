/**
 * How training went for each subject, once for the page and for the terminal; and the mean and spread of a value over seeds.
 */
import type { Plan } from '../../../plan/plan.ts';
import type { MetricLine, TaskRecord } from './read-run.ts';
import { deviation, mean } from './statistics.ts';
import { isSubjectOf } from './subjects.ts';
import type { Subject } from './subjects.ts';

/** A value a seed. */
export type BySeed = Map<number, number>;

export interface Statistic {
  mean?: number;
  deviation?: number;
  bySeed: BySeed;
}

export interface Change {
  start: Statistic;
  end: Statistic;
  /** end - start, seed by seed. */
  change: Statistic;
  /** Whether it was measured on held-out rows; else it is the training batches' own value. */
  heldOut: boolean;
}

export interface TrainingRow {
  subject: Subject;
  loss: string;
  /** By metric name: loss, rewards/accuracies, rewards/margins. A metric that nobody wrote is missing. */
  metrics: Map<string, Change>;
  seconds: Statistic;
  finished: boolean;
}

export const SUMMARY_METRICS = ['loss', 'rewards/accuracies', 'rewards/margins'] as const;

export function trainingRows(subjects: readonly Subject[]): TrainingRow[] {
  return subjects.flatMap((subject) => {
    const runs = [...subject.runs.entries()];
    const first = runs[0]?.[1].task;
    if (first?.kind !== 'train' || first.steps === 0) return [];
    const metrics = new Map<string, Change>();
    for (const name of SUMMARY_METRICS) {
      const change = changeOf(runs, name);
      if (change !== undefined) metrics.set(name, change);
    }
    const seconds = statistic(runs.flatMap(([seed, run]): [number, number][] => (run.seconds === undefined ? [] : [[seed, run.seconds]])));
    return [{ subject, loss: first.loss, metrics, seconds, finished: runs.every(([, run]) => run.finished) }];
  });
}

/** First and last evaluation of each seed; where nothing was evaluated, the first and last training step. */
function changeOf(runs: readonly [number, TaskRecord][], name: string): Change | undefined {
  const heldOut = runs.some(([, run]) => run.metrics.some((line) => line[`eval_${name}`] !== undefined));
  const key = heldOut ? `eval_${name}` : name;
  const ends = runs.flatMap(([seed, run]): [number, number, number][] => {
    const values = valuesOf(run.metrics, key);
    return values.length === 0 ? [] : [[seed, values[0], values[values.length - 1]]];
  });
  if (ends.length === 0) return undefined;
  return {
    start: statistic(ends.map(([seed, start]) => [seed, start])),
    end: statistic(ends.map(([seed, , end]) => [seed, end])),
    change: statistic(ends.map(([seed, start, end]) => [seed, end - start])),
    heldOut,
  };
}

function valuesOf(lines: readonly MetricLine[], key: string): number[] {
  return lines.flatMap((line) => (line[key] === undefined ? [] : [line[key]]));
}

/** The subjects that some probe judges, for the columns of the table. */
export function judged(plan: Plan, subjects: readonly Subject[]): Subject[] {
  return subjects.filter((subject) =>
    plan.tasks.some((task) => task.kind === 'score' && task.cell === undefined && isSubjectOf(task, subject)),
  );
}

/** Mean and spread of a value a seed. */
export function statistic(values: [number, number][]): Statistic {
  const bySeed = new Map(values);
  const list = [...bySeed.values()];
  const result: Statistic = { bySeed };
  const centre = mean(list);
  const spread = deviation(list);
  if (centre !== undefined) result.mean = centre;
  if (spread !== undefined) result.deviation = spread;
  return result;
}
