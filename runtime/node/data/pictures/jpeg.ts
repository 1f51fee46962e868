/** JPEG, segment by segment up to the first scan: the size and the kind of its frame, before a decoder sees it. (ITU-T T.81, annex B.) */
import { dataError } from '../../../core/data/codes.ts';
import { checkSize } from './size.ts';

export interface JpegHeader {
  width: number;
  height: number;
  /** The marker of the frame, such as `SOF0`. */
  frame: string;
  /** Where the data of the first scan begin. */
  scan: number;
}

/** Throws R0521 naming the marker, R0531 for too large a picture. CMYK is refused: decoders do not agree about its colours. */
export function readJpeg(bytes: Uint8Array): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: Omit<JpegHeader, 'scan'> | undefined;
  let at = 2;
  for (;;) {
    while (at + 1 < bytes.length && bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    if (at + 4 > bytes.length) throw cut(`the file ends before the picture data, at byte ${at}`, bytes);
    if (bytes[at] !== 0xff) throw broken(`there is no marker at byte ${at}`);
    const code = bytes[at + 1];
    const name = markerName(code);
    if (code === 0xd9) throw broken(`the end marker EOI at byte ${at} comes before any picture data`);
    if (code === 0x01 || (code >= 0xd0 && code <= 0xd8)) {
      at += 2;
      continue;
    }
    const length = view.getUint16(at + 2);
    if (length < 2 || at + 2 + length > bytes.length) throw cut(`segment ${name} at byte ${at} claims ${length} bytes`, bytes);
    if (name.startsWith('SOF')) {
      if (length < 8) throw broken(`segment ${name} at byte ${at} has ${length} bytes`);
      const [height, width, components] = [view.getUint16(at + 5), view.getUint16(at + 7), view.getUint8(at + 9)];
      if (width === 0 || height === 0) throw broken(`segment ${name} at byte ${at} says ${width} x ${height} pixels`);
      checkSize(width, height);
      if (components === 4)
        throw dataError('R0521', 'the colours are CMYK, which decoders turn into RGB differently', { cure: 'store the picture as RGB' });
      if (components !== 1 && components !== 3)
        throw broken(`segment ${name} at byte ${at} names ${components} components; 1 or 3 are read`);
      frame = { width, height, frame: name };
    }
    at += 2 + length;
    if (code === 0xda) {
      if (frame === undefined) throw broken(`the scan SOS before byte ${at} comes before any frame`);
      return { ...frame, scan: at };
    }
  }
}

/** Throws what is wrong with a picture whose headers are sound and which the decoder refused. */
export function explainJpeg(bytes: Uint8Array, { width, height, frame, scan }: JpegHeader): void {
  const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf('\xff\xd9', scan, 'latin1');
  if (end < 0) throw cut('there is no end marker EOI', bytes);
  throw broken(
    `the data of scan SOS from byte ${scan} on are damaged, or end before the ${width} x ${height} pixels that ${frame} promises`,
  );
}

function markerName(code: number): string {
  if (code >= 0xe0 && code <= 0xef) return `APP${code - 0xe0}`;
  if (code === 0xc4) return 'DHT';
  if (code === 0xcc) return 'DAC';
  if (code >= 0xc0 && code <= 0xcf && code !== 0xc8) return `SOF${code - 0xc0}`;
  const names: Record<number, string> = { 0xd9: 'EOI', 0xda: 'SOS', 0xdb: 'DQT', 0xdd: 'DRI', 0xfe: 'COM' };
  return names[code] ?? `FF${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

function cut(what: string, bytes: Uint8Array): Error {
  return broken(`${what}: the file is cut off; found ${bytes.length} bytes`);
}

function broken(message: string): Error {
  return dataError('R0521', message, { cure: 'fetch the picture again, or remove its row' });
}
