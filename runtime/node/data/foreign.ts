/** What a file really is, by its first bytes, for the sentence that refuses it. Names and endings do not count. */

/** First bytes that are looked at. */
export const LOOKED_AT = 512;

const MAGICS: readonly (readonly [string, string])[] = [
  ['\x89PNG\r\n\x1a\n', 'PNG'],
  ['\xff\xd8\xff', 'JPEG'],
  ['GIF8', 'GIF'],
  ['BM', 'BMP'],
  ['II*\0', 'TIFF'],
  ['MM\0*', 'TIFF'],
  ['%PDF', 'PDF'],
  ['\x1f\x8b', 'gzip'],
  ['PK\x03\x04', 'zip'],
  ['PK\x05\x06', 'zip'],
  ['7z\xbc\xaf\x27\x1c', '7-Zip'],
  ['\x28\xb5\x2f\xfd', 'zstd'],
  ['BZh', 'bzip2'],
  ['\xfd7zXZ\0', 'xz'],
  ['PAR1', 'Parquet'],
  ['ARROW1', 'ARROW1, an Arrow IPC file'],
  ['\x89HDF', 'HDF5'],
  ['SQLite format 3', 'SQLite'],
  ['\xff\xfe', 'UTF-16'],
  ['\xfe\xff', 'UTF-16'],
];

export const LFS = 'a Git LFS pointer; git lfs pull fetches the file';

/** `HTML`, `gzip`, `a Git LFS pointer; ...`, `text`, `0 bytes`, `zeros`; undefined where nothing is recognised. */
export function whatItIs(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return '0 bytes';
  const head = latin(bytes.subarray(0, LOOKED_AT));
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'WebP';
  if (/^....ftyp(avif|avis|heic|heix|mif1)/s.test(head)) return 'AVIF or HEIC';
  const known = MAGICS.find(([magic]) => head.startsWith(magic));
  if (known !== undefined) return known[1];
  if (/^[\0]+$/.test(head)) return 'zeros';
  const text = head.replace(/^\xef\xbb\xbf/, '').trimStart();
  if (text.startsWith('version https://git-lfs.github.com')) return LFS;
  if (/^<!doctype html|^<html/i.test(text)) return 'HTML';
  if (/^(<\?xml[^>]*>\s*|<!--.*?-->\s*|<!doctype svg[^>]*>\s*)*<(\w+:)?svg[\s>]/is.test(text)) return 'SVG';
  if (text.startsWith('<?xml')) return 'XML';
  if (head.slice(257, 262) === 'ustar') return 'a tar archive';
  // Bytes above 127 may be UTF-8; control characters are in no text.
  return /^[^\0-\x08\x0e-\x1f]+$/.test(head) && text !== '' ? 'text' : undefined;
}

/** What it is and how long, for a sentence: `HTML (102 bytes)`, `1 byte of no known kind`. */
export function foundIn(bytes: Uint8Array, length = bytes.length): string {
  const sized = `${length} ${length === 1 ? 'byte' : 'bytes'}`;
  const what = whatItIs(bytes);
  return what === undefined ? `${sized} of no known kind` : what === sized ? sized : `${what} (${sized})`;
}

/** Each byte as one character. */
export function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
