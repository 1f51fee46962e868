/**
 * The figures of the summary, once for the page and for the terminal: how training went for each subject, and what each
 * probe says of it.
 */
import type { Plan } from '../../../plan/plan.ts';
import type { MetricLine, RunRecord, TaskRecord } from './read-run.ts';
import { deviation, mean, pairedDifference } from './statistics.ts';
import type { Difference } from './statistics.ts';
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

export interface ProbeRow {
  probe: string;
  score: string;
  /** Name of the value in the score's result. */
  value: string;
  /** In the order of the subjects. */
  cells: Statistic[];
  /** Second arm minus first, where the stage has just these two. */
  difference?: Difference;
}

export function probeRows(run: RunRecord, subjects: readonly Subject[]): ProbeRow[] {
  const records = run.tasks.flatMap((record) => (record.task.kind === 'score' ? [{ task: record.task, score: record.score }] : []));
  const rows: ProbeRow[] = [];
  for (const probe of new Set(records.map((r) => r.task.probe))) {
    const ofProbe = records.filter((r) => r.task.probe === probe);
    for (const value of new Set(ofProbe.flatMap((r) => Object.keys(r.score?.values ?? {})))) {
      const cells = subjects.map((subject) =>
        statistic(
          ofProbe.flatMap(({ task, score }): [number, number][] => {
            const found = isSubjectOf(task, subject) ? score?.values[value] : undefined;
            return found === undefined ? [] : [[task.seed, found]];
          }),
        ),
      );
      const row: ProbeRow = { probe, score: ofProbe[0].task.score, value, cells };
      const pair = comparedPair(subjects);
      const difference = pair && pairedDifference(cells[pair[0]].bySeed, cells[pair[1]].bySeed);
      if (difference !== undefined) row.difference = difference;
      rows.push(row);
    }
  }
  return rows;
}

/** Positions of the two arms of the one stage that compares exactly two; undefined where there is no such stage, or several. */
export function comparedPair(subjects: readonly Subject[]): [number, number] | undefined {
  const arms = subjects.flatMap((subject, i) => (subject.arm === undefined ? [] : [i]));
  return arms.length === 2 && subjects[arms[0]].stage === subjects[arms[1]].stage ? [arms[0], arms[1]] : undefined;
}

/** The subjects that some probe judges, for the columns of the table. */
export function judged(plan: Plan, subjects: readonly Subject[]): Subject[] {
  return subjects.filter((subject) => plan.tasks.some((task) => task.kind === 'score' && isSubjectOf(task, subject)));
}

function statistic(values: [number, number][]): Statistic {
  const bySeed = new Map(values);
  const list = [...bySeed.values()];
  const result: Statistic = { bySeed };
  const centre = mean(list);
  const spread = deviation(list);
  if (centre !== undefined) result.mean = centre;
  if (spread !== undefined) result.deviation = spread;
  return result;
}
