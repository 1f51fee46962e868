/**
 * A JSON list of rows. Scanned byte by byte for where its elements begin and end, so that a list of any length can be read row by row; each
 * element is parsed when it is read.
 */
import { openJsonl } from './jsonl.ts';
import { checkText, objectOf, piecesOf, RecordIndex, Scan } from './records.ts';
import { damaged, openRanges } from './table.ts';
import type { RangeFile, Table } from './table.ts';

const [QUOTE, BACKSLASH, COMMA, OPEN, CLOSE, OPEN_BRACE, CLOSE_BRACE, LINE_FEED] = [...'"\\,[]{}\n'].map((c) => c.charCodeAt(0));

/** Opens a file that holds one list; JSON lines under this name are read as such. Throws R0504, or R0532 for anything else or a file that is cut off. */
export async function openJson(path: string, name: string, scan = new Scan()): Promise<Table> {
  const file = await openRanges(path, name);
  try {
    const start = await checkText(file, 'JSON, a list of objects');
    const first = await firstByte(file, start);
    if (first === OPEN_BRACE) {
      await file.close();
      return await openJsonl(path, name, scan);
    }
    if (first !== OPEN) throw damaged(name, 'expected a list of objects, found neither a list nor an object', { line: 1 });
    const index = await indexElements(file, start, scan);
    if (index.count === 0 && !scan.stopped) throw damaged(name, 'expected at least one row, found an empty list');
    return {
      name,
      count: index.count,
      partial: scan.stopped,
      read: (row) => objectOf(file, index.range(row)),
      // A row of a list is named by its number; its line is where it begins.
      place: (row) => ({ file: name, row: row + 1 }),
      close: file.close,
    };
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
}

async function firstByte(file: RangeFile, start: number): Promise<number | undefined> {
  for await (const { bytes } of piecesOf(file, start)) {
    const found = bytes.find((byte) => !isSpace(byte));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Depth 0 is outside of the list, 1 between its elements, more inside of one. */
async function indexElements(file: RangeFile, from: number, scan: Scan): Promise<RecordIndex> {
  const index = new RecordIndex();
  let depth = 0;
  let line = 1;
  let inText = false;
  let escaped = false;
  let start = -1;
  let startLine = 1;
  let comma = false;
  let ended = false;
  const wrong = (what: string): Error => damaged(file.name, `not valid JSON: ${what}`, { line });
  const close = (at: number): void => {
    if (start >= 0) index.add(start, at, startLine);
    else if (comma) throw wrong('a comma with nothing behind it');
    start = -1;
  };
  for await (const { at, bytes } of piecesOf(file, from, scan)) {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === LINE_FEED) line++;
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inText = false;
        continue;
      }
      if (isSpace(byte)) continue;
      if (ended) throw wrong('something stands behind the end of the list');
      if (depth === 0) {
        depth = 1;
        continue;
      }
      if (depth === 1 && (byte === COMMA || byte === CLOSE)) {
        if (byte === COMMA && start < 0) throw wrong('a comma with nothing before it');
        close(at + i);
        comma = byte === COMMA;
        ended = byte === CLOSE;
        continue;
      }
      if (start < 0) {
        start = at + i;
        startLine = line;
      }
      if (byte === QUOTE) inText = true;
      else if (byte === OPEN || byte === OPEN_BRACE) depth++;
      else if (byte === CLOSE || byte === CLOSE_BRACE) depth--;
      if (depth < 1) throw wrong('a bracket that was never opened');
    }
  }
  if (!ended && !scan.stopped) throw damaged(file.name, `the list has no end after row ${index.count}: the file is cut off`, { line });
  return index;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === LINE_FEED;
}
