/** What every layout is: a function from a row as stored to a draft of the normal form, which `assemble.ts` completes. */
import type { ImageRef, Role } from '../../../core/data/conversation.ts';
import type { Json } from '../../../core/data/row.ts';
import { nearestOf } from '../../../core/data/tokens.ts';
import { describe, fieldOf, plain } from '../containers/table.ts';
import type { Fields, Value } from '../containers/table.ts';

export type Wanted = 'preferences' | 'supervised';

export type LayoutName = 'trl' | 'ms-swift' | 'llamafactory' | 'llava' | 'flat' | 'rlhf-v';

/** Notes a fault of the row; `missing` where a column is. Gives undefined, so that a reader can return it. */
export type Complain = (field: string, what: string, missing?: true) => undefined;

/** A text, or the place of a picture. */
export type Piece = { text: string } | { picture: true };

/** A message before pictures are numbered. */
export interface Turn {
  role: Role;
  pieces: Piece[];
  /** Its content was one text: then pictures without marks may belong before it. */
  plain: boolean;
  /** Where it stands in the row: `prompt[0]`. */
  field: string;
  /** What it says beside role and content, without nulls. */
  more?: Record<string, Json>;
  /** Whether it is to be learnt, where it says so, and by which key. */
  mark?: { key: string; learn: boolean };
}

export interface Picture {
  ref: ImageRef;
  field: string;
}

/** A row as a layout reads it. Either prompt, chosen and rejected, or messages. */
export interface Draft {
  id?: string;
  images: Picture[];
  rejectedImages?: Picture[];
  prompt?: Turn[];
  chosen?: Turn[];
  rejected?: Turn[];
  messages?: Turn[];
  conversational?: boolean;
  /** Messages before the completion. */
  lead?: number;
  /** Pictures without any mark stand before the first words of the user. */
  picturesFirst: boolean;
  /** Columns that were read. */
  read: readonly string[];
  /** The column of tools: `tools` by default, empty where there is none. */
  toolsColumn?: string;
}

export interface Layout {
  name: LayoutName;
  /** Columns that each row has, for messages; `|` stands between two that do. */
  columns: Record<Wanted, readonly string[] | undefined>;
  read(row: Fields, wanted: Wanted, complain: Complain): Draft | undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const SURROGATE = /\p{Cs}/u;

/** The text of a column. A missing one names those that the row has. */
export function textColumn(row: Fields, column: string, complain: Complain): string | undefined {
  const value = fieldOf(row, column);
  return value === undefined ? missing(row, column, complain) : textOf(value, column, complain);
}

/** A value that must be a text. Bytes, of columns without type, must be UTF-8. */
export function textOf(value: Value | undefined, field: string, complain: Complain): string | undefined {
  let text = value;
  if (text instanceof Uint8Array) {
    try {
      text = utf8.decode(text);
    } catch {
      return complain(field, 'expected text, found bytes that are not valid UTF-8');
    }
  }
  if (typeof text !== 'string') return complain(field, `expected text, found ${describe(value)}`);
  return SURROGATE.test(text) ? complain(field, 'expected text, found half of a surrogate pair') : text;
}

export function missing(row: Fields, column: string, complain: Complain): undefined {
  const names = Object.keys(row);
  const near = nearestOf(names.slice(0, 100), column);
  const meant = near === undefined ? '' : `; is it ${plain(near)}?`;
  return complain(column, `there is no such column; the row has ${names.slice(0, 30).map(plain).join(', ') || 'none'}${meant}`, true);
}

const MARK = '<image>';

/** The pieces of a text in which `<image>` stands for a picture. The text around it is kept to the byte. */
export function piecesOf(text: string): Piece[] {
  const texts = text.split(MARK);
  if (texts.length === 1) return [{ text }];
  return texts.flatMap((part, i): Piece[] => [...(i === 0 ? [] : [{ picture: true } as const]), ...(part === '' ? [] : [{ text: part }])]);
}

/** A message whose content is one text. */
export function plainTurn(role: Role, text: string, field: string): Turn {
  return { role, pieces: piecesOf(text), plain: true, field };
}

/** The row's own name, if it has one. */
export function idOf(row: Fields): string | undefined {
  const id = fieldOf(row, 'id');
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}
