/**
 * Evaluation over all rows of the held-out data, in order. The programs give each batch's share of the values over all rows; where these need
 * sums over all rows, `totals.eval` runs over everything first. Here the shares are added in float64, always in the same order. Of a loss that
 * mixes the rows of a batch (`evaluate.batch`) they are shares of the mean over batches.
 */
import type { TrainTask } from '../../../plan/plan.ts';
import type { Executor } from '../executor/executor.ts';
import type { Pending } from '../executor/pending.ts';
import { batchesInOrder } from '../data/order.ts';
import { whereNotFinite } from './bad-rows.ts';
import type { ForwardBatch } from './bad-rows.ts';
import { batchesOf, inputsFor, scalarsFor } from './batches.ts';
import type { RowData } from './batches.ts';
import { metricsOf } from './metrics.ts';
import type { Metrics } from './metrics.ts';
import { programOf, scalarsAt, zeroTotals } from './step.ts';
import type { Programs } from './step.ts';

/** Submits that may be under way at once. */
export const IN_FLIGHT = 3;

export interface Evaluation {
  executor: Executor;
  task: TrainTask;
  programs: Programs;
  data: RowData;
  /** Called after each batch with the rows done of all passes; may throw to stop. */
  onRows(done: number, total: number): void;
  /** Called for metrics that are not finite, with the tensor and row where that begins. */
  onBad(names: string[], where: string): void;
}

/** Metrics over all rows with the weights as they are after `step` steps. */
export async function evaluate(evaluation: Evaluation, step: number): Promise<Metrics> {
  const { programs, executor, data } = evaluation;
  const { count } = data.source;
  const twice = programs['totals.eval'] !== undefined || programs['totals.eval.rest'] !== undefined;
  if (twice) {
    zeroTotals(executor);
    await overRows({ ...evaluation, onRows: (done) => evaluation.onRows(done, 2 * count) }, step, 'totals.eval', () => undefined);
  }
  const sums: Metrics = {};
  let bad: ForwardBatch | undefined;
  const onRows = (done: number): void => (twice ? evaluation.onRows(count + done, 2 * count) : evaluation.onRows(done, count));
  await overRows({ ...evaluation, onRows }, step, 'forward', (metrics, batch) => {
    for (const [name, value] of Object.entries(metrics)) sums[name] = (sums[name] ?? 0) + value;
    if (!Object.values(metrics).every(Number.isFinite)) bad ??= batch;
  });
  const names = Object.keys(sums).filter((name) => !Number.isFinite(sums[name]));
  if (names.length > 0) evaluation.onBad(names, bad ? await whereNotFinite(executor, bad) : 'the sum over all rows is too large');
  return sums;
}

async function overRows(
  { executor, task, programs, data, onRows }: Evaluation,
  step: number,
  role: string,
  add: (metrics: Metrics, batch: ForwardBatch) => void,
): Promise<void> {
  const scalars = scalarsAt(task, step, task.evaluate?.batch ?? data.source.count);
  const lists = batchesInOrder(data.source.count, task.micro);
  const pending: { outputs: Pending; of: ForwardBatch }[] = [];
  let done = 0;
  const settle = async (): Promise<void> => {
    const first = pending.shift();
    if (first === undefined) return;
    add(metricsOf(task, await first.outputs.outputs()), first.of);
    onRows((done += first.of.indices.length), data.source.count);
  };
  for await (const { indices, batch } of batchesOf(data, (at) => lists[at], 0, lists.length)) {
    const rows = indices.length;
    const name = rows === task.micro ? role : `${role}.rest`;
    const program = programOf(task.id, programs, name);
    const of = { role: name, program, inputs: inputsFor(program, batch), scalars: scalarsFor(program, scalars), indices };
    pending.push({ outputs: executor.run(name, of), of });
    if (pending.length >= IN_FLIGHT) await settle();
  }
  while (pending.length > 0) await settle();
}
