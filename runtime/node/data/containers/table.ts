/**
 * What all containers of rows have in common: rows by index, read where they lie. A container is scanned once when it is opened, for an
 * index of offsets; rows are read one at a time from then on, in any order, and none is kept.
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dataError } from '../../../core/data/codes.ts';
import type { RowPlace } from '../../../core/data/conversation.ts';
import type { PivotError } from '../../../../plan/errors.ts';

/** A value as stored: JSON, or bytes in containers that have them. */
export type Value = null | boolean | number | string | Uint8Array | Value[] | Fields;

/** A row as stored. Names may be those of Object's prototype: read it by `fieldOf` only. */
export interface Fields {
  [name: string]: Value;
}

/** What is wrong with a row. `field` is a path such as `prompt[0].role`, where it is about one. */
export interface Fault {
  place: RowPlace;
  field?: string;
  what: string;
}

export interface Table {
  /** As the user named it. */
  name: string;
  count: number;
  /** Types of the columns by name, where all rows have the same. */
  columns?: Map<string, string>;
  /** A row, or what is wrong with it. Throws R0532 where what surrounds the row is damaged. */
  read(index: number): Promise<{ fields: Fields } | { field?: string; what: string }>;
  place(index: number): RowPlace;
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

/** Control characters and halves of surrogate pairs as escapes. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** An open file that is read by ranges. */
export interface RangeFile {
  /** As the user named it. */
  name: string;
  size: number;
  /** The bytes from `start` up to `end` or the end of the file. */
  bytes(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Throws R0504 where it cannot be opened, or is no file. */
export async function openRanges(path: string, name: string): Promise<RangeFile> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (cause) {
    throw dataError('R0504', `${name} cannot be opened`, {
      cure: 'paths are relative to the text that names them',
      place: { file: name },
      cause,
    });
  }
  const info = await handle.stat();
  if (!info.isFile()) {
    await handle.close();
    throw dataError('R0504', `${name} is no file`, { cure: 'name a file of rows, or a folder of such', place: { file: name } });
  }
  return {
    name,
    size: info.size,
    bytes: async (start, end) => {
      const buffer = new Uint8Array(Math.max(0, Math.min(end, info.size) - start));
      let at = 0;
      while (at < buffer.length) {
        const { bytesRead } = await handle.read(buffer, at, buffer.length - at, start + at);
        if (bytesRead === 0) throw damaged(name, `it became shorter while it was read (${info.size} bytes at first)`);
        at += bytesRead;
      }
      return buffer;
    },
    close: () => handle.close(),
  };
}

/** R0532 about a whole file. */
export function damaged(file: string, what: string, more: { line?: number; cure?: string; cause?: unknown } = {}): PivotError {
  const { line, cure = 'fetch or write the file again', cause } = more;
  return dataError('R0532', `${file}${line === undefined ? '' : `:${line}`}: ${what}`, { cure, place: { file, line }, cause });
}
