/**
 * Which texts of a row a layout reads, and how many tokens each may have. Collation and the scan before training share
 * this, so that a row which passes the scan is never refused later.
 */
import type { Place } from '../../../plan/errors.ts';
import type { Collate, Tokenizer } from '../../../plan/plan.ts';
import { dataError } from './codes.ts';
import type { Row, RowSource } from './row.ts';
import { encoderOf, unknownWord } from './tokens.ts';

/** One text that a layout reads. `room` counts tokens, the end token included where there is one. */
export interface Slot {
  column: 'prompt' | 'answer' | 'chosen' | 'rejected';
  /** The name of the room in a source's parameters, for the cure. */
  declared: 'prompt' | 'answer';
  room: number;
  end: boolean;
}

/** What messages need of a source. */
export type Named = Pick<RowSource, 'name' | 'place'>;

/** A row in words: `row 3 of pairs/rows.jsonl`, or the line of the user's file where there is one. */
export function nameOf(source: Named, index: number): string {
  const at = source.place?.(index);
  if (at === undefined) return `row ${index + 1} of ${source.name}`;
  return `row ${index + 1} (${at.file}${at.line === undefined ? '' : `, line ${at.line}`})`;
}

export function placeOf(source: Named, index: number): Place {
  return { ...(source.place?.(index) ?? { file: source.name }), row: index + 1 };
}

/** The texts that a layout reads, in order. */
export function slotsOf(collate: Collate): Slot[] {
  switch (collate.layout) {
    case 'pairs':
      return [
        { column: 'prompt', declared: 'prompt', room: collate.prompt, end: false },
        { column: 'chosen', declared: 'answer', room: collate.answer, end: true },
        { column: 'rejected', declared: 'answer', room: collate.answer, end: true },
      ];
    case 'answers':
      return [
        { column: 'prompt', declared: 'prompt', room: collate.prompt, end: false },
        { column: 'answer', declared: 'answer', room: collate.answer, end: true },
      ];
    case 'contrast':
      return [{ column: 'answer', declared: 'answer', room: collate.answer, end: false }];
    case 'classes':
    case 'patches':
    case 'tensors':
      return [];
  }
}

/** The text of a slot. Rows of preference data give their chosen answer where one answer is read. */
export function textOf(row: Row, slot: Slot): string | undefined {
  return slot.column === 'answer' ? (row.answer ?? row.chosen) : row[slot.column];
}

/**
 * Token ids of a slot, with the end token where the slot has one. Throws R0516 (no such text), R0514 (unknown word) or
 * R0515 (too long, or a prompt or caption without any token).
 */
export function slotIds(row: Row, slot: Slot, tokenizer: Tokenizer, source: Named, index: number): number[] {
  const text = textOf(row, slot);
  const place = placeOf(source, index);
  const named = nameOf(source, index);
  if (text === undefined) {
    throw dataError('R0516', `${named} has no ${slot.column}`, {
      cure: 'use data with that column, or a loss that does not need it',
      place,
    });
  }
  const encoder = encoderOf(tokenizer);
  const encoded = encoder.encode(text);
  if ('unknown' in encoded) throw unknownWord(tokenizer, named, place, slot.column, encoded.unknown);
  const ids = slot.end ? [...encoded.ids, encoder.end] : encoded.ids;
  if (ids.length > slot.room) {
    const end = slot.end ? ' with its end token' : '';
    throw dataError('R0515', `${slot.column} of ${named} has ${ids.length} tokens${end}, and ${slot.declared} is ${slot.room}`, {
      cure: `declare ${slot.declared}: ${ids.length} or more, or leave the row out`,
      place,
    });
  }
  if (ids.length === 0 && slot.room > 0) {
    throw dataError('R0515', `${slot.column} of ${named} has no word`, {
      cure: `give it a text, or leave the row out`,
      place,
    });
  }
  return ids;
}

export interface Unfit {
  count: number;
  /** The first few, as messages that name the row. */
  examples: string[];
}

/**
 * Reads the texts of all rows, without pictures where the source can, and counts those that do not fit the layout, with
 * `prompts` only those whose prompt does not. To be run before the device is touched. Sources whose texts would need pictures to be
 * decoded are not scanned.
 */
export function countUnfit(source: RowSource, collate: Collate, tokenizer: Tokenizer | undefined, examples = 5, prompts = false): Unfit {
  const unfit: Unfit = { count: 0, examples: [] };
  const slots = slotsOf(collate).filter(({ column }) => !prompts || column === 'prompt');
  if (slots.length === 0 || tokenizer === undefined || source.text === undefined) return unfit;
  for (let index = 0; index < source.count; index++) {
    const row = source.text(index);
    try {
      for (const slot of slots) slotIds(row, slot, tokenizer, source, index);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      unfit.count++;
      if (unfit.examples.length < examples) unfit.examples.push(error.message);
    }
  }
  return unfit;
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
