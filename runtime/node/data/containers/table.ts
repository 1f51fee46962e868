/**
 * What all containers of rows have in common: rows by index, read where they lie. A container is scanned once when it is opened, for an
 * index of offsets; rows are read one at a time from then on, in any order, and none is kept.
 */
import { close, open, read } from 'node:fs';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { dataError } from '../../../core/data/codes.ts';
import type { RowPlace } from '../../../core/data/conversation.ts';
import type { PivotError } from '../../../../plan/errors.ts';
import { visibleInLine as plain } from '../../../../plan/visible.ts';

const openFile = promisify(open);
const readFile = promisify(read);
const closeFile = promisify(close);

/** A value as stored: JSON, or bytes in containers that have them. */
export type Value = null | boolean | number | string | Uint8Array | Value[] | Fields;

/** A row as stored. Names may be those of Object's prototype: read it by `fieldOf` only. */
export interface Fields {
  [name: string]: Value;
}

export interface Table {
  /** As the user named it. */
  name: string;
  count: number;
  /** The scan ended before the file did: there are more rows. */
  partial?: boolean;
  /** Types of the columns by name, where all rows have the same. */
  columns?: Map<string, string>;
  /** A row, or what is wrong with it. Throws R0532 where what surrounds the row is damaged. */
  read(index: number): Promise<{ fields: Fields } | { field?: string; what: string }>;
  place(index: number): RowPlace;
  /** Lets go of what is kept for rows that follow the last one: a pass over all of them is over. */
  forget?(): void;
  close(): Promise<void>;
}

export function fieldOf(fields: Fields, name: string): Value | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

export function isFields(value: Value | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** A value in words, for `found ...`. Never walks into it, however deep it is. */
export function describe(value: Value | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Uint8Array) return 'bytes';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? `the text ${quoted(value)}` : String(value);
}

const LONGEST_QUOTE = 200;

/** A text of a user's file in a message: control characters as escapes, cut where it is long. */
export function quoted(text: string): string {
  const short = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}...` : text;
  return `"${plain(short)}"`;
}

export { plain };

/** An open file that is read by ranges. */
export interface RangeFile {
  /** As the user named it. */
  name: string;
  size: number;
  /** The bytes from `start` up to `end` or the end of the file. They are the caller's. */
  bytes(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Bytes that are read at once where ranges follow one another, as in a scan over all rows. */
const AHEAD = 2 ** 20;
/** A gap between two ranges that still follow one another. */
const GAP = 2 ** 12;

/** Throws R0504 where it cannot be opened, or is no file. */
export async function openRanges(path: string, name: string): Promise<RangeFile> {
  const failed = (what: string, cause?: unknown): Error =>
    dataError('R0504', `${name} ${what}`, { cure: 'name a file of rows, or a folder of such', place: { file: name }, cause });
  // Not opened before it is known to be a file: a pipe would wait for a writer.
  const info = await stat(path).catch((cause: unknown) => {
    throw failed('cannot be opened', cause);
  });
  if (!info.isFile()) throw failed('is no file');
  // A number, not a handle: sources of a run live as long as the process, and need not be closed.
  const file = await openFile(path, 'r').catch((cause: unknown) => {
    throw failed('cannot be opened', cause);
  });
  const { size } = info;
  let ahead = { start: 0, bytes: new Uint8Array(0) };
  let last = -1;
  const read = async (start: number, end: number): Promise<Uint8Array<ArrayBuffer>> => {
    const buffer = new Uint8Array(Math.max(0, end - start));
    for (let at = 0; at < buffer.length;) {
      const { bytesRead } = await readFile(file, buffer, at, buffer.length - at, start + at);
      if (bytesRead === 0) throw damaged(name, `it became shorter while it was read (${size} bytes at first)`);
      at += bytesRead;
    }
    return buffer;
  };
  return {
    name,
    size,
    bytes: async (start, to) => {
      const end = Math.min(to, size);
      const follows = last >= 0 && start >= last && start - last <= GAP;
      last = end;
      const within = (): boolean => start >= ahead.start && end <= ahead.start + ahead.bytes.length;
      if (!within()) {
        if (!follows || end - start >= AHEAD) return read(start, end);
        ahead = { start, bytes: await read(start, Math.min(start + AHEAD, size)) };
        if (!within()) return read(start, end);
      }
      return ahead.bytes.slice(start - ahead.start, end - ahead.start);
    },
    close: () => closeFile(file),
  };
}

/** R0532 about a whole file. */
export function damaged(file: string, what: string, more: { line?: number; cure?: string; cause?: unknown } = {}): PivotError {
  const { line, cure = 'fetch or write the file again', cause } = more;
  return dataError('R0532', what, { cure, place: { file, line }, cause });
}
