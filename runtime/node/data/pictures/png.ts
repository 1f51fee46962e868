/**
 * PNG, chunk by chunk, before a decoder sees it: order, lengths and checksums of the chunks that decide about pixels. All others are
 * left out of what is decoded, so that no compressed comment or colour profile unfolds. (PNG specification, third edition.)
 */
import { crc32, inflateSync, constants } from 'node:zlib';
import { dataError } from '../../../core/data/codes.ts';
import { latin } from '../foreign.ts';
import { checkSize } from './size.ts';

export interface Chunk {
  kind: string;
  /** Of the whole chunk: length, kind, data and checksum. */
  start: number;
  end: number;
}

export interface PngHeader {
  width: number;
  height: number;
  depth: number;
  colour: number;
  interlaced: boolean;
  chunks: Chunk[];
}

const SIGNATURE = 8;
const DEPTHS: Record<number, readonly number[]> = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const DECIDING = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND']);
/** What a decoder is given. `eXIf` may say how the picture is turned. */
const KEPT = new Set([...DECIDING, 'tRNS', 'eXIf']);
/** Longest data that are unpacked only to say what is wrong with them. */
const EXPLAINED = 2 ** 26;

/** Reads and checks the chunks of a whole file. Throws R0521 naming the chunk and where it begins, R0531 for too large a picture. */
export function readPng(bytes: Uint8Array): PngHeader {
  const chunks = readChunks(bytes);
  const [first] = chunks;
  if (first === undefined) throw broken(`nothing stands behind the signature; found ${sized(bytes)}`);
  if (first.kind !== 'IHDR' || first.end - first.start !== 25) throw broken(`the first chunk, ${named(first)}, is no IHDR of 13 bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset + first.start + 8, 13);
  const [width, height, depth, colour, interlace] = [
    view.getUint32(0),
    view.getUint32(4),
    view.getUint8(8),
    view.getUint8(9),
    view.getUint8(12),
  ];
  if (width === 0 || height === 0 || width >= 2 ** 31 || height >= 2 ** 31)
    throw broken(`chunk ${named(first)} says ${width} x ${height} pixels`);
  if (!(DEPTHS[colour] ?? []).includes(depth))
    throw broken(`chunk ${named(first)} says colour type ${colour} with ${depth} bits; there is no such form`);
  if (view.getUint8(10) !== 0 || view.getUint8(11) !== 0 || interlace > 1)
    throw broken(`chunk ${named(first)} names a compression, filter or interlace method that does not exist (interlace ${interlace})`);
  checkSize(width, height);
  checkOrder(chunks, colour, bytes);
  return { width, height, depth, colour, interlaced: interlace === 1, chunks };
}

function readChunks(bytes: Uint8Array): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  let at = SIGNATURE;
  while (at < bytes.length) {
    const last = chunks.at(-1);
    const before = last === undefined ? 'the signature' : `chunk ${named(last)}`;
    if (at + 8 > bytes.length) throw broken(`the file is cut off behind ${before}, at byte ${at}; found ${sized(bytes)}`);
    const length = view.getUint32(at);
    const kind = latin(bytes.subarray(at + 4, at + 8));
    if (!/^[A-Za-z]{4}$/.test(kind)) throw broken(`behind ${before}, at byte ${at}, stands no chunk`);
    const end = at + 12 + length;
    if (end > bytes.length) {
      // An IEND of 12 bytes is still to come at the least.
      const whole = kind === 'IEND' ? end : end + 12;
      throw broken(`the file is cut off in chunk ${named({ kind, start: at })}: expected ${whole} bytes or more, found ${sized(bytes)}`);
    }
    chunks.push({ kind, start: at, end });
    if (KEPT.has(kind) && crc32(bytes.subarray(at + 4, end - 4)) !== view.getUint32(end - 4))
      throw broken(`the checksum of chunk ${named({ kind, start: at })} is wrong`);
    at = end;
    // What stands behind the end belongs to no picture.
    if (kind === 'IEND') return chunks;
  }
  if (chunks.some(({ kind }) => kind === 'IDAT'))
    throw broken(`there is no chunk IEND at byte ${at}: the file may be cut off; found ${sized(bytes)}`);
  return chunks;
}

function checkOrder(chunks: readonly Chunk[], colour: number, bytes: Uint8Array): void {
  const of = (kind: string): Chunk[] => chunks.filter((chunk) => chunk.kind === kind);
  const [data, palettes, transparency] = [of('IDAT'), of('PLTE'), of('tRNS')];
  const [first] = data;
  if (first === undefined) throw broken(`there is no chunk IDAT, and so no pixels; found ${sized(bytes)}`);
  const begin = chunks.indexOf(first);
  const between = chunks.slice(begin, begin + data.length).find(({ kind }) => kind !== 'IDAT');
  if (between !== undefined) throw broken(`chunks IDAT are interrupted by chunk ${named(between)}`);
  const second = of('IHDR').at(1) ?? palettes.at(1) ?? transparency.at(1);
  if (second !== undefined) throw broken(`there are two chunks ${second.kind}, the second at byte ${second.start}`);
  const late = [...palettes, ...transparency].find(({ start }) => start > first.start);
  if (late !== undefined) throw broken(`chunk ${named(late)} stands behind IDAT`);
  const palette = palettes.at(0);
  if (colour === 3) {
    if (palette === undefined) throw broken('a picture of palette colours has no chunk PLTE');
    const length = lengthOf(palette);
    if (length === 0 || length % 3 !== 0 || length > 768) throw broken(`chunk ${named(palette)} has ${length} bytes`);
  }
  // A lower-case first letter marks what a decoder may pass over.
  const unknown = chunks.find(({ kind }) => /^[A-Z]/.test(kind) && !DECIDING.has(kind));
  if (unknown !== undefined) throw broken(`chunk ${named(unknown)} is unknown, and marked as one that must be understood`);
}

/** Bytes of a chunk's data. */
function lengthOf({ start, end }: Chunk): number {
  return end - start - 12;
}

/** `IDAT at byte 41`. */
function named({ kind, start }: Pick<Chunk, 'kind' | 'start'>): string {
  return `${kind} at byte ${start}`;
}

/** The file with nothing in it but what decides about pixels; the same bytes where there is nothing else. */
export function withoutExtras(bytes: Uint8Array, { chunks }: PngHeader): Uint8Array {
  const kept = chunks.filter(({ kind }) => KEPT.has(kind));
  if (kept.length === chunks.length) return bytes;
  return Buffer.concat([bytes.subarray(0, SIGNATURE), ...kept.map(({ start, end }) => bytes.subarray(start, end))]);
}

/** Bits of one pixel. */
export function bitsOf({ depth, colour }: PngHeader): number {
  return depth * CHANNELS[colour];
}

/** Columns and rows of the picture's passes: one, or Adam7's seven where it is interlaced. */
export interface PngPass {
  x: number;
  y: number;
  across: number;
  down: number;
  width: number;
  height: number;
}

const ADAM7: readonly (readonly [number, number, number, number])[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

export function passesOf({ width, height, interlaced }: PngHeader): PngPass[] {
  if (!interlaced) return [{ x: 0, y: 0, across: 1, down: 1, width, height }];
  return ADAM7.map(([x, y, across, down]) => ({
    x,
    y,
    across,
    down,
    width: Math.ceil((width - x) / across),
    height: Math.ceil((height - y) / down),
  })).filter((pass) => pass.width > 0 && pass.height > 0);
}

/** Bytes of a row of a pass, without its filter's byte. */
export function rowBytes(header: PngHeader, pass: PngPass): number {
  return Math.ceil((pass.width * bitsOf(header)) / 8);
}

/** The unpacked data: for every row of every pass a filter's byte and the filtered row. Throws R0521 where they are damaged or too few. */
export function unpackedData(bytes: Uint8Array, header: PngHeader): Uint8Array {
  const chunks = header.chunks.filter(({ kind }) => kind === 'IDAT');
  const packed = Buffer.concat(chunks.map(({ start, end }) => bytes.subarray(start + 8, end - 4)));
  const where = chunks.length === 1 ? `chunk ${named(chunks[0])}` : `the ${chunks.length} chunks IDAT from byte ${chunks[0].start} on`;
  const passes = passesOf(header);
  const expected = passes.reduce((sum, pass) => sum + pass.height * (1 + rowBytes(header, pass)), 0);
  let data: Uint8Array;
  try {
    // More than the header promises is cut off, so that a damaged file never unfolds.
    data = inflateSync(packed, { maxOutputLength: expected + 1024, finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
    throw code === 'ERR_BUFFER_TOO_LARGE'
      ? broken(`the data of ${where} unfold to more rows than chunk IHDR promises`)
      : broken(`the data of ${where} are damaged`, cause);
  }
  if (data.length < expected)
    throw broken(`the data of ${where} end before the last row: expected ${expected} bytes, found ${data.length} bytes`);
  let at = 0;
  for (const pass of passes) {
    const length = 1 + rowBytes(header, pass);
    for (let y = 0; y < pass.height; y++, at += length)
      if (data[at] > 4) throw broken(`the data of ${where} name filter type ${data[at]} in row ${y + 1}; there are 0 to 4`);
  }
  return data;
}

/** What is wrong with a picture that the decoder refused. Returns where nothing is found, or where it would cost too much to look. */
export function explainPng(bytes: Uint8Array, header: PngHeader): void {
  if ((header.width * header.height * bitsOf(header)) / 8 <= EXPLAINED) unpackedData(bytes, header);
}

function sized(bytes: Uint8Array): string {
  return `${bytes.length} bytes`;
}

function broken(message: string, cause?: unknown): Error {
  return dataError('R0521', message, { cure: 'fetch the picture again, or remove its row', cause });
}
