/** Reads a hostile archive as samples of preferences. */
import { read as readRows } from './rows.ts';
import type { Result } from './result.ts';

export async function read(path: string): Promise<Result> {
  const { rows, ...rest } = await readRows(path);
  return { ...rest, samples: rows };
}
