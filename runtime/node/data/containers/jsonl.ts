/** JSON lines. Only a line feed ends a line: other separators, such as U+2028, may stand inside of a JSON text. Blank lines are no rows. */
import { checkText, objectOf, piecesOf, RecordIndex, Scan } from './records.ts';
import { damaged, openRanges } from './table.ts';
import type { RangeFile, Table } from './table.ts';

const LINE_FEED = 10;
const EXPECTED = 'JSON, one object per line';

/** Opens a file of JSON lines. Throws R0504, or R0532 for a file that holds none; single lines are judged when they are read. */
export async function openJsonl(path: string, name: string, scan = new Scan()): Promise<Table> {
  const file = await openRanges(path, name);
  try {
    const index = await indexLines(file, await checkText(file, EXPECTED), scan);
    if (index.count === 0 && !scan.stopped) throw damaged(name, 'expected at least one row, found blank lines only');
    return {
      name,
      count: index.count,
      partial: scan.stopped,
      read: (row) => objectOf(file, index.range(row)),
      place: (row) => ({ file: name, line: index.line(row), row: row + 1 }),
      close: file.close,
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function indexLines(file: RangeFile, from: number, scan: Scan): Promise<RecordIndex> {
  const index = new RecordIndex();
  let line = 1;
  let start = from;
  let blank = true;
  for await (const { at, bytes } of piecesOf(file, from, scan)) {
    let i = 0;
    while (i < bytes.length) {
      if (blank) {
        while (i < bytes.length && isBlank(bytes[i])) i++;
        if (i === bytes.length) break;
        blank = bytes[i] === LINE_FEED;
        // A list instead of lines would give a fault for every line of it.
        if (index.count === 0 && bytes[i] === 0x5b && !(await endsOnItsLine(file, at + i)))
          throw damaged(file.name, `expected one object per line, found an array`, { line, cure: 'name a JSON list .json' });
      }
      const end = bytes.indexOf(LINE_FEED, i);
      if (end < 0) break;
      if (!blank) index.add(start, at + end, line);
      line++;
      start = at + end + 1;
      blank = true;
      i = end + 1;
    }
  }
  if (!blank && !scan.stopped) index.add(start, file.size, line);
  return index;
}

/** Whether more lines follow the one that begins here: then it is a row, though a faulty one. */
async function endsOnItsLine(file: RangeFile, at: number): Promise<boolean> {
  for await (const piece of piecesOf(file, at)) {
    const end = piece.bytes.indexOf(LINE_FEED);
    if (end >= 0) return piece.bytes.subarray(end).some((byte) => byte !== LINE_FEED && !isBlank(byte));
  }
  return false;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}
