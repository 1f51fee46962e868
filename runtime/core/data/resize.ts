/**
 * Resizing as Pillow does it, which is what the image processors of published encoders were made with: bicubic with
 * a = -0.5, stretched by the scale when shrinking, rows first, rounded to bytes between the two passes. Integer sums, so
 * the bytes are the same on every machine. (Pillow's src/libImaging/Resample.c, up to version 12.1.)
 */
import type { Picture } from './row.ts';

/** Weights are integers of this many fractional bits. */
const PRECISION = 22;

interface Taps {
  first: number;
  weights: Int32Array;
}

/** The picture squeezed to `width` x `height` without keeping its proportions; the same object where nothing changes. */
export function resize(picture: Picture, width: number, height: number): Picture {
  let result = picture;
  if (result.width !== width) result = alongRows(result, width);
  if (result.height !== height) result = alongColumns(result, height);
  return result;
}

function alongRows({ width, height, rgb }: Picture, target: number): Picture {
  const out = new Uint8Array(target * height * 3);
  const taps = tapsOf(width, target);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < target; x++) {
      const { first, weights } = taps[x];
      weighted(rgb, (y * width + first) * 3, 3, weights, out, (y * target + x) * 3);
    }
  }
  return { width: target, height, rgb: out };
}

function alongColumns({ width, height, rgb }: Picture, target: number): Picture {
  const out = new Uint8Array(width * target * 3);
  const taps = tapsOf(height, target);
  for (let y = 0; y < target; y++) {
    const { first, weights } = taps[y];
    for (let x = 0; x < width; x++) weighted(rgb, (first * width + x) * 3, width * 3, weights, out, (y * width + x) * 3);
  }
  return { width, height: target, rgb: out };
}

/** One pixel: the weighted sum of pixels `stride` bytes apart, rounded and cut off at 0 and 255. */
function weighted(from: Uint8Array, start: number, stride: number, weights: Int32Array, to: Uint8Array, at: number): void {
  const half = 2 ** (PRECISION - 1);
  let r = half;
  let g = half;
  let b = half;
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

/** For each of `target` samples, which of `source` samples it is made of, and with which weights. */
function tapsOf(source: number, target: number): Taps[] {
  const scale = source / target;
  const stretch = Math.max(scale, 1);
  const support = 2 * stretch;
  return Array.from({ length: target }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(source, Math.trunc(centre + support + 0.5));
    const raw = Array.from({ length: end - first }, (_, k) => bicubic((first + k - centre + 0.5) / stretch));
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
