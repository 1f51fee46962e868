/** The bounds on pictures: of a file before it is read, of a header before a pixel is unpacked. */
import { dataError } from '../../../core/data/codes.ts';
import { MAX_PIXELS } from '../../../../formats/processor/recipe.ts';

/** Throws R0531 where a picture of this size would not be decoded. */
export function checkSize(width: number, height: number): void {
  if (width * height <= MAX_PIXELS) return;
  throw dataError('R0531', `a picture of ${width} x ${height} is too large: at most ${MAX_PIXELS} pixels are decoded`, {
    cure: 'store it smaller, or remove its row',
  });
}

/** Longest file of a picture that is read. */
export const MAX_BYTES = 2 ** 28;

/** Throws R0531 where a file is too long to be read as a picture. */
export function checkBytes(length: number): void {
  if (length <= MAX_BYTES) return;
  throw dataError('R0531', `a file of ${length} bytes is too large: pictures of at most ${MAX_BYTES} bytes are read`, {
    cure: 'store it smaller, or remove its row',
  });
}
