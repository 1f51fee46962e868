/**
 * From a decoded picture to pixel values, as the image processors of transformers on Pillow do it (the `*ImageProcessorPil`
 * classes of transformers 5 with Pillow 13): pad, resize, crop on bytes, then rescale and normalise in float32.
 */
import type { PivotError } from '../../../../plan/errors.ts';
import { dataError } from '../codes.ts';
import type { Picture } from '../row.ts';
import { MAX_PIXELS } from '../../../../formats/processor/recipe.ts';
import type { Recipe, ResizeTarget } from '../../../../formats/processor/recipe.ts';
import { crop, resize } from './resample.ts';
import type { Order } from './resample.ts';

/** Width and height. */
export interface Size {
  width: number;
  height: number;
}

/** The size that a picture is resized to. Throws R0531 where that is beyond what is computed and no crop follows. */
export function resizedSize({ width, height }: Size, to: ResizeTarget): Size {
  if (to.kind === 'exact') return { width: to.width, height: to.height };
  const { edge } = to;
  // Truncated, not rounded, and never below one pixel.
  const long = (a: number, b: number): number => Math.max(1, Math.trunc((edge * a) / b));
  return width <= height ? { width: edge, height: long(height, width) } : { width: long(width, height), height: edge };
}

/**
 * The picture after pad, resize and crop: u8 [h, w, 3]. Throws R0531 where the result would be larger than 64 million pixels, and R0530
 * where a crop is larger than what it is cut out of.
 */
export function geometry(picture: Picture, recipe: Recipe, order: Order = 'pillow13'): Picture {
  const padded = recipe.pad === undefined ? picture : padToSquare(picture, recipe.pad.colour);
  const size = recipe.resize === undefined ? padded : resizedSize(padded, recipe.resize.to);
  const { width, height } = recipe.crop ?? size;
  if (width * height > MAX_PIXELS) throw tooLarge(picture, { width, height });
  if (width > size.width || height > size.height) {
    throw dataError(
      'R0530',
      `crop_size ${width} x ${height} is larger than the picture of ${size.width} x ${size.height} that it is cut out of`,
      {
        cure: 'give a crop_size that is at most the resized picture; transformers would fill the rest with zeros, and differently on each path',
      },
    );
  }
  const window = { x: Math.floor((size.width - width) / 2), y: Math.floor((size.height - height) / 2), width, height };
  if (recipe.resize === undefined) return crop(padded, window);
  return resize(padded, size.width, size.height, { filter: recipe.resize.filter, order, window });
}

/**
 * The value that each byte becomes, by channel: f32 [3, 256]. A pixel value depends on nothing else. The product is computed in double
 * and rounded once, difference and quotient are each rounded to float32, as numpy does it.
 */
export function levels({ factor, normalise }: Recipe): Float32Array {
  const table = new Float32Array(3 * 256);
  for (let c = 0; c < 3; c++) {
    for (let byte = 0; byte < 256; byte++) {
      const x = Math.fround(byte * factor);
      table[c * 256 + byte] =
        normalise === undefined ? x : Math.fround(Math.fround(x - Math.fround(normalise.mean[c])) / Math.fround(normalise.std[c]));
    }
  }
  return table;
}

/** Pixel values f32 [3, height, width] of u8 [height, width, 3]. `table` is that of `levels`. */
export function pixelValues({ width, height, rgb }: Picture, table: Float32Array): Float32Array {
  const plane = width * height;
  const out = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) out[c * plane + i] = table[c * 256 + rgb[i * 3 + c]];
  }
  return out;
}

/** All steps: pixel values f32 [3, height, width]. Errors as in `geometry`. */
export function preprocess(picture: Picture, recipe: Recipe): Size & { values: Float32Array } {
  const bytes = geometry(picture, recipe);
  return { width: bytes.width, height: bytes.height, values: pixelValues(bytes, levels(recipe)) };
}

function padToSquare(picture: Picture, colour: readonly number[]): Picture {
  const { width, height, rgb } = picture;
  if (width === height) return picture;
  const side = Math.max(width, height);
  if (side * side > MAX_PIXELS) throw tooLarge(picture, { width: side, height: side });
  const out = new Uint8Array(side * side * 3);
  for (let i = 0; i < out.length; i++) out[i] = colour[i % 3];
  const left = Math.floor((side - width) / 2);
  const top = Math.floor((side - height) / 2);
  for (let y = 0; y < height; y++) out.set(rgb.subarray(y * width * 3, (y + 1) * width * 3), ((top + y) * side + left) * 3);
  return { width: side, height: side, rgb: out };
}

function tooLarge(from: Size, to: Size): PivotError {
  return dataError('R0531', `a picture of ${from.width} x ${from.height} would become ${to.width} x ${to.height}`, {
    cure: `at most ${MAX_PIXELS} pixels are computed; crop the picture, or remove its row`,
  });
}
