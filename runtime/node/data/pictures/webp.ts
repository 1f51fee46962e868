/** WebP: length of the file and size of the picture, before a decoder sees it. (RFC 9649.) */
import { dataError } from '../../../core/data/codes.ts';
import { latin } from '../foreign.ts';
import { checkSize } from './size.ts';

/** Throws R0521 for a file that is cut off or whose first chunk is none of WebP's, R0531 for too large a picture. */
export function readWebp(bytes: Uint8Array): { width: number; height: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(4, true) + 8;
  if (length > bytes.length || bytes.length < 30)
    throw dataError('R0521', `the file is cut off: expected ${Math.max(length, 30)} bytes, found ${bytes.length} bytes`, {
      cure: 'fetch the picture again, or remove its row',
    });
  const size = sizeOf(view, latin(bytes.subarray(12, 16)));
  if (size === undefined)
    throw dataError(
      'R0521',
      `its first chunk, ${JSON.stringify(latin(bytes.subarray(12, 16)))} at byte 12, is neither VP8, VP8L nor VP8X`,
      {
        cure: 'store the picture as PNG or JPEG',
      },
    );
  checkSize(size.width, size.height);
  return size;
}

function sizeOf(view: DataView, kind: string): { width: number; height: number } | undefined {
  if (kind === 'VP8X') {
    const at = (offset: number): number => 1 + view.getUint16(offset, true) + view.getUint8(offset + 2) * 65536;
    return { width: at(24), height: at(27) };
  }
  if (kind === 'VP8L') {
    const bits = view.getUint32(21, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  if (kind === 'VP8 ') return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  return undefined;
}

/** Chunks with pixels, in the order of the file: `VP8L at byte 12`. For the sentence about a picture that the decoder refused. */
export function pixelChunks(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: string[] = [];
  for (let at = 12; at + 8 <= bytes.length && found.length < 4;) {
    const kind = latin(bytes.subarray(at, at + 4)).trim();
    if (['VP8', 'VP8L', 'ALPH', 'ANMF'].includes(kind)) found.push(`${kind} at byte ${at}`);
    const length = view.getUint32(at + 4, true);
    at += 8 + length + (length % 2);
  }
  return found.join(', ') || 'none';
}
