/** A training task on Node: data and reference log-probabilities are brought, the loop runs, the device's memory is given back. */
import type { DataSource, TrainTask } from '../../../plan/plan.ts';
import type { Executor } from '../../core/executor/executor.ts';
import type { ReferenceTable, RowData } from '../../core/train/batches.ts';
import { Interrupted } from '../../core/train/errors.ts';
import { train } from '../../core/train/loop.ts';
import type { TrainingEnd } from '../../core/train/loop.ts';
import { Pace } from '../../core/train/pace.ts';
import { referenceKey, referenceTable } from '../../core/train/reference.ts';
import { onDevice, writeInitialState } from '../../core/train/start.ts';
import { programOf } from '../../core/train/step.ts';
import { dataOf, makeExecutor, weightsOf } from './context.ts';
import type { RunContext, RunDevice } from './context.ts';
import { programsOf } from './estimate.ts';
import { readChoice } from './select-task.ts';

export async function runTrain(context: RunContext, on: RunDevice, planned: TrainTask): Promise<TrainingEnd> {
  const { reference: _, ...programs } = programsOf(context.plan, planned, on.target);
  const data = await dataOf(context, planned.data, planned.collate);
  const task = await settled(context, planned, data.source.count);
  const heldOut = task.evaluate === undefined ? undefined : await dataOf(context, task.evaluate.data, task.collate);
  const storage = await context.store.begin(task);
  if (task.reference !== undefined) await addReference(context, on, task, task.reference, data, heldOut);
  let executor: Executor | undefined;
  try {
    executor = await makeExecutor(context, on, task.id, programs);
    return await train({
      task,
      programs,
      executor,
      data,
      heldOut,
      storage,
      weights: weightsOf(context),
      log: context.log,
      signal: context.signal,
      record: { adapter: on.info.name, driver: on.info.driver, plan: context.planHash },
      now: context.now,
    });
  } finally {
    executor?.destroy();
    await storage.close();
  }
}

/** The task with what earlier tasks decided: the value that was chosen for a tuned name, and how many rows there are. */
async function settled(context: RunContext, task: TrainTask, rows: number): Promise<TrainTask> {
  const data = { ...task.data, count: rows };
  if (task.tuned === undefined) return { ...task, data };
  const { choice } = await readChoice(context, task.tuned.task);
  return { ...task, data, ...task.tuned.options[choice] };
}

/** Scores all rows with the reference's weights, as far as the cache does not have them, and adds the tables to the data. */
async function addReference(
  context: RunContext,
  on: RunDevice,
  task: TrainTask,
  reference: NonNullable<TrainTask['reference']>,
  data: RowData,
  heldOut: RowData | undefined,
): Promise<void> {
  const programs = { reference: programOf(task.id, programsOf(context.plan, task, on.target), 'reference') };
  let executor: Executor | undefined;
  const prepared = async (): Promise<Executor> => {
    if (executor !== undefined) return executor;
    executor = await makeExecutor(context, on, task.id, programs);
    await writeInitialState(executor, onDevice(reference.state, programs), task.seed, weightsOf(context));
    return executor;
  };
  const table = (rows: RowData, spec: DataSource, what: string): Promise<ReferenceTable> => {
    const pace = new Pace(context.now);
    return referenceTable({
      key: referenceKey(reference.hash, spec, task.collate),
      cache: context.store.references,
      data: rows,
      program: programs.reference,
      scalars: task.scalars,
      executor: prepared,
      onRows: (done, total) => {
        context.log.progress({
          task: task.id,
          doing: `scoring ${what} with the reference`,
          done,
          total,
          unit: 'rows',
          ...pace.at(done, total),
        });
        if (context.signal?.aborted === true && done < total) throw new Interrupted();
      },
    });
  };
  try {
    data.reference = await table(data, task.data, 'the training rows');
    if (heldOut !== undefined && task.evaluate !== undefined)
      heldOut.reference = await table(heldOut, task.evaluate.data, 'the held-out rows');
  } finally {
    executor?.destroy();
  }
}
