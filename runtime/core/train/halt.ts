/**
 * What went wrong at a bad step. Once the device has switched updates off, the weights are those before that step; its batch
 * is replayed one dispatch at a time until the first tensor that holds a number that is not finite. Where a step before it
 * left weights or moments that are not finite, that update is at fault.
 */
import type { TrainTask } from '../../../plan/plan.ts';
import type { PivotError } from '../../../plan/errors.ts';
import type { Executor } from '../executor/executor.ts';
import type { Tensor } from '../safetensors/format.ts';
import { firstNotFinite } from './bad-rows.ts';
import { runError } from './errors.ts';
import { onDevice, startsAtZero } from './start.ts';
import { runsOfStep, zeroTotals } from './step.ts';
import type { Programs, StepBatch } from './step.ts';

export interface BadNumber {
  tensor: string;
  index: number;
  value: number;
}

/** The first bad number of a step, in the order of its dispatches; undefined where the replay meets none. */
export async function findBadNumber(
  executor: Executor,
  task: TrainTask,
  programs: Programs,
  batch: StepBatch,
): Promise<BadNumber | undefined> {
  // Accumulators hold what the steps in flight left there; the halt flag must stay, for it keeps the weights as they are.
  for (const tensor of onDevice(task.state, programs)) if (startsAtZero(tensor) && tensor.name !== 'halt') executor.zeroState(tensor.name);
  const runs = runsOfStep(task, programs, batch);
  if (runs[0].role === 'totals') zeroTotals(executor);
  for (const { role, inputs, scalars } of runs) {
    for await (const { name, firstBad } of executor.trace(role, { inputs, scalars })) {
      if (firstBad !== undefined) return { tensor: name, ...firstBad };
    }
  }
  return undefined;
}

/** The first number in tensors that is not finite. */
export function firstBad(tensors: readonly Tensor[]): BadNumber | undefined {
  for (const { name, data } of tensors) {
    const index = firstNotFinite(data);
    if (index >= 0) return { tensor: name, index, value: data[index] };
  }
  return undefined;
}

/** The error where the loss and gradient of step `step` (from 1) were finite, and what the optimizer made of them was not. */
export function updateError(task: TrainTask, step: number, { tensor, index, value }: BadNumber, kept: string): PivotError {
  return runError(
    'R0631',
    `the update of ${task.id} at step ${step} of ${task.steps} was not finite: ${value} in ${tensor}, element ${index}. The weights before that step are in ${kept}`,
    "lower the learning rate or the weight decay, or look at the optimizer's numbers for a division by zero",
  );
}

/** The error that a halt ends in. `step` counts from 1; `kept` is the path of the checkpoint of the last good weights. */
export function haltError(task: TrainTask, step: number, bad: BadNumber | undefined, kept: string): PivotError {
  const where =
    bad === undefined
      ? 'Replaying its batch met no such number in any tensor'
      : `The first such number is ${bad.value} in ${bad.tensor}, element ${bad.index}`;
  return runError(
    'R0631',
    `the loss or the gradient norm of ${task.id} was not finite at step ${step} of ${task.steps}. ${where}. The weights before that step are in ${kept}`,
    'lower the learning rate, lengthen its warmup or clip the gradient; if the tensor named is an input, look at the data',
  );
}
