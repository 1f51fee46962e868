/** The bound on decoded pictures: what a header says is checked before a pixel is unpacked. */
import { dataError } from '../../../core/data/codes.ts';
import { MAX_PIXELS } from '../../../core/data/preprocess/recipe.ts';

/** Throws R0531 where a picture of this size would not be decoded. */
export function checkSize(width: number, height: number): void {
  if (width * height <= MAX_PIXELS) return;
  throw dataError('R0531', `a picture of ${width} x ${height} is too large: at most ${MAX_PIXELS} pixels are decoded`, {
    cure: 'store it smaller, or remove its row',
  });
}
