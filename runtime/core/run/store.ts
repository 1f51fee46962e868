/**
 * Where the results of a run's tasks are kept: by the hash of what decided them, so that results of other values of a text stay and are
 * found again. On Node it is a folder (`runtime/node/run/store.ts`); in a browser it may be memory.
 *
 * An implementation promises: a task is finished only once all of its results are safe; what is not as it was written is never
 * given as a finished task's; nothing that is finished is removed unless `remove` says so.
 */
import type { Task } from '../../../plan/plan.ts';
import type { Tensor } from '../safetensors/format.ts';
import type { Table } from '../score/types.ts';
import type { ReferenceCache, TaskStorage } from '../train/storage.ts';

/** Results belong to the hash; the id is for people. */
export type TaskKey = Pick<Task, 'id' | 'hash'>;

/** What a result was when it was written. */
export interface Checksum {
  /** 64 hexadecimal digits. */
  sha256: string;
  bytes: number;
}

/** What a task took. */
export interface Work {
  /** Of all sessions together. */
  seconds: number;
  /** Floating-point operations. */
  flops: number;
  adapter: string;
}

export interface Done extends Work {
  hash: string;
  /** Results in the store, by name. */
  files: Record<string, Checksum>;
  /** Results outside of it (exports), by path. */
  outside?: Record<string, Checksum>;
}

/** Why a task has no result. */
export interface Failure {
  code: string;
  message: string;
  cure?: string;
}

/** A task whose results are being written. */
export interface OpenTask extends TaskStorage {
  /** Keeps a text under a name, whole or not at all. */
  writeText(name: string, text: string): Promise<void>;
  close(): Promise<void>;
}

/** Results that the store holds for a task of this or of another plan. */
export interface Kept {
  id: string;
  hash: string;
  finished: boolean;
  bytes: number;
}

export interface RunStore {
  readonly references: ReferenceCache;
  /** The record of a finished task whose results are all as they were written; what is not is told once and counts as missing. */
  done(task: TaskKey): Promise<Done | undefined>;
  /** Opens a task for writing: it is unfinished from here on, and what was found damaged is set aside. */
  begin(task: Task): Promise<OpenTask>;
  /** Records that a task is finished, with the checksums of its results. */
  finish(task: TaskKey, work: Work, outside?: Record<string, Checksum>): Promise<Done>;
  /** Records why a task has no result; its next `begin` removes the record. */
  fail(task: TaskKey, failure: Failure): Promise<void>;
  /** A tensor of a finished training. Throws R0614 where the task is not finished, as `table` and `text` do. */
  weight(task: TaskKey, name: string): Promise<Tensor>;
  /** The table of a finished embedding, with its lines; of a sampling the lines alone. */
  table(task: Task): Promise<Table>;
  /** A text that a task kept; undefined where there is none. */
  text(task: TaskKey, name: string): Promise<string | undefined>;
  /** All that is kept, of whatever plan. */
  kept(): Promise<Kept[]>;
  remove(kept: Kept): Promise<void>;
}
