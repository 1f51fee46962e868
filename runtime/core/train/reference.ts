/**
 * Reference log-probabilities: every row is scored once with the reference's weights, before training, and the result is
 * kept by the hash of what decides it. Arms and seeds with the same reference and data share the file; a killed run goes on
 * at the row where it stopped.
 */
import { elements } from '../../../plan/dtypes.ts';
import { hashOf } from '../../../plan/hash.ts';
import type { Collate, DataSource } from '../../../plan/plan.ts';
import type { Program } from '../../../plan/program.ts';
import type { Executor } from '../executor/executor.ts';
import type { Pending } from '../executor/pending.ts';
import { batchesInOrder } from '../data/order.ts';
import { batchesOf, inputsFor, rowsOfProgram, scalarsFor } from './batches.ts';
import type { ReferenceTable, RowData } from './batches.ts';
import { IN_FLIGHT } from './evaluate.ts';
import type { ReferenceCache, TableColumn, TableWriter } from './storage.ts';

/** What the log-probabilities of some data under some reference are kept by. */
export function referenceKey(reference: string, data: DataSource, collate: Collate): string {
  return hashOf({ reference, data, collate });
}

export interface ReferenceScoring {
  key: string;
  cache: ReferenceCache;
  data: RowData;
  program: Program;
  scalars: Record<string, number>;
  /** Makes the executor with the reference's weights; called only where rows are missing. */
  executor(): Promise<Executor>;
  onRows(done: number, total: number): void;
}

/** The table for all rows of the data, from the cache or computed. */
export async function referenceTable(scoring: ReferenceScoring): Promise<ReferenceTable> {
  const { key, cache, program, data } = scoring;
  const columns: TableColumn[] = program.outputs.map(({ name, dtype, shape }) => ({
    name,
    dtype,
    shape: [data.source.count, ...shape.slice(1)],
  }));
  let kept = await cache.read(key);
  if (kept === undefined) {
    const writer = await cache.open(key, columns, rowsOfProgram(program));
    try {
      if (writer.rows < data.source.count) await score(scoring, writer);
      await writer.finish();
    } finally {
      await writer.close();
    }
    kept = await cache.read(key);
  }
  const tensors = kept?.tensors;
  return new Map(
    columns.map(({ name, shape }) => {
      const found = tensors?.get(name);
      if (found === undefined || found.data.length !== elements(shape)) throw new Error(`the reference cache ${key} has no whole ${name}`);
      return [name, { width: elements(shape.slice(1)), data: found.data }];
    }),
  );
}

/** Scores the rows that are missing. The program takes a fixed number of rows; the last batch is filled up with its last row. */
async function score(scoring: ReferenceScoring, writer: TableWriter): Promise<void> {
  const { data, program, onRows } = scoring;
  const size = rowsOfProgram(program);
  const executor = await scoring.executor();
  const scalars = scalarsFor(program, { ...scoring.scalars, rows: data.source.count });
  const lists = batchesInOrder(data.source.count - writer.rows, size).map((list) => list.map((row) => row + writer.rows));
  const pending: { outputs: Pending; rows: number }[] = [];
  const settle = async (): Promise<void> => {
    const first = pending.shift();
    if (first === undefined) return;
    const outputs = await first.outputs.outputs();
    const used = new Map([...outputs].map(([name, values]) => [name, values.subarray(0, (values.length / size) * first.rows)]));
    await writer.append(first.rows, used);
    onRows(writer.rows, data.source.count);
  };
  for await (const { step: at, batch } of batchesOf(data, (list) => filled(lists[list], size), 0, lists.length)) {
    pending.push({ outputs: executor.run('reference', { inputs: inputsFor(program, batch), scalars }), rows: lists[at].length });
    if (pending.length >= IN_FLIGHT) await settle();
  }
  while (pending.length > 0) await settle();
}

function filled(rows: readonly number[], size: number): number[] {
  return Array.from({ length: size }, (_, i) => rows[Math.min(i, rows.length - 1)]);
}
