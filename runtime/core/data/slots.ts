/**
 * Which texts of a row a layout reads, and how many tokens each may have. Collation and the scan before training share
 * this, so that a row which passes the scan is never refused later.
 */
import type { PivotError, Place } from '../../../plan/errors.ts';
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

/** Which rows of which source these are, for messages. */
export interface Where {
  source: Named;
  indices: readonly number[];
}

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

export function missing(what: string, where: Where, n: number): never {
  throw lacking(what, where.source, where.indices[n]);
}

export function lacking(what: string, source: Named, index: number): PivotError {
  return dataError('R0516', `${nameOf(source, index)} has no ${what}`, {
    cure: 'use data that has it, or another loss or probe',
    place: placeOf(source, index),
  });
}
