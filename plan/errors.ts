/**
 * The base of every error that Pivot raises on purpose. A `PivotError` is a sentence for the user; anything else that
 * reaches the command line is a fault of ours and is shown with its stack.
 */
import { visible } from './visible.ts';

/** Where in a user's file an error lies. Lines and columns count from 1; rows of data count from 1 as well. */
export interface Place {
  file: string;
  line?: number;
  column?: number;
  row?: number;
}

export class PivotError extends Error {
  /** A stable code such as `R0102`; the registries explain each one. */
  readonly code: string;
  /** What to do about it, in one sentence. */
  readonly cure?: string;
  readonly place?: Place;

  constructor(code: string, message: string, more: { cure?: string; place?: Place; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'PivotError';
    this.code = code;
    this.cure = more.cure;
    this.place = more.place;
  }

  /** The error as the command line prints it: place, code, message, cure; control characters of others' texts as escapes. */
  format(): string {
    const at = this.place ? `${formatPlace(this.place)}: ` : '';
    return visible(`${at}error ${this.code}: ${this.message}${this.cure ? `\n  help: ${this.cure}` : ''}`);
  }
}

export function formatPlace(place: Place): string {
  let text = place.file;
  if (place.line !== undefined) text += `:${place.line}${place.column !== undefined ? `:${place.column}` : ''}`;
  if (place.row !== undefined) text += ` row ${place.row}`;
  return text;
}
