/**
 * Trains the tasks of a plan in memory: the runtime's own loop, reference scoring and data, with files and run folder left out. What
 * a task logged and left is returned, so that tests may compare runs.
 */
import { resolve } from 'node:path';
import { elements } from '../../plan/dtypes.ts';
import type { Plan, TrainTask } from '../../plan/plan.ts';
import type { Program } from '../../plan/program.ts';
import { openSource } from '../../runtime/core/data/row.ts';
import { Executor } from '../../runtime/core/executor/executor.ts';
import { silent } from '../../runtime/core/log.ts';
import type { Tensor } from '../../runtime/core/safetensors/format.ts';
import type { ReferenceTable, RowData } from '../../runtime/core/train/batches.ts';
import { train } from '../../runtime/core/train/loop.ts';
import { referenceTable } from '../../runtime/core/train/reference.ts';
import { onDevice, writeInitialState } from '../../runtime/core/train/start.ts';
import type { LineStore, ReferenceCache, TableColumn, TableWriter, TaskStorage, WeightSource } from '../../runtime/core/train/storage.ts';
import { NODE_SOURCES } from '../../runtime/node/data/sources.ts';
import type { OpenDevice } from '../../runtime/node/device/open.ts';
import { sleepingWait } from '../../runtime/node/device/wait.ts';
import { readSafetensors } from '../../runtime/node/safetensors/files.ts';

export interface Trained {
  /** The lines of `metrics.jsonl`, one a step. */
  steps: Record<string, number>[];
  weights: Map<string, Tensor>;
  /** Weights after each step at which a checkpoint was due. */
  after: Map<number, Map<string, Tensor>>;
  /** Reference log-probabilities of all rows, where they were scored ahead. */
  reference?: ReferenceTable;
}

export interface Place {
  open: OpenDevice;
  plan: Plan;
  /** Name of the plan's target to run. */
  target: string;
  /** Where the plan's files lie. */
  folder: string;
  /** Results of tasks that this one starts from. */
  before?: Map<string, Trained>;
}

export async function trainTask(place: Place, task: TrainTask): Promise<Trained> {
  const { plan, target, folder } = place;
  const roles = Object.fromEntries(
    Object.entries(task.programs[target]).map(([role, hash]): [string, Program] => [role, plan.programs[hash]]),
  );
  const { reference: scoring, ...programs } = roles;
  const source = await openSource(task.data, { openers: NODE_SOURCES, resolve: (path) => resolve(folder, path), workers: 0 });
  const tokenizer = task.data.tokenizer === undefined ? undefined : plan.tokenizers[task.data.tokenizer];
  const data: RowData = { source, collate: task.collate, tokenizer };
  if (task.reference && scoring) data.reference = await score(place, task, task.reference.state, data, scoring);
  const result: Trained = { steps: [], weights: new Map(), after: new Map(), reference: data.reference };
  const executor = await executorOf(place, programs);
  try {
    await train({
      task,
      programs,
      executor,
      data,
      storage: memory(result),
      weights: weightsOf(place),
      log: silent,
      record: {},
      now: () => 0,
    });
  } finally {
    executor.destroy();
    await source.close?.();
  }
  return result;
}

function executorOf({ open, plan }: Place, programs: Record<string, Program>): Promise<Executor> {
  return Executor.create({ device: open.device, wait: sleepingWait, programs, kernels: plan.kernels });
}

async function score(place: Place, task: TrainTask, state: TrainTask['state'], data: RowData, program: Program): Promise<ReferenceTable> {
  const programs = { reference: program };
  const executor = await executorOf(place, programs);
  try {
    await writeInitialState(executor, onDevice(state, programs), task.seed, weightsOf(place));
    return await referenceTable({
      key: 'reference',
      cache: cache(),
      data,
      program,
      scalars: task.scalars,
      executor: async () => executor,
      onRows: () => undefined,
    });
  } finally {
    executor.destroy();
  }
}

function weightsOf({ plan, folder, before }: Place): WeightSource {
  const named = (tensors: Map<string, Tensor> | undefined, name: string, where: string): Tensor => {
    const found = tensors?.get(name);
    if (!found) throw new Error(`${where} has no ${name}`);
    return found;
  };
  return {
    ofTask: async (task, name) => named(before?.get(task)?.weights, name, task),
    ofFile: async (file, name) => named((await readSafetensors(resolve(folder, plan.files[file].path))).tensors, name, file),
  };
}

function memory(result: Trained): TaskStorage {
  const metrics: LineStore = {
    read: async () => [],
    truncate: async () => undefined,
    append: async (lines) => {
      for (const line of lines) result.steps.push(JSON.parse(line) as Record<string, number>);
    },
    flush: async () => undefined,
    digest: async () => '',
  };
  const byName = (tensors: readonly Tensor[]): Map<string, Tensor> => new Map(tensors.map((t) => [t.name, t]));
  return {
    checkpoints: async () => [],
    readCheckpoint: () => Promise.reject(new Error('there are no checkpoints')),
    writeCheckpoint: async (step, tensors) => {
      result.after.set(step, byName(tensors));
      return `step ${step}`;
    },
    writeWeights: async (tensors) => void (result.weights = byName(tensors)),
    lines: async (name) => (name === 'metrics' ? metrics : { ...metrics, append: async () => undefined }),
    openTable: () => Promise.reject(new Error('training writes no table')),
  };
}

function cache(): ReferenceCache {
  let tensors: Map<string, Tensor> | undefined;
  return {
    read: async () => tensors && { metadata: {}, tensors },
    open: async (_key, columns) => {
      const made = new Map(
        columns.map(({ name, dtype, shape }): [string, Tensor] => [name, { name, dtype, shape, data: new Float32Array(elements(shape)) }]),
      );
      return writer(made, columns, () => void (tensors = made));
    },
  };
}

function writer(tensors: Map<string, Tensor>, columns: readonly TableColumn[], finish: () => void): TableWriter {
  const table = {
    rows: 0,
    append: async (count: number, data: ReadonlyMap<string, ArrayBufferView>) => {
      for (const { name, shape } of columns) {
        const values = data.get(name);
        if (!values) throw new Error(`the program gave no ${name}`);
        const width = elements(shape.slice(1));
        tensors.get(name)?.data.set(new Float32Array(values.buffer, values.byteOffset, count * width), table.rows * width);
      }
      table.rows += count;
    },
    finish: async () => finish(),
    close: async () => undefined,
  };
  return table;
}
