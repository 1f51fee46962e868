/** The scan before training: which rows have texts that the layout has no room for. */
import { PivotError } from '../../../plan/errors.ts';
import type { Collate, Tokenizer } from '../../../plan/plan.ts';
import { dataError } from './codes.ts';
import { conversationIds, promptIds } from './conversation-ids.ts';
import type { Row, RowSource } from './row.ts';
import { slotIds, slotsOf } from './slots.ts';

export interface Unfit {
  count: number;
  /** The first few, as messages that name the row. */
  examples: string[];
}

/**
 * Reads the texts of all rows, without pictures where the source can, and gives those that do not fit the layout, with
 * `prompts` only those whose prompt does not, each with an error that names it. To be run before the device is touched. Sources whose texts
 * would need pictures to be decoded are not scanned.
 */
export function* unfitRows(
  source: RowSource,
  collate: Collate,
  tokenizer: Tokenizer | undefined,
  prompts = false,
): Generator<PivotError, void, undefined> {
  const check = checkOf(source, collate, tokenizer, prompts);
  if (check === undefined || source.text === undefined) return;
  for (let index = 0; index < source.count; index++) {
    if (source.refused?.(index) === true) continue;
    const row = source.text(index);
    try {
      check(row, index);
    } catch (error) {
      if (!(error instanceof PivotError)) throw error;
      yield error;
    }
  }
}

/** Counts those rows. */
export function countUnfit(source: RowSource, collate: Collate, tokenizer: Tokenizer | undefined, examples = 5, prompts = false): Unfit {
  const unfit: Unfit = { count: 0, examples: [] };
  for (const { message } of unfitRows(source, collate, tokenizer, prompts)) {
    unfit.count++;
    if (unfit.examples.length < examples) unfit.examples.push(message);
  }
  return unfit;
}

/** What is asked of every row; undefined where a layout reads no text. */
function checkOf(source: RowSource, collate: Collate, tokenizer: Tokenizer | undefined, prompts: boolean) {
  if ('pictures' in collate && collate.pictures !== undefined)
    return (row: Row, index: number): unknown => (prompts ? promptIds : conversationIds)(row, collate, source, index);
  const slots = slotsOf(collate).filter(({ column }) => !prompts || column === 'prompt');
  if (slots.length === 0 || tokenizer === undefined) return undefined;
  return (row: Row, index: number): unknown => slots.map((slot) => slotIds(row, slot, tokenizer, source, index));
}

/** As `countUnfit`, but throws R0515 with the count and the first rows. */
export function checkFit(source: RowSource, collate: Collate, tokenizer: Tokenizer | undefined, prompts = false): void {
  const { count, examples } = countUnfit(source, collate, tokenizer, 5, prompts);
  if (count === 0) return;
  const more = count > examples.length ? `\n  and ${count - examples.length} more` : '';
  throw dataError('R0515', `${count} of ${source.count} rows of ${source.name} do not fit:\n  ${examples.join('\n  ')}${more}`, {
    cure: 'raise the declared lengths, add the words, or leave these rows out',
  });
}
