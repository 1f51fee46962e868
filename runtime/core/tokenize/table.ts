/** Ids of rows against the table of embeddings of the model that reads them: beyond it there is nothing to read, and nothing to predict. */
import { PivotError } from '../../../plan/errors.ts';

/** What is needed to judge ids, and to name the token of one. */
export interface TableTokenizer {
  file: string;
  /** Rows of the table; undefined where no config beside the tokenizer says so. */
  table?: number | undefined;
  decode(ids: number[][], skipSpecial?: boolean): Promise<string[]>;
}

/** Throws R0544 for the first row with an id that the table has no row for. `rows` are the ids of each row, however many lists. */
export async function requireRows(
  tokenizer: TableTokenizer,
  rows: readonly (readonly ArrayLike<number>[])[],
  nameOf: (row: number) => string,
): Promise<void> {
  const { table } = tokenizer;
  if (table === undefined) return;
  for (const [row, lists] of rows.entries()) {
    for (const ids of lists) {
      const id = Array.from(ids).find((one) => one >= table);
      if (id === undefined) continue;
      const [token] = await tokenizer.decode([[id]], false);
      throw new PivotError(
        'R0544',
        `${nameOf(row)} has the token ${JSON.stringify(token)} with the id ${id}, and the table of embeddings of the model has ${table} rows (vocab_size)`,
        { cure: 'resize the embeddings of the checkpoint to its tokenizer, or leave the token out of the rows' },
      );
    }
  }
}
