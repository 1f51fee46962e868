/** Faults of rows, gathered so that one error shows several of them, and warnings in the same words. */
import { dataError } from '../../core/data/codes.ts';
import type { RowFault, RowPlace } from '../../core/data/conversation.ts';
import { plain } from './containers/table.ts';

/** Faults and warnings that are shown: of each kind the first, and as many more as there is room for. */
const SHOWN = 10;
/** Kinds of faults that are told apart; more are counted only. */
const KINDS = 1000;

interface Kept {
  fault: RowFault;
  /** Its place among all. */
  at: number;
}

/** Faults with the same sentence about the same field: the first few, and how many there are. */
interface Kind {
  first: Kept[];
  count: number;
}

/** Counts all, keeps the first of each kind. */
export class Notes {
  private readonly kinds = new Map<string, Kind>();
  private all = 0;
  private rows = 0;

  /** Faults; a column that no row has is one. */
  get count(): number {
    const repeated = [...this.kinds.values()].filter((kind) => this.isEverywhere(kind));
    return repeated.reduce((count, kind) => count - kind.count + 1, this.all);
  }

  /** Another row is read: a column that all of them lack is told once. */
  row(): void {
    this.rows++;
  }

  add(fault: RowFault): void {
    const at = this.all++;
    const key = JSON.stringify([fault.field, fault.missing === true ? '' : fault.what]);
    let kind = this.kinds.get(key);
    if (kind === undefined && this.kinds.size === KINDS) return;
    if (kind === undefined) this.kinds.set(key, (kind = { first: [], count: 0 }));
    kind.count++;
    if (kind.first.length < SHOWN) kind.first.push({ fault, at });
  }

  /** A line for each that is shown, and one for the rest. */
  lines(): string[] {
    const kinds = [...this.kinds.values()];
    const heads = kinds.slice(0, SHOWN).map((kind) => kind.first[0]);
    const others = kinds.flatMap((kind) => (this.isEverywhere(kind) ? [] : kind.first.slice(1))).sort((a, b) => a.at - b.at);
    const shown = [...heads, ...others.slice(0, SHOWN - heads.length)].sort((a, b) => a.at - b.at);
    const everywhere = new Set(kinds.filter((kind) => this.isEverywhere(kind)).map((kind) => kind.first[0]));
    const rest = this.count - shown.length;
    return [
      ...shown.map((one) => (everywhere.has(one) ? this.lineOfAll(one.fault) : lineOf(one.fault))),
      ...(rest > 0 ? [`and ${rest} more`] : []),
    ];
  }

  /** Throws R0520 where there are any. `more` says that rows were left unread. */
  throwAny(given: string, more = false): void {
    const { count } = this;
    if (count === 0) return;
    const [kind] = this.kinds.values();
    const { file, line, row } = kind.first[0].fault.place;
    throw dataError(
      'R0520',
      `${count}${more ? ' or more' : ''} ${count === 1 ? 'fault' : 'faults'} in the rows of ${given}:${this.lines()
        .map((text) => `\n  ${text}`)
        .join('')}`,
      { cure: 'mend or remove these rows', place: { file, line, row } },
    );
  }

  private isEverywhere({ first, count }: Kind): boolean {
    return first[0].fault.missing === true && count > 1 && count === this.rows;
  }

  private lineOfAll({ place, field, what }: RowFault): string {
    return lineOf({ place: { file: place.file }, field, what: `${what} (nor has any of the ${this.rows} rows)` });
  }
}

/** `rows.jsonl:4: chosen: expected text, found 7`, with the row's number where lines do not tell it. */
export function lineOf({ place, field, what }: RowFault): string {
  const row = place.line !== undefined && place.row !== undefined && place.row !== place.line ? ` (row ${place.row})` : '';
  return `${placeOf(place)}: ${field === undefined ? '' : `${field}: `}${what}${row}`;
}

/** Where a row stands, in a word or two. */
export function placeOf({ file, line, row, entry }: RowPlace): string {
  if (line !== undefined) return `${file}:${line}`;
  return `${file}${row === undefined ? '' : ` row ${row}`}${entry === undefined ? '' : `, sample ${plain(entry)}`}`;
}
