/** Writes PNGs chunk by chunk for tests, sound ones and others. */
import { crc32, deflateSync } from 'node:zlib';

export const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);

export function pngChunk(kind: string, data: Uint8Array, checksum?: number): Uint8Array {
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(checksum ?? crc32(body));
  return Buffer.concat([length, body, sum]);
}

export function pngHeader(width: number, height: number, depth: number, colour: number, interlace = 0): Uint8Array {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, colour, 0, 0, interlace], 8);
  return pngChunk('IHDR', data);
}

/** A whole file of these chunks, with unpacked data. */
export function png(header: Uint8Array, data: Uint8Array, before: Uint8Array[] = []): Uint8Array {
  return Buffer.concat([SIGNATURE, header, ...before, pngChunk('IDAT', deflateSync(data)), pngChunk('IEND', new Uint8Array(0))]);
}
