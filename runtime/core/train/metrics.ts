/**
 * The lines of `metrics.jsonl`. Names are those of TRL (`loss`, `grad_norm`, `rewards/margins`, ...; `eval_` before those of an
 * evaluation), steps count from 1. What the clock says goes to `timings.jsonl`, so that two runs of one plan give the same
 * bytes here.
 */
import type { TypedArrayOf } from '../../../plan/dtypes.ts';
import type { TrainTask } from '../../../plan/plan.ts';
import { valueAt } from '../../../plan/schedule.ts';
import { epochOf } from './batches.ts';

export type Metrics = Record<string, number>;

/** The values of the task's metrics among a program's outputs, in the task's order. */
export function metricsOf(task: TrainTask, outputs: ReadonlyMap<string, TypedArrayOf>): Metrics {
  const metrics: Metrics = {};
  for (const name of task.metrics) {
    const value = outputs.get(name);
    if (value !== undefined) metrics[name] = value[0];
  }
  return metrics;
}

/** The line of step `step` (from 1). `tokens` counts from the beginning of the task. */
export function trainingLine(task: TrainTask, step: number, metrics: Metrics, tokens: number | undefined): string {
  const rate = Object.hasOwn(task.schedules, 'learning_rate') ? task.schedules.learning_rate : undefined;
  return JSON.stringify({
    step,
    epoch: epochOf(task, step),
    ...metrics,
    ...(rate !== undefined ? { learning_rate: valueAt(rate, step - 1) } : {}),
    ...(tokens !== undefined ? { num_tokens: tokens } : {}),
  });
}

/** The line of an evaluation after `step` steps. */
export function evaluationLine(task: TrainTask, step: number, metrics: Metrics): string {
  const named = Object.entries(metrics).map(([name, value]) => [`eval_${name}`, value]);
  return JSON.stringify({ step, epoch: epochOf(task, step), ...Object.fromEntries(named) });
}

/** The step that a line belongs to, or undefined where it is no line of ours. */
export function stepOfLine(line: string): number | undefined {
  const step: unknown = (parse(line) as { step?: unknown } | undefined)?.step;
  return typeof step === 'number' ? step : undefined;
}

/** The lines, from the first on, that belong to steps up to `step`. */
export function upTo(lines: readonly string[], step: number): string[] {
  const after = lines.findIndex((line) => (stepOfLine(line) ?? Infinity) > step);
  return after < 0 ? [...lines] : lines.slice(0, after);
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
