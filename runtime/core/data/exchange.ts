/**
 * Pairs whose two answers change places: the control of every claim about preferences. Which ones is drawn by the seed of the rows and the
 * row, so that it varies with the seed where the rows do; a larger share holds all of a smaller one.
 */
import type { DataSource } from '../../../plan/plan.ts';
import { keyOf, Random } from '../random.ts';
import type { Row, RowSource } from './row.ts';

/** `seed`: by which the rows were drawn, see `seedOfRows`. */
export function exchangedPairs(source: RowSource, share: number, seed: number): RowSource {
  const key = keyOf('exchanged', seed);
  const swap = (row: Row, index: number): Row => {
    if (new Random(key, index).uniform() >= share) return row;
    const ids = row.ids === undefined ? {} : { ids: { ...row.ids, chosen: row.ids.rejected, rejected: row.ids.chosen } };
    return { ...row, ...ids, chosen: row.rejected, rejected: row.chosen, extra: { ...row.extra, exchanged: true } };
  };
  const result: RowSource = {
    ...source,
    name: `${source.name}, ${100 * share} % exchanged`,
    row: (index) => {
      const row = source.row(index);
      return row instanceof Promise ? row.then((r) => swap(r, index)) : swap(row, index);
    },
  };
  const { text } = source;
  if (text !== undefined) result.text = (index) => swap(text(index), index);
  return result;
}

/** The seed that rows were drawn by: their own, or that of what they are made of; 0 for rows that are read. */
export function seedOfRows({ params, base, mix }: DataSource): number {
  if (typeof params.seed === 'number') return params.seed;
  const from = base ?? mix?.find(({ params: own }) => own.seed !== undefined && own.fixed !== true) ?? mix?.[0];
  return from === undefined ? 0 : seedOfRows(from);
}
