/**
 * The plan: everything that a run needs, as data. The compiler writes it, the runtime reads it, and neither knows the
 * other. A plan is a DAG of tasks; each task names the programs it executes (shared by content), the tensors it starts
 * from, and the data it reads.
 */
import type { StoredDtype } from './dtypes.ts';
import type { Program, Target } from './program.ts';

/** Raised whenever the meaning of a field changes; a runtime refuses plans of any other version. */
export const PLAN_VERSION = 1;

/** How a weight begins, drawn on the host and keyed by its path and the seed, so that it is the same everywhere. */
export type Init =
  | { kind: 'constant'; value: number }
  | { kind: 'normal'; std: number }
  /** U(-bound, bound) */
  | { kind: 'uniform'; bound: number };

/** Where the first value of a state tensor comes from. */
export type Source =
  /** Drawn from the seed and `key`, by default the tensor's name. */
  | { from: 'init'; init: Init; key?: string }
  /** A tensor of a finished task's weights, by its name there. */
  | { from: 'task'; task: string; name: string }
  /** A tensor of a safetensors file; `file` is a key of `Plan.files`. */
  | { from: 'file'; file: string; name: string };

export interface StateTensor {
  /** `eyes.blocks.0.attention.query.w`; optimizer moments are `m:eyes....`, accumulators `grad:eyes....`. */
  name: string;
  dtype: StoredDtype;
  shape: number[];
  source: Source;
  /** `weight`: kept in the result of the task. `optimizer`: kept in checkpoints only. `working`: made anew. */
  keep: 'weight' | 'optimizer' | 'working';
  /** Whether this task updates it. */
  trained: boolean;
}

/**
 * How rows become the inputs of a program. Image inputs are f32 [N, 3, size, size]; ids are i32.
 *
 * `pairs`: [image | prompt | chosen | rejected] in one sequence of length imageTokens + prompt + 2 * answer. Prompts are
 * padded on the left, answers on the right. Inputs: `image`; `tokens` [N, prompt + 2 answer]; `position` and `segment`
 * [N, whole sequence]; `chosen.mask`, `rejected.mask` f32 [N, answer]; with a cached reference also
 * `reference.chosen.logp`, `reference.rejected.logp` f32 [N, answer]. Segment: 0 image and prompt, 1 chosen, 2 rejected,
 * 3 padding. Positions count real tokens from 0 and start again after the prompt for `rejected`; padding continues at the
 * last real position (it is never attended to: its segment differs). Position 0.. is used for padding inside the prompt.
 * `answers`: the same with one answer: `tokens` [N, prompt + answer], `mask` f32 [N, answer]; rows of preference data give
 * `chosen` as the answer.
 * `contrast`: `image`; `tokens` i32 [N, answer] of the caption, padded on the right; `mask` f32 [N, answer].
 * `classes`: `image`; `label` i32 [N].
 * `patches`: `image`; `label` i32 [N, patches].
 * `tensors`: columns of a safetensors file as they are, rows selected along axis 0 (recorded runs, tests); `columns` maps an
 * input's name to a tensor's.
 */
export type Collate =
  | { layout: 'pairs' | 'answers'; image: number; imageTokens: number; prompt: number; answer: number }
  | { layout: 'contrast'; image: number; answer: number }
  | { layout: 'classes'; image: number }
  | { layout: 'patches'; image: number; patches: number }
  | { layout: 'tensors'; columns: Record<string, string> };

export interface DataSource {
  /** Registered name in the runtime: `scenes.preferences`, `files.preferences`, `tensors`, ... */
  source: string;
  params: Record<string, string | number | boolean>;
  /** Key of `Plan.tokenizers`, where text is read. */
  tokenizer?: string;
  /** Hash of files that the source reads (a folder's names and sizes, a file's content), taken when compiled. */
  content?: string;
  /** How many rows it has; a source that turns out to hold fewer is an error. */
  count: number;
  /** Rows of several sources, in this order, when the data is a mix. */
  mix?: DataSource[];
}

export type Tokenizer = { kind: 'words'; words: string[]; pad: number; end: number };

/** Programs by role, as hashes into `Plan.programs`, for one target. */
export type Roles = Record<string, string>;

interface TaskBase {
  /** Unique and readable: `align`, `post.dpo@1` (arm dpo, seed 1). */
  id: string;
  /** Hash of all that decides the result (see compiler/pipeline/hash.ts); a finished task of this hash is reused. */
  hash: string;
  /** Ids of the tasks whose results it reads. */
  needs: string[];
  seed: number;
  /** Where in the text it was declared, for messages. */
  place?: { file: string; line: number };
}

export interface TrainTask extends TaskBase {
  kind: 'train';
  stage: string;
  arm?: string;
  loss: string;
  state: StateTensor[];
  data: DataSource;
  collate: Collate;
  batch: number;
  micro: number;
  steps: number;
  /** Rows of step s: `permuted` draws a keyed permutation an epoch; `given` lists them (recorded runs). */
  order: { kind: 'permuted'; seed: number } | { kind: 'given'; rows: number[][] };
  /**
   * Roles by target: `step` where batch = micro; else `micro` (k times) and `update`, with `totals` before them where the
   * loss divides by sums over the whole batch. `forward` (and `forward.rest` for the last smaller batch) evaluates; it
   * needs `totals.eval` where the loss does. `reference` scores rows once with the reference's weights.
   */
  programs: Record<string, Roles>;
  /** Values of scalars that hold for the whole task. `rows` is set by the runtime: rows in the whole batch. */
  scalars: Record<string, number>;
  /** Values of scalars by step: tables[name][step]. */
  tables: Record<string, number[]>;
  /** Names of the entries of the output `metrics` of step/update/forward programs, in order. `loss` is first. */
  metrics: string[];
  evaluate?: { every: number; data: DataSource };
  checkpointEvery: number;
  /** Cached reference log-probabilities: state of the `reference` program. */
  reference?: { state: StateTensor[]; hash: string };
}

/** Runs a forward program over data and keeps its outputs as one safetensors file, a tensor an output, rows first. */
export interface EmbedTask extends TaskBase {
  kind: 'embed';
  state: StateTensor[];
  data: DataSource;
  collate: Collate;
  batch: number;
  /** Roles `forward`, `forward.rest`. */
  programs: Record<string, Roles>;
  scalars: Record<string, number>;
  /** Inputs of the batch to keep beside the outputs (`label`). */
  keepInputs: string[];
  /** Columns of the source that never reach the device (`boxes`, `text`) to keep as JSON lines. */
  keepColumns: string[];
}

/** Scores small tables on the host: `score` names a registered function of the runtime. */
export interface ScoreTask extends TaskBase {
  kind: 'score';
  score: string;
  probe: string;
  /** Which arm or stage is judged, for the table. */
  subject: { stage: string; arm?: string };
  /** Embed tasks by the name of the score's argument. */
  tables: Record<string, string>;
  params: Record<string, string | number | boolean>;
}

export interface ExportTask extends TaskBase {
  kind: 'export';
  /** Path that the user wrote, relative to the text. */
  file: string;
  tensors: { name: string; task: string; source: string }[];
}

export interface ReportTask extends TaskBase {
  kind: 'report';
  title: string;
  /** The `///` text at the top of the file. */
  about: string;
  text: string;
  seeds: number[];
}

export type Task = TrainTask | EmbedTask | ScoreTask | ExportTask | ReportTask;

export interface Plan {
  version: number;
  name: string;
  tasks: Task[];
  targets: Target[];
  /** Programs by the hash of their content. */
  programs: Record<string, Program>;
  /** WGSL by the hash of its content. On disk each is a file `wgsl/<hash>.wgsl`. */
  kernels: Record<string, string>;
  tokenizers: Record<string, Tokenizer>;
  /** Files that tasks read: path relative to the text, and hash of the content when compiled. */
  files: Record<string, { path: string; hash: string }>;
  /** Resolved values as `pivot show` prints them, for the report. */
  resolved: { name: string; value: string; origin: string }[];
}
