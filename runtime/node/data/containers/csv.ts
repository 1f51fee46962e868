/** CSV with a header (RFC 4180): fields in quotes may hold commas, line breaks and doubled quotes. All values are texts. */
import { checkText, piecesOf, RecordIndex, Scan, textOf } from './records.ts';
import { damaged, openRanges } from './table.ts';
import type { RangeFile, Table } from './table.ts';

const QUOTE = 34;
const LINE_FEED = 10;

/** Opens a CSV. Throws R0504, or R0532 for a file without rows, with an open quote at its end, or with columns of the same name. */
export async function openCsv(path: string, name: string, scan = new Scan()): Promise<Table> {
  const file = await openRanges(path, name);
  try {
    const index = await indexRecords(file, await checkText(file, 'CSV'), scan);
    if (index.count < 2)
      throw damaged(name, `expected at least one row below the header, found ${index.count === 0 ? 'blank lines only' : 'none'}`);
    const header = await fieldsAt(file, index, 0);
    if ('what' in header) throw damaged(name, header.what, { line: 1 });
    const columns = header.fields;
    const twice = columns.find((column, i) => columns.indexOf(column) !== i);
    if (twice !== undefined) throw damaged(name, `two columns are called ${twice}`, { line: 1, cure: 'give every column its own name' });
    return {
      name,
      count: index.count - 1,
      partial: scan.stopped,
      columns: new Map(columns.map((column) => [column, 'string'])),
      read: async (row) => {
        const read = await fieldsAt(file, index, row + 1);
        if ('what' in read) return read;
        if (read.fields.length !== columns.length) return { what: `expected ${columns.length} fields, found ${read.fields.length}` };
        return { fields: Object.fromEntries(columns.map((column, i) => [column, read.fields[i]])) };
      },
      place: (row) => ({ file: name, line: index.line(row + 1), row: row + 1 }),
      close: file.close,
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function indexRecords(file: RangeFile, from: number, scan: Scan): Promise<RecordIndex> {
  const index = new RecordIndex();
  let [start, line, startLine] = [from, 1, 1];
  let inQuotes = false;
  for await (const { at, bytes } of piecesOf(file, from, scan)) {
    for (let i = 0; i < bytes.length; i++) {
      // A doubled quote closes and opens again.
      if (bytes[i] === QUOTE) inQuotes = !inQuotes;
      else if (bytes[i] === LINE_FEED) {
        line++;
        if (inQuotes) continue;
        if (at + i > start + 1 || (at + i > start && bytes[i - 1] !== 13)) index.add(start, at + i, startLine);
        start = at + i + 1;
        startLine = line;
      }
    }
  }
  if (scan.stopped) return index;
  if (inQuotes) throw damaged(file.name, 'a quote is never closed: the file is cut off', { line: startLine });
  if (start < file.size) index.add(start, file.size, startLine);
  return index;
}

async function fieldsAt(file: RangeFile, index: RecordIndex, record: number): Promise<{ fields: string[] } | { what: string }> {
  const read = await textOf(file, index.range(record));
  if ('what' in read) return read;
  const text = read.text.replace(/\r$/, '');
  const fields: string[] = [];
  const field = /(?:"([^"]*(?:""[^"]*)*)"|([^",]*))(,|$)/y;
  for (;;) {
    const at = field.lastIndex;
    const match = field.exec(text);
    if (match === null) return { what: `field ${fields.length + 1} has a quote in its middle (character ${at + 1})` };
    fields.push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"'));
    if (match[3] === '') return { fields };
  }
}
