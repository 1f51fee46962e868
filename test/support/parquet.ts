/** Writes small Parquet files for tests: columns of byte arrays, required and plain, without compression. Enough for rows of texts and pictures. */
import { crc32 } from 'node:zlib';

export interface ParquetColumn {
  /** `['image', 'bytes']` is a field of a struct; fields of the same struct stand next to one another. */
  path: string[];
  text: boolean;
  values: (Uint8Array | string)[];
}

export interface ParquetOptions {
  groupRows: number;
  /** Whether pages carry checksums. */
  checksums?: boolean;
  /** What a page header says, where it is to lie. */
  lie?: { unpacked: number };
}

type Thrift = { i32: number } | { i64: number } | { text: string } | { list: Thrift[] } | { struct: [number, Thrift][] };

const BYTE_ARRAY = 6;
const REQUIRED = 0;
const UTF8 = 0;

export function writeParquet(columns: ParquetColumn[], { groupRows, checksums = false, lie }: ParquetOptions): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from('PAR1')];
  let at = 4;
  const put = (bytes: Uint8Array): void => {
    parts.push(bytes);
    at += bytes.length;
  };
  const rows = columns[0].values.length;
  const groups: Thrift[] = [];
  for (let start = 0; start < rows; start += groupRows) {
    const count = Math.min(groupRows, rows - start);
    const begin = at;
    const chunks = columns.map(({ path, values }): Thrift => {
      const data = plain(values.slice(start, start + count));
      const header = encode({
        struct: [
          [1, { i32: 0 }],
          [2, { i32: lie?.unpacked ?? data.length }],
          [3, { i32: data.length }],
          ...(checksums ? ([[4, { i32: crc32(data) | 0 }]] as [number, Thrift][]) : []),
          [5, { struct: [1, 2, 3, 4].map((field) => [field, { i32: field === 1 ? count : field === 2 ? 0 : 3 }]) }],
        ],
      });
      const offset = at;
      put(header);
      put(data);
      const size = header.length + data.length;
      const meta: Thrift = {
        struct: [
          [1, { i32: BYTE_ARRAY }],
          [2, { list: [{ i32: 0 }] }],
          [3, { list: path.map((text) => ({ text })) }],
          [4, { i32: 0 }],
          [5, { i64: count }],
          [6, { i64: size }],
          [7, { i64: size }],
          [9, { i64: offset }],
        ],
      };
      return {
        struct: [
          [2, { i64: offset }],
          [3, meta],
        ],
      };
    });
    groups.push({
      struct: [
        [1, { list: chunks }],
        [2, { i64: at - begin }],
        [3, { i64: count }],
      ],
    });
  }
  const footer = encode({
    struct: [
      [1, { i32: 1 }],
      [2, { list: schemaOf(columns) }],
      [3, { i64: rows }],
      [4, { list: groups }],
    ],
  });
  put(footer);
  const end = Buffer.alloc(4);
  end.writeUInt32LE(footer.length);
  return Buffer.concat([...parts, end, Buffer.from('PAR1')]);
}

function schemaOf(columns: ParquetColumn[]): Thrift[] {
  const tops = [...new Set(columns.map(({ path }) => path[0]))];
  const leaf = (name: string, text: boolean): Thrift => ({
    struct: [
      [1, { i32: BYTE_ARRAY }],
      [3, { i32: REQUIRED }],
      [4, { text: name }],
      ...(text ? ([[6, { i32: UTF8 }]] as [number, Thrift][]) : []),
    ],
  });
  const elements = tops.flatMap((top): Thrift[] => {
    const inner = columns.filter(({ path }) => path[0] === top);
    if (inner[0].path.length === 1) return [leaf(top, inner[0].text)];
    return [
      {
        struct: [
          [3, { i32: REQUIRED }],
          [4, { text: top }],
          [5, { i32: inner.length }],
        ],
      },
      ...inner.map(({ path, text }) => leaf(path[1], text)),
    ];
  });
  return [
    {
      struct: [
        [4, { text: 'schema' }],
        [5, { i32: tops.length }],
      ],
    },
    ...elements,
  ];
}

function plain(values: (Uint8Array | string)[]): Uint8Array {
  return Buffer.concat(
    values.flatMap((value) => {
      const bytes = typeof value === 'string' ? Buffer.from(value) : value;
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** Thrift's compact protocol. */
function encode(value: Thrift): Uint8Array {
  const out: number[] = [];
  write(value, out);
  return Uint8Array.from(out);
}

function typeOf(value: Thrift): number {
  return 'i32' in value ? 5 : 'i64' in value ? 6 : 'text' in value ? 8 : 'list' in value ? 9 : 12;
}

function write(value: Thrift, out: number[]): void {
  if ('i32' in value) varint(zigzag(value.i32), out);
  else if ('i64' in value) varint(zigzag(value.i64), out);
  else if ('text' in value) {
    const bytes = Buffer.from(value.text);
    varint(bytes.length, out);
    out.push(...bytes);
  } else if ('list' in value) {
    const type = value.list.length === 0 ? 12 : typeOf(value.list[0]);
    if (value.list.length < 15) out.push((value.list.length << 4) | type);
    else {
      out.push(0xf0 | type);
      varint(value.list.length, out);
    }
    for (const one of value.list) write(one, out);
  } else {
    let last = 0;
    for (const [field, inner] of value.struct) {
      out.push(((field - last) << 4) | typeOf(inner));
      last = field;
      write(inner, out);
    }
    out.push(0);
  }
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function varint(value: number, out: number[]): void {
  let rest = value;
  while (rest > 127) {
    out.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
}
