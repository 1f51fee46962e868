/** The types of plan/plan.ts as checks. */
import { PLAN_VERSION } from '../plan.ts';
import type {
  Collate,
  DataSource,
  EmbedTask,
  ExportTask,
  Init,
  Plan,
  ReportTask,
  ScoreTask,
  Source,
  StateTensor,
  Task,
  Tokenizer,
  TrainTask,
} from '../plan.ts';
import { either, flag, integer, list, number, object, oneOf, optional, record, text, variants } from './check.ts';
import type { Check } from './check.ts';
import { program, shape, storedDtype, target } from './program.ts';

const init: Check<Init> = variants<Init, 'kind'>('kind', {
  constant: object({ kind: oneOf(['constant']), value: number }),
  normal: object({ kind: oneOf(['normal']), std: number }),
  uniform: object({ kind: oneOf(['uniform']), bound: number }),
});

const source: Check<Source> = variants<Source, 'from'>('from', {
  init: object({ from: oneOf(['init']), init, key: optional(text) }),
  task: object({ from: oneOf(['task']), task: text, name: text }),
  file: object({ from: oneOf(['file']), file: text, name: text }),
});

const stateTensor: Check<StateTensor> = object<StateTensor>({
  name: text,
  dtype: storedDtype,
  shape,
  source,
  keep: oneOf(['weight', 'optimizer', 'working']),
  trained: flag,
});

const sequence = { image: integer(1), imageTokens: integer(0), prompt: integer(0), answer: integer(1) };

const collate: Check<Collate> = variants<Collate, 'layout'>('layout', {
  pairs: object({ layout: oneOf(['pairs', 'answers']), ...sequence }),
  answers: object({ layout: oneOf(['pairs', 'answers']), ...sequence }),
  contrast: object({ layout: oneOf(['contrast']), image: integer(1), answer: integer(1) }),
  classes: object({ layout: oneOf(['classes']), image: integer(1) }),
  patches: object({ layout: oneOf(['patches']), image: integer(1), patches: integer(1) }),
  tensors: object({ layout: oneOf(['tensors']), columns: record(text) }),
});

const param = either(either(text, number, ''), flag, 'a text, a number, true or false');

const dataSource: Check<DataSource> = object<DataSource>({
  source: text,
  params: record(param),
  tokenizer: optional(text),
  content: optional(text),
  count: integer(1),
  mix: optional((value, path, faults): value is DataSource[] => list(dataSource)(value, path, faults)),
});

const tokenizer: Check<Tokenizer> = object<Tokenizer>({ kind: oneOf(['words']), words: list(text), pad: integer(0), end: integer(0) });

const base = {
  id: text,
  hash: text,
  needs: list(text),
  seed: integer(0),
  place: optional(object<{ file: string; line: number }>({ file: text, line: integer(1) })),
};

const programs = record(record(text));

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
  tables: record(list(number)),
  metrics: list(text),
  evaluate: optional(object<{ every: number; data: DataSource }>({ every: integer(1), data: dataSource })),
  checkpointEvery: integer(1),
  reference: optional(object<{ state: StateTensor[]; hash: string }>({ state: list(stateTensor), hash: text })),
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
  subject: object<{ stage: string; arm?: string }>({ stage: text, arm: optional(text) }),
  tables: record(text),
  params: record(param),
});

const exportTask: Check<ExportTask> = object<ExportTask>({
  ...base,
  kind: oneOf(['export']),
  file: text,
  tensors: list(object<{ name: string; task: string; source: string }>({ name: text, task: text, source: text })),
});

const report: Check<ReportTask> = object<ReportTask>({
  ...base,
  kind: oneOf(['report']),
  title: text,
  about: text,
  text,
  seeds: list(integer(0)),
});

const task: Check<Task> = variants<Task, 'kind'>('kind', { train, embed, score, export: exportTask, report });

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
  resolved: list(object<{ name: string; value: string; origin: string }>({ name: text, value: text, origin: text })),
});
