/**
 * The pages of a Parquet column, looked at before they are unpacked: headers, lengths, checksums, and how much each unfolds to. (Parquet
 * format, PageHeader.)
 */
import { brotliDecompressSync, crc32, gunzipSync } from 'node:zlib';
import { compressors as packaged, decompressZstd } from 'hyparquet-compressors';
import type { ColumnMetaData, Compressors } from 'hyparquet';
import { readStruct, ThriftError } from './thrift.ts';
import type { ThriftStruct } from './thrift.ts';

const DICTIONARY = 2;

/** A column in dots: `image.bytes`, without the names that lists put between. */
export function columnName({ path_in_schema: path }: Pick<ColumnMetaData, 'path_in_schema'>): string {
  return path.join('.');
}

/** Checks all pages of a column chunk. Throws an Error that says what is wrong; the caller knows file, row group and column. */
export function checkPages(bytes: Uint8Array, chunk: ColumnMetaData): void {
  const whole = Number(chunk.total_uncompressed_size);
  let at = 0;
  let values = 0;
  for (let page = 1; at < bytes.length; page++) {
    const { header, end } = headerAt(bytes, at, page);
    const [unpacked, packed, checksum] = [header.get(2), header.get(3), header.get(4)];
    if (typeof unpacked !== 'number' || typeof packed !== 'number' || unpacked < 0 || packed < 0)
      throw new Error(`the header of page ${page} is damaged: it has no lengths`);
    if (packed > bytes.length - end) throw new Error(`page ${page} claims ${packed} bytes, and the column has ${bytes.length - end} left`);
    if (unpacked > whole) throw new Error(`page ${page} unfolds to ${unpacked} bytes, and the footer says ${whole} for the whole column`);
    if (typeof checksum === 'number' && crc32(bytes.subarray(end, end + packed)) !== checksum >>> 0)
      throw new Error(`the checksum of page ${page} is wrong: its data are damaged`);
    const count = valuesOf(header);
    if (header.get(1) === DICTIONARY) {
      if (count > unpacked) throw new Error(`page ${page} is a dictionary of ${count} values in ${unpacked} bytes`);
    } else values += count;
    if (values > Number(chunk.num_values)) throw new Error(`its pages hold more values than the ${chunk.num_values} that the footer says`);
    at = end + packed;
  }
  if (values !== Number(chunk.num_values)) throw new Error(`its pages hold ${values} values, and the footer says ${chunk.num_values}`);
}

function headerAt(bytes: Uint8Array, at: number, page: number): { header: ThriftStruct; end: number } {
  try {
    const { value, end } = readStruct(bytes, at);
    return { header: value, end };
  } catch (error) {
    if (error instanceof ThriftError) throw new Error(`the header of page ${page} is damaged: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Values of a page: fields 5, 7 and 8 are the headers of its three kinds, and 1 is the number in each. */
function valuesOf(header: ThriftStruct): number {
  for (const kind of [5, 7, 8]) {
    const own = header.get(kind);
    const count = own instanceof Map ? own.get(1) : undefined;
    if (typeof count === 'number' && count >= 0) return count;
  }
  return 0;
}

/** Decompressors that never give more than the page header promised, which `checkPages` has bounded. */
export const compressors: Compressors = {
  ...packaged,
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(length, 1) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(length, 1) }),
  ZSTD: (input, length) => {
    const promised = zstdSize(input);
    if (promised !== undefined && promised > length) throw new Error(`its zstd data unfold to ${promised} bytes instead of ${length}`);
    return promised === undefined ? decompressZstd(input, new Uint8Array(length)) : decompressZstd(input);
  },
};

/** The size that the frame header of zstd data promises, where it does. (RFC 8878, section 3.1.1.) */
function zstdSize(input: Uint8Array): number | undefined {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (input.length < 6 || view.getUint32(0, true) !== 0xfd2fb528) throw new Error('its zstd data have no frame header');
  const flags = input[4];
  const single = (flags & 32) !== 0;
  const at = 5 + (single ? 0 : 1) + [0, 1, 2, 4][flags & 3];
  const kind = flags >> 6;
  if (kind === 0 && !single) return undefined;
  if (at + [1, 2, 4, 8][kind] > input.length) throw new Error('its zstd data are cut off');
  if (kind === 0) return input[at];
  if (kind === 1) return view.getUint16(at, true) + 256;
  return kind === 2 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}
