/**
 * Rows of a Parquet file, a row group at a time. hyparquet decodes; what it is given has been bounded before (`parquet-footer.ts`,
 * `parquet-pages.ts`), and its errors are put into our words with row group and column.
 */
import { parquetRead, parquetSchema } from 'hyparquet';
import type { FileMetaData, ParquetParsers, SchemaTree } from 'hyparquet';
import { chunkRange, readFooter } from './parquet-footer.ts';
import { checkPages, columnName, compressors } from './parquet-pages.ts';
import { damaged, fieldOf, openRanges } from './table.ts';
import type { Fields, RangeFile, Table, Value } from './table.ts';

/** Bytes of decoded row groups that are kept for the next rows. */
const KEPT = 2 ** 27;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A text that is not UTF-8 stays bytes, and is judged where a text is expected. */
function stringOf(bytes: Uint8Array): string | Uint8Array {
  try {
    return utf8.decode(bytes);
  } catch {
    return bytes;
  }
}

const PARSERS: Partial<ParquetParsers> = { stringFromBytes: stringOf, jsonFromBytes: stringOf };

interface Group {
  start: number;
  end: number;
  bytes: number;
}

/** Opens a Parquet file. `wanted` says which nested and binary columns are read; plain ones always are. Throws R0504, R0532. */
export async function openParquet(path: string, name: string, wanted: (column: string) => boolean): Promise<Table & { groups: number }> {
  const file = await openRanges(path, name);
  try {
    const metadata = await readFooter(file);
    const columns = columnTypes(name, metadata);
    const read = [...columns].filter(([column, type]) => wanted(column) || !/[<]|^binary$/.test(type)).map(([column]) => column);
    const groups: Group[] = [];
    for (const group of metadata.row_groups) {
      const start = groups.at(-1)?.end ?? 0;
      groups.push({ start, end: start + Number(group.num_rows), bytes: Number(group.total_byte_size) });
    }
    const cache = new Map<number, Promise<Columns>>();
    const columnsOf = (group: number): Promise<Columns> => {
      const known = cache.get(group);
      const found = known ?? readGroup(file, metadata, groups, group, read);
      // The last used stands last.
      cache.delete(group);
      cache.set(group, found);
      let kept = 0;
      for (const [other] of [...cache].reverse()) {
        kept += groups[other].bytes;
        if (other !== group && kept > KEPT) cache.delete(other);
      }
      return found;
    };
    return {
      name,
      count: groups.at(-1)?.end ?? 0,
      columns,
      groups: groups.length,
      read: async (row) => {
        const group = groupOf(groups, row);
        const fields: Fields = {};
        for (const [column, values] of await columnsOf(group)) define(fields, column, valueOf(values[row - groups[group].start]));
        return { fields };
      },
      place: (row) => ({ file: name, row: row + 1 }),
      forget: () => cache.clear(),
      close: file.close,
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function groupOf(groups: readonly Group[], row: number): number {
  let [low, high] = [0, groups.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (groups[middle].end > row) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The decoded values of a row group by column. Rows are made of them one at a time. */
type Columns = Map<string, ArrayLike<unknown>>;

async function readGroup(
  file: RangeFile,
  metadata: FileMetaData,
  groups: readonly Group[],
  group: number,
  columns: readonly string[],
): Promise<Columns> {
  const { start, end } = groups[group];
  const read: Columns = new Map();
  for (const column of columns) {
    let leaf = column;
    try {
      const pieces = new Map<number, ArrayBuffer>();
      for (const { meta_data: chunk } of metadata.row_groups[group].columns) {
        if (chunk?.path_in_schema[0] !== column) continue;
        leaf = columnName(chunk);
        const [from, to] = chunkRange(chunk);
        const bytes = await file.bytes(from, to);
        checkPages(bytes, chunk);
        pieces.set(from, bytes.slice().buffer);
      }
      leaf = column;
      const parts: ArrayLike<unknown>[] = [];
      await parquetRead({
        file: { byteLength: file.size, slice: (from, to) => sliceOf(pieces, from, to ?? file.size) },
        metadata,
        columns: [column],
        rowStart: start,
        rowEnd: end,
        compressors,
        utf8: false,
        geoparquet: false,
        parsers: PARSERS,
        onChunk: ({ columnData }) => parts.push(columnData),
      });
      const values = parts.length === 1 ? parts[0] : parts.flatMap((part) => Array.from(part));
      if (values.length !== end - start) throw new Error(`it has ${values.length} values for ${end - start} rows`);
      read.set(column, values);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const where = `row group ${group + 1} (rows ${start + 1} to ${end}), column ${leaf}`;
      throw damaged(file.name, `${where}: ${why}`, { cause });
    }
  }
  return read;
}

/** Bytes that were read and checked before. Chunks may be asked for together, and for no others. */
function sliceOf(pieces: ReadonlyMap<number, ArrayBuffer>, from: number, to: number): ArrayBuffer {
  const whole = pieces.get(from);
  if (whole !== undefined && whole.byteLength === to - from) return whole;
  const out = new Uint8Array(to - from);
  let found = false;
  for (const [start, piece] of pieces) {
    const [low, high] = [Math.max(from, start), Math.min(to, start + piece.byteLength)];
    if (low >= high) continue;
    out.set(new Uint8Array(piece, low - start, high - low), low - from);
    found = true;
  }
  if (!found) throw new Error('the footer does not say where the column lies');
  return out.buffer;
}

/** A decoded value as the layouts know values. */
function valueOf(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Uint8Array) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (Array.isArray(value)) return value.map(valueOf);
  const fields: Fields = {};
  for (const [name, inner] of Object.entries(value)) define(fields, name, valueOf(inner));
  return fields;
}

/** Defined, not assigned: a column may be called `__proto__`. */
function define(fields: Fields, name: string, value: Value): void {
  Object.defineProperty(fields, name, { value, enumerable: true, configurable: true });
}

/** Types in Arrow's words: `string`, `int64`, `list<string>`, `struct<bytes, path>`. */
function columnTypes(name: string, metadata: FileMetaData): Map<string, string> {
  let tree: SchemaTree;
  try {
    tree = parquetSchema(metadata);
  } catch (cause) {
    throw damaged(name, 'the footer is damaged: the schema ends within a column', { cause });
  }
  return new Map(tree.children.map((child) => [child.element.name, typeOf(child)]));
}

const PLAIN_TYPES: Record<string, string> = {
  BOOLEAN: 'bool',
  INT32: 'int32',
  INT64: 'int64',
  INT96: 'timestamp',
  FLOAT: 'float',
  DOUBLE: 'double',
  BYTE_ARRAY: 'binary',
  FIXED_LEN_BYTE_ARRAY: 'binary',
};

function typeOf({ element, children }: SchemaTree): string {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (type !== undefined) {
    if (logical?.type === 'NULL') return 'null';
    if (converted === 'UTF8' || converted === 'JSON' || converted === 'ENUM' || logical?.type === 'STRING') return 'string';
    return fieldOf(PLAIN_TYPES, type)?.toString() ?? type;
  }
  if (converted === 'LIST' || logical?.type === 'LIST') {
    const inner = children.at(0)?.children.at(0) ?? children.at(0);
    return `list<${inner === undefined ? '' : typeOf(inner)}>`;
  }
  return `struct<${children.map((child) => child.element.name).join(', ')}>`;
}
