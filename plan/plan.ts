/**
 * The plan: everything that a run needs, as data. The compiler writes it, the runtime reads it, and neither knows the
 * other. A plan is a DAG of tasks; each task names the programs it executes (shared by content), the tensors it starts
 * from, and the data it reads.
 */
import type { Half, StoredDtype } from './dtypes.ts';
import type { Program, Target } from './program.ts';
import type { Schedule } from './schedule.ts';

/** Raised whenever the meaning of a field changes; a runtime refuses plans of any other version. */
export const PLAN_VERSION = 3;

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
  /** A tensor of a safetensors file, or `rows[1]` of its rows from `rows[0]` on; `file` is a key of `Plan.files`. */
  | { from: 'file'; file: string; name: string; rows?: [number, number] };

export interface StateTensor {
  /** `eyes.blocks.0.attention.query.w`; optimizer moments are `m:eyes....`, accumulators `grad:eyes....`. */
  name: string;
  dtype: StoredDtype;
  shape: number[];
  source: Source;
  /** `weight`: trained, and kept in the result of the task. `optimizer`: kept in checkpoints only. `working`: made anew. */
  keep: 'weight' | 'optimizer' | 'working';
  /** Whether this task updates it. */
  trained: boolean;
  /** Held on the device as the 16-bit floats of its file; a program that reads it says the same. It changes no result. */
  half?: Half;
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
 * With `pictures`, image tokens do not stand before the tokens but among them, where a chat template puts them, up to so many pictures a
 * row: `tokens` covers them too (whatever id stands there), the prompt has room for `pictures` * `imageTokens` + `prompt` tokens, `image` is
 * [N * pictures, 3, size, size], and `seen` i32, of the shape of `tokens`, counts the image tokens of the batch from 1 and is 0 at text.
 * `contrast`: `image`; `tokens` i32 [N, answer] of the caption, padded on the right; `mask` f32 [N, answer].
 * `classes`: `image`; `label` i32 [N].
 * `patches`: `image`; `label` i32 [N, patches].
 * `tensors`: columns of a safetensors file as they are, rows selected along axis 0 (recorded runs, tests); `columns` maps an
 * input's name to a tensor's, `inputs` says what a row of each is.
 */
export type Collate =
  | { layout: 'pairs' | 'answers'; image: number; imageTokens: number; prompt: number; answer: number; pictures?: number }
  | { layout: 'contrast'; image: number; answer: number }
  | { layout: 'classes'; image: number }
  | { layout: 'patches'; image: number; patches: number }
  | { layout: 'tensors'; columns: Record<string, string>; inputs?: Record<string, { dtype: StoredDtype; shape: number[] }> };

export interface DataSource {
  /** Registered name in the runtime: `scenes.preferences`, `files.preferences`, `tensors`, ... */
  source: string;
  params: Record<string, string | number | boolean>;
  /** Key of `Plan.tokenizers`, where text is read. */
  tokenizer?: string;
  /** Folder of a checkpoint whose tokenizer and chat template make ids of conversations, and the hash of those files when compiled. */
  chat?: { folder: string; hash: string };
  /** Folder of a checkpoint whose `preprocessor_config.json` says how pictures become pixel values, and that file's hash. */
  processor?: { folder: string; hash: string };
  /** Hash of files that the source reads (a folder's names and sizes, a file's content), taken when compiled. */
  content?: string;
  /** How many rows it has; a source that turns out to hold fewer is an error. */
  count: number;
  /** Rows of several sources, in this order, when the data is a mix. */
  mix?: DataSource[];
  /**
   * Rows that an earlier task of this run makes. `sampled.pairs`: the pairs that a sample task kept, whose pictures are those of
   * `base`; their number is known only then, so `count` is a bound. `table`: the table of an embed task.
   */
  task?: string;
  base?: DataSource;
  /** Share of pairs whose two answers change places, drawn by row: the control of every claim about preferences. */
  exchanged?: number;
}

/** The checkpoint in whose tokens a model answers: its tokenizer makes texts of them, its configs say by which of them an answer ends. */
export interface Speech {
  folder: string;
  /** Hash of the files that say so (`SPEECH_FILES`), when compiled. */
  hash: string;
  /** The token that stands for a picture, where the text names it. */
  imageToken?: string;
}

export type Tokenizer = { kind: 'words'; words: string[]; pad: number; end: number };

/** Programs by role, as hashes into `Plan.programs`, for one target. */
export type Roles = Record<string, string>;

interface TaskBase {
  /** Unique and readable: `align`, `post.dpo@1` (arm dpo, seed 1). */
  id: string;
  /** Hash of all that decides the result (identity.ts); a finished task of this hash is reused. */
  hash: string;
  /** The part of it that the compiler alone knows: of the graphs that the task's programs were made of. */
  decides?: string;
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
   * loss uses sums over the whole batch as numbers. `forward` (and `forward.rest` for the last smaller batch) evaluates; it
   * needs `totals.eval` where the loss does. `reference` scores rows once with the reference's weights.
   */
  programs: Record<string, Roles>;
  /** Values of scalars that hold for the whole task. `rows` is set by the runtime: rows in the whole batch. */
  scalars: Record<string, number>;
  /** Scalars that change with the step. */
  schedules: Record<string, Schedule>;
  /** Names of the entries of the output `metrics` of step/update/forward programs, in order. `loss` is first. */
  metrics: string[];
  /**
   * `batch`: the loss mixes the rows of a batch, so whole batches of so many rows are evaluated and their mean is told; without it, an evaluation is
   * exact over all rows.
   */
  evaluate?: { every: number; data: DataSource; batch?: number };
  checkpointEvery: number;
  /** Cached reference log-probabilities: state of the `reference` program. */
  reference?: { state: StateTensor[]; hash: string };
  /** Values that a select task chooses among: its choice's scalars and schedules stand in for the task's own. */
  tuned?: { task: string; options: { scalars: Record<string, number>; schedules: Record<string, Schedule> }[] };
  /** A cell of a tuning grid, trained to be compared and no more. */
  cell?: Cell;
  /** A reader that a probe trains on what an encoder gives; no stage of the text. */
  probe?: { name: string; subject: { stage: string; arm?: string } };
}

/** One value of a tuned name, in one arm. `text` is the value as the text writes it. */
export interface Cell {
  name: string;
  text: string;
  choice: number;
}

/** Runs a forward program over data and keeps its outputs as one safetensors file, a tensor an output, rows first. */
export interface EmbedTask extends TaskBase {
  kind: 'embed';
  state: StateTensor[];
  data: DataSource;
  collate: Collate;
  batch: number;
  /** Roles `forward`, `forward.rest`; before them `totals`, `totals.rest` where rows use sums over all rows. */
  programs: Record<string, Roles>;
  scalars: Record<string, number>;
  /** Inputs of the batch to keep beside the outputs (`label`). */
  keepInputs: string[];
  /** Columns of the source that never reach the device (`boxes`, `text`) to keep as JSON lines. */
  keepColumns: string[];
}

/**
 * Lets a model answer the prompts of its data, token by token, with a key-value cache. Roles: `prefill` takes image and
 * prompt (where image tokens stand among those of the prompt, `seen` too), fills the cache and gives `logits` [N, V] of the first token of the answer; `decode` takes one token a row, at the
 * place that its inputs name, and gives the next `logits`; each also as `.rest` for the last smaller batch. Which token is
 * taken is decided on the host in float64: the likeliest at temperature 0, else drawn by a key of (seed, row, sample, token).
 *
 * Keeps `rows.jsonl`: a line an answer with `row`, `sample`, `prompt`, `answer` (the data's own), `said`, `tokens`, `ended`, and
 * whatever else the row says; where a tokenizer of a checkpoint is read, also `end`, the token by which the answer ended. With `rank`
 * also `pairs.jsonl` (`row`, `chosen`, `rejected`, and their ranks: the best and the worst answer of each prompt; with `end` also the
 * `ids` of both, as they were said) and `kept.json` (how many pairs were kept, and why others were not).
 */
export interface SampleTask extends TaskBase {
  kind: 'sample';
  /** The model's weights, and the cache (`keep: working`). */
  state: StateTensor[];
  data: DataSource;
  collate: Extract<Collate, { layout: 'pairs' | 'answers' }>;
  batch: number;
  programs: Record<string, Roles>;
  scalars: Record<string, number>;
  /** Answers to each prompt. */
  perPrompt: number;
  /** 0 takes the likeliest token. */
  temperature: number;
  rank?: string;
  /** Where the data are conversations. */
  speech?: Speech;
  /** What answers: the stage whose weights these are, for tables. */
  subject: { stage: string; arm?: string };
}

/** Scores small tables on the host: `score` names a registered function of the runtime (`plan/scores.ts`). */
export interface ScoreTask extends TaskBase {
  kind: 'score';
  score: string;
  probe: string;
  /** Which arm or stage is judged, for the table. */
  subject: { stage: string; arm?: string };
  /** Embed and sample tasks by the name of the score's argument. */
  tables: Record<string, string>;
  /** Weights by the name of the score's argument, handed to it as a table of flat tensors. */
  weights?: Record<string, (LeftTensor & { seed: number })[]>;
  params: Record<string, string | number | boolean>;
  /** Judges a cell of a tuning grid. */
  cell?: Cell;
}

/**
 * Chooses a value of a tuned name: the best mean of a measure over the seeds of its cells. Keeps `select.json` with `choice`,
 * `cells` (choice, seed, value), `means` by choice, and whether the best stands at the `edge` of the grid.
 */
export interface SelectTask extends TaskBase {
  kind: 'select';
  subject: { stage: string; arm?: string };
  /** The tuned name, and its values as the text writes them. */
  name: string;
  values: string[];
  measure: { probe: string; value: string };
  better: 'larger' | 'smaller';
  /** Score tasks of the cells. */
  cells: { choice: number; seed: number; task: string }[];
}

export interface ExportTask extends TaskBase {
  kind: 'export';
  /** Path that the user wrote, relative to the text: a safetensors file, or a folder (it ends in `/`). */
  file: string;
  tensors: LeftTensor[];
  /**
   * What a folder is: the checkpoint in `folder` with these tensors in place of its own, in its files, names and types; or (`lora`)
   * an adapter as PEFT stores it.
   */
  checkpoint?: { folder: string; lora?: { rank: number; alpha: number; targets: string[] } };
}

/** `name` in the file. Parts of a tensor that no binding holds are named `name#0`, `name#1`, .. and are joined. */
/** A weight as a stage left it. */
export interface LeftTensor {
  name: string;
  shape: number[];
  source: Source;
  /** Factors of a low-rank change that is merged into it: + scale up down. */
  merge?: { down: Source; up: Source; rank: number; scale: number };
}

export interface ReportTask extends TaskBase {
  kind: 'report';
  title: string;
  /** The `///` text at the top of the file. */
  about: string;
  text: string;
  seeds: number[];
}

export type Task = TrainTask | SampleTask | EmbedTask | ScoreTask | SelectTask | ExportTask | ReportTask;

/**
 * What `pivot ask` needs to question a trained model, without the compiler: programs for one row with the weights of a train
 * task. `prefill` and `decode` as in a sample task; `cam` takes the row with the answer that was given and returns `cam` [1, T] and
 * `gradient` [1, T], the Grad-CAM of that answer's log-probability at the encoder's features and the size of its gradient.
 */
export interface Ask {
  stage: string;
  arm?: string;
  /** Names and shapes of the model's weights in the task's result, and the cache. */
  state: { name: string; shape: number[]; keep: 'weight' | 'working' }[];
  collate: Extract<Collate, { layout: 'pairs' | 'answers' }>;
  /** Key of `Plan.tokenizers`, for a model that was trained on words; else `speech`, whose chat template writes the question. */
  tokenizer?: string;
  speech?: Speech;
  /** As in `DataSource`: how the picture is prepared. */
  processor?: DataSource['processor'];
  programs: Record<string, Roles>;
  scalars: Record<string, number>;
}

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
  /** Models that can be asked, in the order of the text. */
  asks: Ask[];
  /** Resolved values as `pivot show` prints them, for the report. */
  resolved: { name: string; value: string; origin: string }[];
}
