/** Faults of rows, gathered so that one error shows several of them, and warnings in the same words. */
import { dataError } from '../../core/data/codes.ts';
import type { RowPlace } from '../../core/data/conversation.ts';
import { plain } from './containers/table.ts';
import type { Fault } from './containers/table.ts';

/** Faults and warnings that are shown. */
const SHOWN = 10;

/** Counts all, keeps the first few. */
export class Notes {
  count = 0;
  private readonly first: Fault[] = [];

  add(fault: Fault): void {
    this.count++;
    if (this.first.length < SHOWN) this.first.push(fault);
  }

  /** A line for each that is kept, and one for the rest. */
  lines(): string[] {
    const rest = this.count - this.first.length;
    return [...this.first.map(lineOf), ...(rest > 0 ? [`and ${rest} more`] : [])];
  }

  /** Throws R0520 where there are any. `more` says that rows were left unread. */
  throwAny(given: string, more = false): void {
    if (this.count === 0) return;
    const { file, line, row } = this.first[0].place;
    throw dataError(
      'R0520',
      `${this.count}${more ? ' or more' : ''} ${this.count === 1 ? 'fault' : 'faults'} in the rows of ${given}:${this.lines()
        .map((text) => `\n  ${text}`)
        .join('')}`,
      { cure: 'mend or remove these rows', place: { file, line, row } },
    );
  }
}

/** `rows.jsonl:4: chosen: expected text, found 7`, with the row's number where lines do not tell it. */
export function lineOf({ place, field, what }: Fault): string {
  const row = place.line !== undefined && place.row !== undefined && place.row !== place.line ? ` (row ${place.row})` : '';
  return `${placeOf(place)}: ${field === undefined ? '' : `${field}: `}${what}${row}`;
}

/** Where a row stands, in a word or two. */
export function placeOf({ file, line, row, entry }: RowPlace): string {
  if (line !== undefined) return `${file}:${line}`;
  return `${file}${row === undefined ? '' : ` row ${row}`}${entry === undefined ? '' : `, sample ${plain(entry)}`}`;
}
