/**
 * Resizing as Pillow does it (src/libImaging/Resample.c), which is what the image processors of published encoders were made
 * with: two passes, the kernel stretched by the scale when shrinking, rounded to bytes between the passes. Sums are of
 * integers, so the bytes are the same on every machine. Only the window that is asked for is computed, and only what it
 * needs of the first pass: a picture of 1 x 65535 with a shortest edge of 224 costs no more than the 224 x 224 that are kept.
 */
import type { Filter } from '../../../../formats/processor/recipe.ts';
import type { Picture } from '../row.ts';

/** Which pass comes first: `rows` as Pillow up to 12.1 and torchvision do, `pillow13` as Pillow does from 13.0 on. */
export type Order = 'rows' | 'pillow13';

/** A part of the resized picture, in its pixels. */
export interface Window {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface ResizeOptions {
  filter?: Filter;
  order?: Order;
  window?: Window;
}

/** Weights are integers of this many fractional bits. */
const PRECISION = 22;
const HALF = 2 ** (PRECISION - 1);
const SUPPORT: Record<Filter, number> = { bilinear: 1, bicubic: 2 };

interface Taps {
  first: number;
  weights: Int32Array;
}

/**
 * The picture squeezed to `width` x `height` without keeping its proportions, or the window of that; the same object where
 * nothing changes. By default bicubic, rows first.
 */
export function resize(picture: Picture, width: number, height: number, options: ResizeOptions = {}): Picture {
  const { filter = 'bicubic', order = 'rows', window = { x: 0, y: 0, width, height } } = options;
  const columnsFirst =
    order === 'pillow13' && picture.height > height && picture.height - height > 2 * (picture.width - width) && picture.width !== width;
  const across = pass(picture.width, width, window.x, window.width, filter);
  const down = pass(picture.height, height, window.y, window.height, filter);
  // What the second pass reads of the first one's result.
  if (columnsFirst) return alongRows(alongColumns(cut(picture, across.needs, undefined), down), shifted(across));
  return alongColumns(alongRows(cut(picture, undefined, down.needs), across), shifted(down));
}

/** A range of samples, `end` excluded. */
interface Range {
  start: number;
  end: number;
}

interface Pass {
  /** Undefined where source and target have the same size: then the pass only cuts. */
  taps: Taps[] | undefined;
  /** Samples of the source that the window is made of. */
  needs: Range;
}

function pass(source: number, target: number, start: number, count: number, filter: Filter): Pass {
  if (source === target) return { taps: undefined, needs: { start, end: start + count } };
  const taps = tapsOf(source, target, start, count, filter);
  let low = source;
  let high = 0;
  for (const { first, weights } of taps) {
    low = Math.min(low, first);
    high = Math.max(high, first + weights.length);
  }
  return { taps, needs: { start: low, end: high } };
}

/** The pass over a source of which only what it needs is left. */
function shifted({ taps, needs }: Pass): Pass {
  const to = { start: 0, end: needs.end - needs.start };
  return { taps: taps?.map(({ first, weights }) => ({ first: first - needs.start, weights })), needs: to };
}

function cut(picture: Picture, columns: Range | undefined, rows: Range | undefined): Picture {
  const x = columns ?? { start: 0, end: picture.width };
  const y = rows ?? { start: 0, end: picture.height };
  return crop(picture, { x: x.start, y: y.start, width: x.end - x.start, height: y.end - y.start });
}

/** A part of a picture; the same object where it is the whole. */
export function crop(picture: Picture, { x, y, width, height }: Window): Picture {
  if (width === picture.width && height === picture.height) return picture;
  const rgb = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * picture.width + x) * 3;
    rgb.set(picture.rgb.subarray(from, from + width * 3), row * width * 3);
  }
  return { width, height, rgb };
}

function alongRows(picture: Picture, { taps, needs }: Pass): Picture {
  if (taps === undefined) return cut(picture, needs, undefined);
  const { width, height, rgb } = picture;
  const out = new Uint8Array(taps.length * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < taps.length; x++) {
      const { first, weights } = taps[x];
      weighted(rgb, (y * width + first) * 3, 3, weights, out, (y * taps.length + x) * 3);
    }
  }
  return { width: taps.length, height, rgb: out };
}

function alongColumns(picture: Picture, { taps, needs }: Pass): Picture {
  if (taps === undefined) return cut(picture, undefined, needs);
  const { width, rgb } = picture;
  const out = new Uint8Array(width * taps.length * 3);
  for (let y = 0; y < taps.length; y++) {
    const { first, weights } = taps[y];
    for (let x = 0; x < width; x++) weighted(rgb, (first * width + x) * 3, width * 3, weights, out, (y * width + x) * 3);
  }
  return { width, height: taps.length, rgb: out };
}

/** One pixel: the weighted sum of pixels `stride` bytes apart, rounded and cut off at 0 and 255. */
function weighted(from: Uint8Array, start: number, stride: number, weights: Int32Array, to: Uint8Array, at: number): void {
  let r = HALF;
  let g = HALF;
  let b = HALF;
  for (let k = 0, i = start; k < weights.length; k++, i += stride) {
    const w = weights[k];
    r += w * from[i];
    g += w * from[i + 1];
    b += w * from[i + 2];
  }
  to[at] = clip(r);
  to[at + 1] = clip(g);
  to[at + 2] = clip(b);
}

function clip(sum: number): number {
  const value = Math.floor(sum / 2 ** PRECISION);
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** For `count` samples of `target` from `start` on, which of `source` samples each is made of, and with which weights. */
function tapsOf(source: number, target: number, start: number, count: number, filter: Filter): Taps[] {
  const kernel = filter === 'bicubic' ? bicubic : bilinear;
  const scale = source / target;
  const stretch = Math.max(scale, 1);
  const support = SUPPORT[filter] * stretch;
  const inverse = 1 / stretch;
  return Array.from({ length: count }, (_, i) => {
    const centre = (start + i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(source, Math.trunc(centre + support + 0.5));
    const raw = Array.from({ length: end - first }, (_, k) => kernel((k + first - centre + 0.5) * inverse));
    const total = raw.reduce((sum, w) => sum + w, 0);
    const weights = Int32Array.from(raw, (w) => {
      const scaled = (w / total) * 2 ** PRECISION;
      return Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    });
    return { first, weights };
  });
}

/** Keys' cubic convolution kernel with a = -0.5. */
function bicubic(x: number): number {
  const a = -0.5;
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * a;
  return 0;
}

function bilinear(x: number): number {
  const t = Math.abs(x);
  return t < 1 ? 1 - t : 0;
}
