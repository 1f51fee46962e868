/**
 * Embedding: a forward program over all rows, its outputs kept as one table, rows first. Beside it go inputs of the batch that
 * the task asks for (labels), and columns of the source that never reach the device, as JSON lines.
 */
import type { PivotError } from '../../../plan/errors.ts';
import type { EmbedTask } from '../../../plan/plan.ts';
import type { Fed } from '../data/feed.ts';
import type { Row } from '../data/row.ts';
import type { Pending } from '../executor/pending.ts';
import { batchesInOrder } from '../data/order.ts';
import { areFinite, whereNotFinite } from './bad-rows.ts';
import type { ForwardBatch } from './bad-rows.ts';
import { batchesOf, batchOf, inputsFor, scalarsFor } from './batches.ts';
import type { Inputs } from './batches.ts';
import { runError } from './errors.ts';
import { IN_FLIGHT } from './evaluate.ts';
import type { ForwardRun } from './forward-run.ts';
import { Pace } from './pace.ts';
import { onDevice, writeInitialState } from './start.ts';
import { programOf } from './step.ts';
import type { TableColumn } from './storage.ts';

export type Embedding = ForwardRun<EmbedTask>;

/** Embeds the rows that are missing from the table. Returns whether all are there; the signal stops it between batches. */
export async function embed(embedding: Embedding): Promise<boolean> {
  const { task, programs, executor, data, storage, signal, log } = embedding;
  const table = await storage.openTable(await layout(embedding), task.hash, task.batch);
  try {
    const lines = await storage.lines('rows');
    // Lines are appended before the table counts their rows, so there may be too many of them, never too few.
    await lines.truncate(task.keepColumns.length > 0 ? table.rows : 0);
    if (table.rows < data.source.count) {
      await writeInitialState(executor, onDevice(task.state, programs), task.seed, embedding.weights);
      if (!(await addTotals(embedding))) return false;
    }
    const pace = new Pace(embedding.now);
    const pending: { outputs: Pending; fed: Fed; of: ForwardBatch }[] = [];
    const settle = async (): Promise<void> => {
      const first = pending.shift();
      if (first === undefined) return;
      const given = await first.outputs.outputs();
      if (!areFinite(given)) throw await notFinite(embedding, first.of);
      const outputs = new Map<string, ArrayBufferView>(given);
      for (const name of task.keepInputs) outputs.set(name, pick(first.fed.batch, name));
      if (task.keepColumns.length > 0) await lines.append(columnLines(task, first.fed));
      await table.append(first.fed.indices.length, outputs);
      const { rate, remaining } = pace.at(table.rows, data.source.count);
      log.progress({ task: task.id, doing: 'embedding', done: table.rows, total: data.source.count, unit: 'rows', rate, remaining });
    };
    const lists = batchesInOrder(data.source.count, task.batch);
    const from = table.rows === data.source.count ? lists.length : table.rows / task.batch;
    for await (const fed of batchesOf(data, (at) => lists[at], from, lists.length, task.keepColumns.length > 0)) {
      if (signal?.aborted === true) break;
      const role = fed.indices.length === task.batch ? 'forward' : 'forward.rest';
      const program = programOf(task.id, programs, role);
      const scalars = scalarsFor(program, { ...task.scalars, rows: data.source.count });
      const of = { role, program, inputs: inputsFor(program, fed.batch), scalars, indices: fed.indices };
      pending.push({ outputs: executor.run(role, of), fed, of });
      if (pending.length >= IN_FLIGHT) await settle();
    }
    while (pending.length > 0) await settle();
    if (table.rows < data.source.count) return false;
    await lines.flush();
    await table.finish();
    return true;
  } finally {
    await table.close();
  }
}

/** A number that is not finite in a table would go into every mean and fit that is made of it. */
async function notFinite({ task, executor }: Embedding, batch: ForwardBatch): Promise<PivotError> {
  return runError(
    'R0634',
    `what ${task.id} keeps of its rows is not finite: ${await whereNotFinite(executor, batch)}`,
    'if the tensor named is an input, look at that row of the data, else at the weights that are probed',
  );
}

/** Fills the states that hold sums over all rows, where the program uses some. Returns false where the signal stopped it. */
async function addTotals({ task, programs, executor, data, signal }: Embedding): Promise<boolean> {
  if (programs.totals === undefined && programs['totals.rest'] === undefined) return true;
  const lists = batchesInOrder(data.source.count, task.batch);
  for await (const { indices, batch } of batchesOf(data, (at) => lists[at], 0, lists.length)) {
    if (signal?.aborted === true) return false;
    const role = indices.length === task.batch ? 'totals' : 'totals.rest';
    const program = programOf(task.id, programs, role);
    const scalars = scalarsFor(program, { ...task.scalars, rows: data.source.count });
    await executor.run(role, { inputs: inputsFor(program, batch), scalars }).outputs();
  }
  return true;
}

/** Columns of the table: the program's outputs, and inputs whose width a first batch shows. */
async function layout({ task, programs, data }: Embedding): Promise<TableColumn[]> {
  const size = Math.min(task.batch, data.source.count);
  const program = programOf(task.id, programs, size === task.batch ? 'forward' : 'forward.rest');
  const { batch: sample } = await batchOf(
    data,
    Array.from({ length: size }, (_, i) => i),
  );
  const columns: TableColumn[] = program.outputs.map(({ name, dtype, shape }) => ({
    name,
    dtype,
    shape: [data.source.count, ...shape.slice(1)],
  }));
  for (const name of task.keepInputs) {
    const values = pick(sample, name);
    const declared = program.inputs.find((input) => input.name === name);
    const width = values.length / size;
    const shape = declared !== undefined ? declared.shape.slice(1) : width === 1 ? [] : [width];
    const dtype = values instanceof Float32Array ? 'f32' : values instanceof Int32Array ? 'i32' : 'u32';
    columns.push({ name, dtype, shape: [data.source.count, ...shape] });
  }
  return columns;
}

function pick(inputs: Inputs, name: string): Float32Array | Int32Array | Uint32Array {
  const values = inputs.get(name);
  if (values === undefined) throw new Error(`the batch has no input ${name} to keep`);
  return values;
}

/** One JSON line a row with the columns to keep; `size` is the picture's width, `text` whatever text the row has. */
function columnLines(task: EmbedTask, { indices, rows = [] }: Fed): string[] {
  return rows.map((row, i) =>
    JSON.stringify({ row: indices[i], ...Object.fromEntries(task.keepColumns.map((name) => [name, columnOf(row, name)])) }),
  );
}

function columnOf(row: Row, name: string): unknown {
  if (name === 'size') return row.image?.width;
  if (name === 'text') return { prompt: row.prompt, answer: row.answer, chosen: row.chosen, rejected: row.rejected };
  const own: unknown = Object.hasOwn(row, name) ? row[name as keyof Row] : row.extra?.[name];
  return own instanceof Uint8Array ? [...own] : own;
}
