/**
 * Where a task keeps its results, as the loops see it. On Node it is a folder (`runtime/node/run/task-folder.ts`); in a
 * browser it may be memory. An implementation promises: what a call has returned from survives a kill of the process,
 * a checkpoint or a file of weights is there whole or not at all, and a failure for want of space leaves nothing behind.
 */
import type { StoredDtype } from '../../../plan/dtypes.ts';
import type { Tensor } from '../safetensors/format.ts';

/** Text in lines, appended to; `metrics.jsonl` and its like. */
export interface LineStore {
  /** The whole lines that are there; half a line at the end (of a killed process) is not one. */
  read(): Promise<string[]>;
  /** Keeps the first `count` lines. */
  truncate(count: number): Promise<void>;
  append(lines: readonly string[]): Promise<void>;
  /** Returns once everything appended so far is safe. */
  flush(): Promise<void>;
  /** SHA-256 of the first `count` lines, 64 hexadecimal digits; undefined where there are fewer. */
  digest(count: number): Promise<string | undefined>;
}

export interface TableColumn {
  name: string;
  dtype: StoredDtype;
  /** Rows first. */
  shape: number[];
}

/** A table that is written row by row, from the first row on, and can be gone on with after a kill. */
export interface TableWriter {
  /** Rows that are already there. */
  readonly rows: number;
  /** Appends `count` rows; each column's data is [count, ...]. */
  append(count: number, data: ReadonlyMap<string, ArrayBufferView>): Promise<void>;
  /** Makes it a finished file under its name. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

export interface TensorFile {
  metadata: Record<string, string>;
  tensors: Map<string, Tensor>;
}

export interface TaskStorage {
  /** Steps of the checkpoints that are there, newest first. */
  checkpoints(): Promise<number[]>;
  /** Throws a `PivotError` where the file is damaged: its checksum, which it carries itself, is compared. */
  readCheckpoint(step: number): Promise<TensorFile>;
  /** Keeps this one and the newest before it; returns its path, for messages. */
  writeCheckpoint(step: number, tensors: readonly Tensor[], metadata: Record<string, string>): Promise<string>;
  writeWeights(tensors: readonly Tensor[], metadata: Record<string, string>): Promise<void>;
  lines(name: 'metrics' | 'timings' | 'rows'): Promise<LineStore>;
  /** The table of an embed task. Rows that are there already come in whole multiples of `unit`. */
  openTable(columns: readonly TableColumn[], key: string, unit: number): Promise<TableWriter>;
}

/** Reference log-probabilities, shared by the tasks of a run. */
export interface ReferenceCache {
  /** Undefined where it is not finished. */
  read(key: string): Promise<TensorFile | undefined>;
  open(key: string, columns: readonly TableColumn[], unit: number): Promise<TableWriter>;
}

/** Where initial weights come from. */
export interface WeightSource {
  /** A tensor of a finished task's weights. */
  ofTask(task: string, name: string): Promise<Tensor>;
  /** A tensor of a file of the plan, by its key in `Plan.files`. */
  ofFile(file: string, name: string, rows?: [number, number]): Promise<Tensor>;
}
