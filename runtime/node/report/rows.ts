/**
 * Rows of a plan's data, for pictures and texts of the report. Rows that a sample task made (`sampled.pairs`) are read from its
 * folder, with the pictures of the data that was asked about.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PivotError } from '../../../plan/errors.ts';
import type { DataSource } from '../../../plan/plan.ts';
import { dataError } from '../../core/data/codes.ts';
import { openSource } from '../../core/data/row.ts';
import type { Row, RowSource, SourceContext } from '../../core/data/row.ts';
import { readLines } from './read-run.ts';
import type { RunRecord } from './read-run.ts';

/** Opens the rows of a source. */
export type OpenRows = (data: DataSource) => Promise<RowSource>;

/** `openSource` with the sources of `context`, and with rows that tasks of this run made. */
export function rowsOf(run: RunRecord, context: SourceContext): OpenRows {
  const open: OpenRows = async (data) => {
    if (data.task === undefined) return openSource(data, context);
    const record = run.tasks.find(({ task }) => task.id === data.task);
    const path = record && join(record.folder, 'pairs.jsonl');
    if (record?.task.kind !== 'sample' || path === undefined || !existsSync(path)) {
      throw dataError('R0513', `${data.task} has made no rows yet`, { cure: 'let the run go on, then write the report again' });
    }
    const pairs = readLines(path);
    const base = await open(data.base ?? record.task.data);
    return {
      name: `${data.source} of ${data.task}`,
      count: pairs.length,
      row: async (index) => {
        const { row, chosen, rejected } = pairs[index];
        const found = await base.row(Number(row));
        return { ...found, ...(typeof chosen === 'string' ? { chosen } : {}), ...(typeof rejected === 'string' ? { rejected } : {}) };
      },
      close: async () => base.close?.(),
    };
  };
  return open;
}

/** The rows of these indices; those beyond the end are left out. Throws what the source throws. */
export async function readRows(data: DataSource, indices: readonly number[], open: OpenRows): Promise<Row[]> {
  const source = await open(data);
  try {
    const rows: Row[] = [];
    for (const index of indices) if (index < source.count) rows.push(await source.row(index));
    return rows;
  } finally {
    await source.close?.();
  }
}

/** A damaged table, or data that has since gone, leaves a gap and a sentence, not a run without a report. */
export async function orProblem<T>(read: Promise<T>): Promise<T | string> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof PivotError) return error.message;
    throw error;
  }
}
