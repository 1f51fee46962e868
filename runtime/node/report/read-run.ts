/**
 * What a run folder holds, as plain values. Everything may be missing: a report of a run that is not finished, or that was
 * killed while it wrote, says what is there. Results of other values of the text are left out, and so are those that are not what was written.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan, Task } from '../../../plan/plan.ts';
import type { Failure } from '../../core/run/store.ts';
import type { RatioRow } from '../../core/statistics/statistics.ts';
import type { ByRows } from './verdicts.ts';
import { TaskFolders } from '../run/task-folders.ts';

export type Fields = Record<string, unknown>;
/** One line of metrics.jsonl: finite numbers under TRL's names. `step` is always there. */
export type MetricLine = Record<string, number>;

export interface TaskRecord {
  task: Task;
  folder: string;
  finished: boolean;
  /** Why it has no result, where it was tried. */
  failure?: Failure;
  /** Results that are not what was written, by name. */
  damaged?: string[];
  seconds?: number;
  flops?: number;
  adapter?: string;
  metrics: MetricLine[];
  score?: Scored;
  selected?: Selected;
}

export interface Scored {
  values: Record<string, number>;
  details: Fields;
  /** By measure, what each row that was judged has to do with it. */
  examples: Record<string, ByRows>;
}

/** What a choice among the values of a tuned name came to. */
export interface Selected {
  choice: number;
  cells: { choice: number; seed: number; value: number }[];
  means: (number | undefined)[];
  edge: boolean;
}

export interface RunRecord {
  folder: string;
  /** run.json as it stands; empty where it is missing or damaged. */
  info: Fields;
  tasks: TaskRecord[];
  /** Tasks that should have a result and do not; the report itself and exports aside. */
  unfinished: Task[];
}

export function readRun(folder: string, plan: Plan): RunRecord {
  const folders = new TaskFolders(folder);
  const tasks = plan.tasks.map((task) => readTask(folders.of(task), task));
  const unfinished = tasks.filter((t) => !t.finished && t.task.kind !== 'report' && t.task.kind !== 'export').map((t) => t.task);
  return { folder, info: readJson(join(folder, 'run.json')), tasks, unfinished };
}

/** The first few of the tasks that have no result, and how many more there are. */
export function unfinishedNames({ unfinished }: RunRecord, most: number): string {
  const names = unfinished.slice(0, most).map((task) => task.id);
  return `${names.join(', ')}${unfinished.length > most ? ` and ${unfinished.length - most} more` : ''}`;
}

/** Tasks that failed of themselves, and what is wrong; those that only lack what they need are not among them. */
export function failuresOf({ tasks }: RunRecord): { task: Task; failure: Failure }[] {
  return tasks.flatMap(({ task, failure }) => (failure === undefined || failure.code === NEEDS_FAILED ? [] : [{ task, failure }]));
}

const NEEDS_FAILED = 'R0671';

function readTask(folder: string, task: Task): TaskRecord {
  const done = readJson(join(folder, 'done.json'));
  // task.json is written first and done.json last; a folder without the former was made by hand and is taken as it is.
  const { hash = task.hash } = readJson(join(folder, 'task.json'));
  if (hash !== task.hash || (done.hash !== undefined && done.hash !== task.hash)) return { task, folder, finished: false, metrics: [] };
  const damaged = damagedIn(folder, done);
  const record: TaskRecord = { task, folder, finished: done.hash === task.hash && damaged.length === 0, metrics: [] };
  if (damaged.length > 0) record.damaged = damaged;
  const failure = record.finished ? undefined : failureIn(folder, task.hash);
  if (failure !== undefined) record.failure = failure;
  if (typeof done.seconds === 'number') record.seconds = done.seconds;
  if (typeof done.flops === 'number') record.flops = done.flops;
  if (typeof done.adapter === 'string') record.adapter = done.adapter;
  if (task.kind === 'train' && !damaged.includes('metrics.jsonl')) record.metrics = readMetrics(join(folder, 'metrics.jsonl'));
  if (task.kind === 'score' && record.finished) {
    const { values, details, examples, ratios } = readJson(join(folder, 'score.json'));
    record.score = {
      values: numbersOf(fieldsOf(values)),
      details: fieldsOf(details),
      examples: { ...ratiosOf(fieldsOf(ratios)), ...examplesOf(fieldsOf(examples)) },
    };
  }
  if (task.kind === 'select' && record.finished) {
    const selected = selectedOf(readJson(join(folder, 'select.json')));
    if (selected !== undefined) record.selected = selected;
  }
  return record;
}

/** What the report reads whole is compared here; tables and weights are compared when a run uses them. */
const COMPARED = /\.jsonl?$/;

function damagedIn(folder: string, done: Fields): string[] {
  return Object.entries(fieldsOf(done.files)).flatMap(([name, checksum]) => {
    if (!COMPARED.test(name)) return [];
    const text = bytesOf(join(folder, name));
    return text !== undefined && createHash('sha256').update(text).digest('hex') === fieldsOf(checksum).sha256 ? [] : [name];
  });
}

function bytesOf(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function failureIn(folder: string, hash: string): Failure | undefined {
  const { code, message, cure, ...rest } = readJson(join(folder, 'failed.json'));
  if (rest.hash !== hash || typeof code !== 'string' || typeof message !== 'string') return undefined;
  return { code, message, ...(typeof cure === 'string' ? { cure } : {}) };
}

function examplesOf(fields: Fields): Scored['examples'] {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([measure, list]): [string, ByRows][] =>
      Array.isArray(list) ? [[measure, { values: list.map((value: unknown) => (isNumber(value) ? value : null)) }]] : [],
    ),
  );
}

/** Entries of a row that are not [class, hits, of] make the whole list unusable: a row less would be another measure. */
function ratiosOf(fields: Fields): Scored['examples'] {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([measure, list]): [string, ByRows][] =>
      Array.isArray(list) && list.every(isRatioRow) ? [[measure, { ratios: list }]] : [],
    ),
  );
}

function isRatioRow(row: unknown): row is RatioRow {
  return Array.isArray(row) && row.every((entry: unknown) => Array.isArray(entry) && entry.length === 3 && entry.every(isNumber));
}

function selectedOf({ choice, cells, means, edge }: Fields): Selected | undefined {
  if (!isNumber(choice) || !Array.isArray(cells)) return undefined;
  const all: unknown[] = cells;
  return {
    choice,
    cells: all.flatMap((cell) => {
      const { choice: at, seed, value } = fieldsOf(cell);
      return isNumber(at) && isNumber(seed) && isNumber(value) ? [{ choice: at, seed, value }] : [];
    }),
    means: Array.isArray(means) ? means.map((value: unknown) => (isNumber(value) ? value : undefined)) : [],
    edge: edge === true,
  };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Lines of JSON; a torn line (the process was killed while it wrote) is skipped. */
export function readLines(path: string): Fields[] {
  return (readText(path) ?? '').split('\n').flatMap((line) => {
    const value = line.trim() === '' ? undefined : parse(line);
    return isFields(value) ? [value] : [];
  });
}

function readMetrics(path: string): MetricLine[] {
  return readLines(path)
    .map(numbersOf)
    .filter((line) => line.step !== undefined);
}

/** A record as JSON; empty where the file is missing or damaged. */
export function readJson(path: string): Fields {
  return fieldsOf(parse(readText(path) ?? ''));
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

export function numbersOf(fields: Fields): MetricLine {
  const line: MetricLine = {};
  for (const [name, value] of Object.entries(fields)) if (isNumber(value)) line[name] = value;
  return line;
}
