/** The types of plan/plan.ts as checks. */
import { PLAN_VERSION } from '../plan.ts';
import type {
  Ask,
  Cell,
  Collate,
  DataSource,
  EmbedTask,
  ExportTask,
  LeftTensor,
  Init,
  Plan,
  ReportTask,
  SampleTask,
  ScoreTask,
  SelectTask,
  Source,
  Speech,
  StateTensor,
  Task,
  Tokenizer,
  TrainTask,
} from '../plan.ts';
import { either, flag, integer, list, number, object, oneOf, optional, record, text, variants } from './check.ts';
import type { Check } from './check.ts';
import type { Schedule } from '../schedule.ts';
import type { StoredDtype } from '../dtypes.ts';
import { schedule } from './schedule.ts';
import { half, program, shape, storedDtype, target } from './program.ts';

const init: Check<Init> = variants<Init, 'kind'>('kind', {
  constant: object({ kind: oneOf(['constant']), value: number }),
  normal: object({ kind: oneOf(['normal']), std: number }),
  uniform: object({ kind: oneOf(['uniform']), bound: number }),
});

const pair: Check<[number, number]> = (value, path, faults): value is [number, number] =>
  list(integer(0))(value, path, faults) && value.length === 2;

const source: Check<Source> = variants<Source, 'from'>('from', {
  init: object({ from: oneOf(['init']), init, key: optional(text) }),
  task: object({ from: oneOf(['task']), task: text, name: text }),
  file: object({ from: oneOf(['file']), file: text, name: text, rows: optional(pair) }),
});

const merge: Check<NonNullable<LeftTensor['merge']>> = object({ down: source, up: source, rank: integer(1), scale: number });

const stateTensor: Check<StateTensor> = object<StateTensor>({
  name: text,
  dtype: storedDtype,
  shape,
  source,
  keep: oneOf(['weight', 'optimizer', 'working']),
  trained: flag,
  half: optional(half),
});

const sequence = { image: integer(1), imageTokens: integer(0), prompt: integer(0), answer: integer(1), pictures: optional(integer(1)) };

const answered = object<SampleTask['collate']>({ layout: oneOf(['pairs', 'answers']), ...sequence });

const collate: Check<Collate> = variants<Collate, 'layout'>('layout', {
  pairs: answered,
  answers: answered,
  contrast: object({ layout: oneOf(['contrast']), image: integer(1), answer: integer(1) }),
  classes: object({ layout: oneOf(['classes']), image: integer(1) }),
  patches: object({ layout: oneOf(['patches']), image: integer(1), patches: integer(1) }),
  tensors: object({
    layout: oneOf(['tensors']),
    columns: record(text),
    inputs: optional(record(object<{ dtype: StoredDtype; shape: number[] }>({ dtype: storedDtype, shape }))),
  }),
});

const param = either(either(text, number, ''), flag, 'a text, a number, true or false');

const hashed = object<{ folder: string; hash: string }>({ folder: text, hash: text });

const speech: Check<Speech> = object<Speech>({ folder: text, hash: text, imageToken: optional(text) });

const dataSource: Check<DataSource> = object<DataSource>({
  source: text,
  params: record(param),
  tokenizer: optional(text),
  chat: optional(hashed),
  processor: optional(hashed),
  content: optional(text),
  count: integer(1),
  mix: optional((value, path, faults): value is DataSource[] => list(dataSource)(value, path, faults)),
  task: optional(text),
  base: optional((value, path, faults): value is DataSource => dataSource(value, path, faults)),
  exchanged: optional(number),
});

const tokenizer: Check<Tokenizer> = object<Tokenizer>({ kind: oneOf(['words']), words: list(text), pad: integer(0), end: integer(0) });

/** Names of folders and files are made of it. */
const digits: Check<string> = (value, path, faults): value is string => {
  if (typeof value === 'string' && /^[0-9a-f]{32}$/.test(value)) return true;
  faults.push({ path, text: 'should be a hash of 32 hexadecimal digits' });
  return false;
};

const base = {
  id: text,
  hash: digits,
  decides: optional(digits),
  needs: list(text),
  seed: integer(0),
  place: optional(object<{ file: string; line: number }>({ file: text, line: integer(1) })),
};

const programs = record(record(text));

const subject = object<{ stage: string; arm?: string }>({ stage: text, arm: optional(text) });

const cell: Check<Cell> = object<Cell>({ name: text, text, choice: integer(0) });

const train: Check<TrainTask> = object<TrainTask>({
  ...base,
  kind: oneOf(['train']),
  stage: text,
  arm: optional(text),
  loss: text,
  state: list(stateTensor),
  data: dataSource,
  collate,
  batch: integer(1),
  micro: integer(1),
  steps: integer(1),
  order: variants<TrainTask['order'], 'kind'>('kind', {
    permuted: object({ kind: oneOf(['permuted']), seed: integer(0) }),
    given: object({ kind: oneOf(['given']), rows: list(list(integer(0))) }),
  }),
  programs,
  scalars: record(number),
  schedules: record(schedule),
  metrics: list(text),
  evaluate: optional(object<NonNullable<TrainTask['evaluate']>>({ every: integer(1), data: dataSource, batch: optional(integer(1)) })),
  checkpointEvery: integer(1),
  reference: optional(object<{ state: StateTensor[]; hash: string }>({ state: list(stateTensor), hash: digits })),
  tuned: optional(
    object<NonNullable<TrainTask['tuned']>>({
      task: text,
      options: list(
        object<{ scalars: Record<string, number>; schedules: Record<string, Schedule> }>({
          scalars: record(number),
          schedules: record(schedule),
        }),
      ),
    }),
  ),
  cell: optional(cell),
  probe: optional(object<NonNullable<TrainTask['probe']>>({ name: text, subject })),
});

const sample: Check<SampleTask> = object<SampleTask>({
  ...base,
  kind: oneOf(['sample']),
  state: list(stateTensor),
  data: dataSource,
  collate: answered,
  batch: integer(1),
  programs,
  scalars: record(number),
  perPrompt: integer(1),
  temperature: number,
  rank: optional(text),
  speech: optional(speech),
  subject,
});

const embed: Check<EmbedTask> = object<EmbedTask>({
  ...base,
  kind: oneOf(['embed']),
  state: list(stateTensor),
  data: dataSource,
  collate,
  batch: integer(1),
  programs,
  scalars: record(number),
  keepInputs: list(text),
  keepColumns: list(text),
});

const score: Check<ScoreTask> = object<ScoreTask>({
  ...base,
  kind: oneOf(['score']),
  score: text,
  probe: text,
  subject,
  tables: record(text),
  weights: optional(
    record(list(object<LeftTensor & { seed: number }>({ name: text, source, seed: integer(0), shape, merge: optional(merge) }))),
  ),
  params: record(param),
  cell: optional(cell),
});

const select: Check<SelectTask> = object<SelectTask>({
  ...base,
  kind: oneOf(['select']),
  subject,
  name: text,
  values: list(text),
  measure: object<SelectTask['measure']>({ probe: text, value: text }),
  better: oneOf(['larger', 'smaller']),
  cells: list(object<SelectTask['cells'][number]>({ choice: integer(0), seed: integer(0), task: text })),
});

const exportTask: Check<ExportTask> = object<ExportTask>({
  ...base,
  kind: oneOf(['export']),
  file: text,
  tensors: list(
    object<LeftTensor>({
      name: text,
      shape,
      source,
      merge: optional(merge),
    }),
  ),
  checkpoint: optional(
    object<NonNullable<ExportTask['checkpoint']>>({
      folder: text,
      lora: optional(object<{ rank: number; alpha: number; targets: string[] }>({ rank: integer(1), alpha: number, targets: list(text) })),
    }),
  ),
});

const report: Check<ReportTask> = object<ReportTask>({
  ...base,
  kind: oneOf(['report']),
  title: text,
  about: text,
  text,
  seeds: list(integer(0)),
});

const task: Check<Task> = variants<Task, 'kind'>('kind', { train, sample, embed, score, select, export: exportTask, report });

const ask: Check<Ask> = object<Ask>({
  stage: text,
  arm: optional(text),
  state: list(object<Ask['state'][number]>({ name: text, shape, keep: oneOf(['weight', 'working']) })),
  collate: answered,
  tokenizer: optional(text),
  speech: optional(speech),
  processor: optional(hashed),
  programs,
  scalars: record(number),
});

const version: Check<number> = (value, path, faults): value is number => {
  if (value === PLAN_VERSION) return true;
  faults.push({ path, text: `should be ${PLAN_VERSION}` });
  return false;
};

export const plan: Check<Plan> = object<Plan>({
  version,
  name: text,
  tasks: list(task),
  targets: list(target),
  programs: record(program),
  kernels: record(text),
  tokenizers: record(tokenizer),
  files: record(object<{ path: string; hash: string }>({ path: text, hash: text })),
  asks: list(ask),
  resolved: list(object<{ name: string; value: string; origin: string }>({ name: text, value: text, origin: text })),
});
