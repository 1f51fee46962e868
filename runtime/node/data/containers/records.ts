/** Texts in a file by their byte ranges: what JSON lines, JSON lists and CSV have in common. */
import { whatItIs, foundIn, LOOKED_AT } from '../foreign.ts';
import { damaged, describe, isFields } from './table.ts';
import type { Fields, RangeFile, Value } from './table.ts';

/** Ranges of records in a file, and the line on which each begins, from 1. Grows by doubling; 20 bytes a record. */
export class RecordIndex {
  count = 0;
  private starts = new Float64Array(1024);
  private ends = new Float64Array(1024);
  private lines = new Uint32Array(1024);

  add(start: number, end: number, line: number): void {
    if (this.count === this.starts.length) {
      this.starts = grown(this.starts, new Float64Array(this.count * 2));
      this.ends = grown(this.ends, new Float64Array(this.count * 2));
      this.lines = grown(this.lines, new Uint32Array(this.count * 2));
    }
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.lines[this.count++] = line;
  }

  range(index: number): [number, number] {
    return [this.starts[index], this.ends[index]];
  }

  line(index: number): number {
    return this.lines[index];
  }
}

function grown<T extends Float64Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

const PIECE = 2 ** 20;

/** Bounds the scan of a file for its records: what is not scanned is not known to be there. */
export class Scan {
  stopped = false;
  private readonly more: () => boolean;

  constructor(more: () => boolean = () => true) {
    this.more = more;
  }

  /** Whether to go on; once it is to end, it stays so. */
  goesOn(): boolean {
    if (!this.stopped && !this.more()) this.stopped = true;
    return !this.stopped;
  }
}

/** The whole file in pieces, each with its offset; where a scan is to end, the pieces so far, of which the last may be cut within a record. */
export async function* piecesOf(file: RangeFile, start = 0, scan = new Scan()): AsyncGenerator<{ at: number; bytes: Uint8Array }> {
  for (let at = start; at < file.size && (at === start || scan.goesOn()); at += PIECE)
    yield { at, bytes: await file.bytes(at, at + PIECE) };
}

/** Longest record that is parsed. */
const LONGEST = 2 ** 26;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a record, or what is wrong with it. */
export async function textOf(file: RangeFile, [start, end]: [number, number]): Promise<{ text: string } | { what: string }> {
  if (end - start > LONGEST) return { what: `a record of ${end - start} bytes; at most ${LONGEST} are read` };
  const bytes = await file.bytes(start, end);
  try {
    return { text: utf8.decode(bytes) };
  } catch {
    return { what: 'not valid UTF-8: expected UTF-8, found other bytes' };
  }
}

/** A record as a JSON object, or what is wrong with it. */
export async function objectOf(file: RangeFile, range: [number, number]): Promise<{ fields: Fields } | { what: string }> {
  const read = await textOf(file, range);
  if ('what' in read) return read;
  let value: Value;
  try {
    value = JSON.parse(read.text) as Value;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { what: `not valid JSON (${why.replace(/, "?\.{3}.*/s, '').replace(/\s+/g, ' ')})` };
  }
  if (isFields(value)) return { fields: value };
  return { what: `not a JSON object: expected an object, found ${typeof value === 'string' ? 'a string' : describe(value)}` };
}

/** What texts may look like from their first bytes: short CSV headers begin like these. */
const TEXTS = new Set(['text', 'BMP', 'TIFF', 'bzip2']);

/** Refuses a file that is no text at all. Gives the offset of its first character behind a byte order mark. */
export async function checkText(file: RangeFile, expected: string): Promise<number> {
  if (file.size === 0) throw damaged(file.name, 'expected at least one row, found an empty file');
  const head = await file.bytes(0, LOOKED_AT);
  const what = whatItIs(head);
  if (what !== undefined && !TEXTS.has(what))
    throw damaged(file.name, `expected ${expected}, in UTF-8, found ${foundIn(head, file.size)}`, { line: 1 });
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
}
