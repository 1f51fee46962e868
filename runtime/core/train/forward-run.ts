/** What a run over rows that trains nothing is given: the task, what it runs on, and where its results go. */
import type { Executor } from '../executor/executor.ts';
import type { Log } from '../log.ts';
import type { RowData } from './batches.ts';
import type { Programs } from './step.ts';
import type { TaskStorage, WeightSource } from './storage.ts';

export interface ForwardRun<Task> {
  task: Task;
  programs: Programs;
  executor: Executor;
  data: RowData;
  storage: TaskStorage;
  weights: WeightSource;
  log: Log;
  signal?: AbortSignal;
  now(): number;
}
