/** Batches ahead of the device: while a step runs, the rows of the next ones are read and collated. */
import type { Collate, Tokenizer } from '../../../plan/plan.ts';
import type { Batch } from './collate.ts';
import { collate, collatePrompts } from './collate.ts';
import type { Row, RowSource } from './row.ts';

export interface FeedOptions {
  source: RowSource;
  collate: Collate;
  tokenizer?: Tokenizer;
  /** Whether only images and prompts are wanted, for a model to answer. */
  prompts?: boolean;
  /** Rows of a step: `rowsOfStep`, the list of a recorded run, or the batches of an evaluation. */
  rows(step: number): readonly number[];
  /** First step, and the step after the last. */
  from: number;
  to: number;
  /** How many batches are made ahead of the one asked for; each is held in memory. */
  ahead?: number;
  /** Whether to hand on the rows as well, for columns that never reach the device. */
  keepRows?: boolean;
}

export interface Fed {
  step: number;
  indices: readonly number[];
  batch: Batch;
  rows?: Row[];
}

/**
 * The batches of steps `from` to `to`, in order. How rows are read (threads, order of completion) changes nothing in
 * them. An error of a row surfaces at its step, after all earlier batches.
 */
export async function* feed(options: FeedOptions): AsyncGenerator<Fed, void, undefined> {
  const { from, to, ahead = 2 } = options;
  const started: Promise<Fed>[] = [];
  let next = from;
  for (let step = from; step < to; step++) {
    while (next < to && next <= step + ahead) {
      const promise = load(options, next++);
      // Whoever stops early never awaits the rest; their errors are nobody's.
      promise.catch(() => undefined);
      started.push(promise);
    }
    const fed = started.shift();
    if (fed !== undefined) yield await fed;
  }
}

async function load(options: FeedOptions, step: number): Promise<Fed> {
  const { source, collate: layout, tokenizer, rows: rowsOf, keepRows } = options;
  const indices = rowsOf(step);
  // A turn of the event loop: a source that computes its rows at once must not hold up whoever asked for the batch before.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const rows = await Promise.all(indices.map((index) => source.row(index)));
  const answered = layout.layout === 'pairs' || layout.layout === 'answers';
  const where = { source, indices };
  const batch =
    options.prompts === true && answered ? collatePrompts(rows, layout, tokenizer, where) : collate(rows, layout, tokenizer, where);
  return keepRows === true ? { step, indices, batch, rows } : { step, indices, batch };
}
