/**
 * From row numbers to the inputs of a program: rows are read and collated, cached reference log-probabilities are added,
 * and what the program does not ask for is left out. Which rows a step sees is decided here too, from the step alone.
 */
import type { TypedArrayOf } from '../../../plan/dtypes.ts';
import type { Collate, Tokenizer, TrainTask } from '../../../plan/plan.ts';
import type { Program } from '../../../plan/program.ts';
import { feed } from '../data/feed.ts';
import type { Fed } from '../data/feed.ts';
import { rowsOfStep } from '../data/order.ts';
import type { RowSource } from '../data/row.ts';
import { runError } from './errors.ts';

export type Inputs = Map<string, TypedArrayOf>;

/** Reference log-probabilities of all rows, [count, width] by the name of the program's output. */
export type ReferenceTable = Map<string, { width: number; data: TypedArrayOf }>;

/** Data that a task reads, and how its rows become inputs. */
export interface RowData {
  source: RowSource;
  collate: Collate;
  tokenizer?: Tokenizer;
  reference?: ReferenceTable;
  /** Whether rows are to be answered, so that only their images and prompts are collated. */
  prompts?: boolean;
}

/** Batches made ahead of the one that the device is to have next. */
const AHEAD = 3;

/**
 * The batches of `lists` from number `from` on, in order, made ahead of the device. `number` of a batch is its place in `lists`;
 * `rowsOf` gives the rows of a place.
 */
export async function* batchesOf(
  data: RowData,
  rowsOf: (number: number) => readonly number[],
  from: number,
  to: number,
  keepRows = false,
): AsyncGenerator<Fed> {
  const { source, collate, tokenizer, prompts } = data;
  for await (const fed of feed({ source, collate, tokenizer, prompts, rows: rowsOf, from, to, ahead: AHEAD, keepRows })) {
    addReference(data.reference, fed);
    yield fed;
  }
}

/** The batch of some rows. */
export async function batchOf(data: RowData, rows: readonly number[]): Promise<Fed> {
  for await (const fed of batchesOf(data, () => rows, 0, 1)) return fed;
  throw new Error('one batch was asked for, and none came');
}

/** Adds `reference.<name>` for the rows of the batch. */
function addReference(table: ReferenceTable | undefined, { indices, batch }: Fed): void {
  for (const [name, { width, data }] of table ?? []) {
    const picked = new Float32Array(indices.length * width);
    indices.forEach((row, i) => picked.set(data.subarray(row * width, (row + 1) * width), i * width));
    batch.set(`reference.${name}`, picked);
  }
}

/** Row numbers of step `step` (from 0) in training. */
export function trainingRows(task: TrainTask, step: number): number[] {
  if (task.order.kind === 'given') return task.order.rows[step];
  return rowsOfStep(step, { count: task.data.count, batch: task.batch, seed: task.order.seed });
}

/** Passes through the data after `steps` steps. An epoch leaves out the last rows that fill no batch. */
export function epochOf(task: TrainTask, steps: number): number {
  if (task.order.kind === 'given') return (steps * task.batch) / task.data.count;
  return steps / Math.floor(task.data.count / task.batch);
}

/** The inputs that a program asks for. Throws R0621 where the data do not give one. */
export function inputsFor(program: Program, inputs: Inputs): Inputs {
  const wanted: Inputs = new Map();
  for (const { name, derive } of program.inputs) {
    if (derive !== undefined) continue;
    const data = inputs.get(name);
    if (data === undefined) {
      throw runError(
        'R0621',
        `the program asks for the input ${name}, and the data give ${[...inputs.keys()].join(', ')}`,
        'compile the text again: its data and its programs do not belong together',
      );
    }
    wanted.set(name, data);
  }
  return wanted;
}

/** Values of the scalars that a program asks for. */
export function scalarsFor(program: Program, scalars: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    program.scalars.map((name) => {
      if (!Object.hasOwn(scalars, name)) {
        throw runError(
          'R0622',
          `the program asks for the scalar ${name}, which the task does not give`,
          'compile the text again: the plan is not whole',
        );
      }
      return [name, scalars[name]];
    }),
  );
}

/** Rows in one execution of a program: the leading extent of its first input. */
export function rowsOfProgram(program: Program): number {
  const input = program.inputs.find(({ derive }) => derive === undefined);
  if (input === undefined || input.shape.length === 0) {
    throw runError('R0623', 'a program that runs over rows has no input', 'compile the text again');
  }
  return input.shape[0];
}

/** Tokens that a batch puts through the model: whatever is not padding. Undefined where the layout has no tokens. */
export function tokensOf(collate: Collate, inputs: Inputs): number | undefined {
  const segment = inputs.get('segment');
  if (segment !== undefined) return count(segment, (s) => s !== 3);
  const mask = collate.layout === 'contrast' ? inputs.get('mask') : undefined;
  return mask && count(mask, (m) => m !== 0);
}

function count(values: TypedArrayOf, holds: (value: number) => boolean): number {
  let n = 0;
  for (const value of values) if (holds(value)) n++;
  return n;
}
