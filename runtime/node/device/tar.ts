/**
 * Reads the regular files of a tar archive that is whole in memory. Enough of POSIX ustar (IEEE Std 1003.1, pax) for archives of
 * a few plain files: names of up to 255 bytes, no links, no sparse files.
 */
import type { Buffer } from 'node:buffer';

const BLOCK = 512;

/** Name to content; the contents are views of `archive`. Throws an `Error` where the archive is cut short or damaged. */
export function readTar(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  let at = 0;
  while (at + BLOCK <= archive.length) {
    const header = archive.subarray(at, at + BLOCK);
    // An archive ends with two blocks of zeros.
    if (header.every((byte) => byte === 0)) return files;
    checkHeader(header, at);
    const size = octal(header, 124, 12);
    const start = at + BLOCK;
    if (start + size > archive.length) throw new Error(`the archive ends inside of ${nameOf(header)}`);
    const type = String.fromCharCode(header[156]);
    if (type === '0' || type === '\0') files.set(nameOf(header), archive.subarray(start, start + size));
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw new Error('the archive has no end mark');
}

function nameOf(header: Buffer): string {
  const ustar = header.toString('latin1', 257, 262) === 'ustar';
  const prefix = ustar ? text(header, 345, 155) : '';
  const name = text(header, 0, 100);
  return (prefix ? `${prefix}/${name}` : name).replace(/^\.\//, '');
}

function text(header: Buffer, from: number, length: number): string {
  const field = header.toString('utf8', from, from + length);
  const end = field.indexOf('\0');
  return end < 0 ? field : field.slice(0, end);
}

function octal(header: Buffer, from: number, length: number): number {
  const digits = text(header, from, length).trim();
  if (!/^[0-7]+$/.test(digits)) throw new Error(`a header of the archive holds no octal number at byte ${from}`);
  return Number.parseInt(digits, 8);
}

/** The checksum is the sum of the header's bytes with its own field read as blanks. */
function checkHeader(header: Buffer, at: number): void {
  let sum = 0;
  for (let i = 0; i < BLOCK; i += 1) sum += i >= 148 && i < 156 ? 32 : header[i];
  if (sum !== octal(header, 148, 8)) throw new Error(`the archive is damaged at byte ${at}`);
}
