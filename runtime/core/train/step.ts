/**
 * One optimizer step as submits to the device: `step` alone, or `totals` and `micro` over the parts of the batch and then
 * `update`. Only the last submit has outputs; nothing is waited for here.
 */
import type { TrainTask } from '../../../plan/plan.ts';
import type { Program } from '../../../plan/program.ts';
import { valueAt } from '../../../plan/schedule.ts';
import type { Executor } from '../executor/executor.ts';
import type { Pending } from '../executor/pending.ts';
import { batchesOf, inputsFor, scalarsFor, trainingRows } from './batches.ts';
import type { Inputs, RowData } from './batches.ts';
import { runError } from './errors.ts';

export type Programs = Readonly<Record<string, Program>>;

/** A batch as the step's programs want it: one part where the batch is not split. */
export interface StepBatch {
  step: number;
  parts: Inputs[];
}

/** The batches of steps `from` to the last, in order. The signal ends them early. */
export async function* stepBatches(task: TrainTask, data: RowData, from: number, signal?: AbortSignal): AsyncGenerator<StepBatch> {
  const split = task.batch / task.micro;
  const rowsOf = (part: number): number[] => {
    const at = (part % split) * task.micro;
    return trainingRows(task, Math.floor(part / split)).slice(at, at + task.micro);
  };
  let parts: Inputs[] = [];
  for await (const { step: part, batch } of batchesOf(data, rowsOf, from * split, task.steps * split)) {
    if (signal?.aborted === true) return;
    parts.push(batch);
    if (parts.length < split) continue;
    yield { step: Math.floor(part / split), parts };
    parts = [];
  }
}

/** Scalars of step `step` (from 0); `rows` is the number of rows in the whole batch. */
export function scalarsAt(task: TrainTask, step: number, rows: number): Record<string, number> {
  const now = Math.min(step, task.steps - 1);
  const changing = Object.entries(task.schedules).map(([name, schedule]): [string, number] => [name, valueAt(schedule, now)]);
  return { ...task.scalars, ...Object.fromEntries(changing), rows };
}

/** One submit of a step. */
export interface StepRun {
  role: string;
  inputs: Inputs;
  scalars: Record<string, number>;
}

/** The submits of one step, in order. Sums over the whole batch (`total:*`) start at zero before the first `totals`. */
export function runsOfStep(task: TrainTask, programs: Programs, batch: StepBatch): StepRun[] {
  const scalars = scalarsAt(task, batch.step, task.batch);
  const run = (role: string, inputs: Inputs): StepRun => {
    const program = programOf(task.id, programs, role);
    return { role, inputs: inputsFor(program, inputs), scalars: scalarsFor(program, scalars) };
  };
  if (programs.step !== undefined) return [run('step', batch.parts[0])];
  const totals = programs.totals === undefined ? [] : batch.parts.map((part) => run('totals', part));
  return [...totals, ...batch.parts.map((part) => run('micro', part)), run('update', new Map())];
}

/** Submits one step and gives the outputs of its last program. */
export function submitStep(executor: Executor, task: TrainTask, programs: Programs, batch: StepBatch): Pending {
  const runs = runsOfStep(task, programs, batch);
  if (runs[0].role === 'totals') zeroTotals(executor);
  const last = runs.pop();
  if (last === undefined) throw new Error('a step has at least one submit');
  for (const { role, inputs, scalars } of runs) executor.run(role, { inputs, scalars }).discard();
  return executor.run(last.role, last);
}

export function zeroTotals(executor: Executor): void {
  for (const name of executor.stateNames) if (name.startsWith('total:')) executor.zeroState(name);
}

/** The program of a role, or R0624. */
export function programOf(task: string, programs: Programs, role: string): Program {
  const program = programs[role];
  if (program === undefined) {
    throw runError(
      'R0624',
      `task ${task} has no program for the role ${role}, only ${Object.keys(programs).join(', ')}`,
      'compile the text again: the plan is not whole',
    );
  }
  return program;
}
