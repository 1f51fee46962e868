/** The footer of a Parquet file: found, bounded and checked before hyparquet reads it. */
import { parquetMetadata } from 'hyparquet';
import type { FileMetaData, RowGroup } from 'hyparquet';
import { foundIn, latin, LOOKED_AT, whatItIs } from '../foreign.ts';
import { columnName } from './parquet-pages.ts';
import { damaged } from './table.ts';
import type { RangeFile } from './table.ts';
import { readStruct, ThriftError } from './thrift.ts';

const MAGIC = 'PAR1';
/** A first magic, a length and a last magic. */
const FRAME = 12;
/** Rows of a row group, which are read together; pyarrow's default is as much. */
const MOST_ROWS = 2 ** 20;
/** Bytes that a column of a row group may unfold to, and a value of it on average. */
const MOST_BYTES = 2 ** 31;
const MOST_VALUE = 2 ** 26;
const MOST_VALUES = 2 ** 24;

/** Reads the footer. Throws R0532. */
export async function readFooter(file: RangeFile): Promise<FileMetaData> {
  const { name, size } = file;
  const head = await file.bytes(0, LOOKED_AT);
  const start = latin(head.subarray(0, 4));
  if (start !== MAGIC) {
    const what = whatItIs(head);
    const text = start.length === 4 && /^[ -~]{4}$/.test(start) && (what === undefined || what === 'text') ? start : foundIn(head, size);
    throw damaged(name, `expected Parquet, which begins with ${MAGIC}, found ${text}`);
  }
  const tail = await file.bytes(Math.max(0, size - 8), size);
  const end = latin(tail.subarray(-4));
  if (size < FRAME) throw damaged(name, `expected a footer and ${MAGIC} at the end, found ${size} bytes: the file is cut off`);
  if (end === 'PARE')
    throw damaged(name, `expected ${MAGIC} at the end, found PARE (encrypted)`, { cure: 'write the file without encryption' });
  if (end !== MAGIC) {
    const found = /^PAR/.test(end) ? `${end} in ${size} bytes` : `${size} bytes that end otherwise`;
    throw damaged(name, `expected ${MAGIC} at the end, found ${found}: the file is cut off`);
  }
  const length = new DataView(tail.buffer, tail.byteOffset, 8).getUint32(0, true);
  if (length === 0 || length > size - FRAME)
    throw damaged(name, `expected a footer of 1 to at most ${size - FRAME} bytes, found a length of ${length}`);
  const footer = await file.bytes(size - 8 - length, size);
  const metadata = parsed(name, footer, length);
  checkRowGroups(name, metadata, size);
  return metadata;
}

function parsed(name: string, footer: Uint8Array, length: number): FileMetaData {
  const wrong = (what: string, cause?: unknown): Error => damaged(name, `the footer is damaged: ${what}`, { cause });
  try {
    const { value, end } = readStruct(footer.subarray(0, length));
    if (end !== length) throw wrong(`${length} bytes are announced, and it has ${end}`);
    const schema = value.get(2);
    if (!Array.isArray(schema) || schema.length === 0) throw wrong('it has no schema');
    if (!Array.isArray(value.get(4))) throw wrong('it has no row groups');
  } catch (error) {
    if (error instanceof ThriftError) throw wrong(error.message, error);
    throw error;
  }
  try {
    return parquetMetadata(footer);
  } catch (cause) {
    throw wrong('its parts do not fit together', cause);
  }
}

function checkRowGroups(name: string, { row_groups: groups, num_rows: total }: FileMetaData, size: number): void {
  let rows = 0;
  for (const [i, group] of groups.entries()) {
    const count = Number(group.num_rows);
    const named = `row group ${i + 1}`;
    if (!(count >= 0)) throw damaged(name, `the footer is damaged: ${named} has ${count} rows`);
    if (count > MOST_ROWS)
      throw damaged(name, `${named} has ${count} rows, and all of a group are read together: expected at most ${MOST_ROWS}`, {
        cure: 'write the file with smaller row groups (row_group_size)',
      });
    checkColumns(name, `${named} (rows ${rows + 1} to ${rows + count})`, group, count, size);
    rows += count;
  }
  if (rows !== Number(total)) throw damaged(name, `the footer is damaged: it says ${total} rows, and its row groups have ${rows}`);
  if (rows === 0) throw damaged(name, 'expected at least one row, found 0 rows', { cure: 'write rows into it, or remove it' });
}

function checkColumns(name: string, named: string, group: RowGroup, rows: number, size: number): void {
  for (const { meta_data: chunk, file_path: elsewhere } of group.columns) {
    if (elsewhere !== undefined && elsewhere !== '') throw damaged(name, `${named}: a column lies in another file, ${elsewhere}`);
    if (chunk === undefined) throw damaged(name, `the footer is damaged: a column of ${named} is not described`);
    const column = columnName(chunk);
    const [start, end] = chunkRange(chunk);
    if (!(start >= 4 && end >= start && end <= size))
      throw damaged(name, `the footer is damaged: column ${column} of ${named} lies at bytes ${start} to ${end} of ${size}`);
    const unfolded = Number(chunk.total_uncompressed_size);
    if (!(unfolded >= 0) || unfolded > MOST_BYTES || unfolded > Math.max(rows, 1) * MOST_VALUE || Number(chunk.num_values) > MOST_VALUES)
      throw damaged(
        name,
        `column ${column} of ${named} unfolds to ${unfolded} bytes: expected at most ${MOST_BYTES}, and ${MOST_VALUE} a row`,
        {
          cure: 'store pictures compressed, and write smaller row groups',
        },
      );
  }
}

/** Where the bytes of a column chunk lie. */
export function chunkRange(chunk: NonNullable<RowGroup['columns'][number]['meta_data']>): [number, number] {
  const start = Number(chunk.dictionary_page_offset ?? 0) || Number(chunk.data_page_offset);
  return [start, start + Number(chunk.total_compressed_size)];
}
