/**
 * Pairs whose two answers change places: the control of every claim about preferences. Which ones is drawn by row alone, so it
 * is the same for every seed, and a larger share holds all of a smaller one.
 */
import { keyOf, Random } from '../random.ts';
import type { Row, RowSource } from './row.ts';

const KEY = keyOf('exchanged', 0);

export function exchangedPairs(source: RowSource, share: number): RowSource {
  const swap = (row: Row, index: number): Row => {
    if (new Random(KEY, index).uniform() >= share) return row;
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
