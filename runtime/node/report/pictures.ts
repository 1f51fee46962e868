/**
 * Picture of the gallery: an image, or a map laid over it, enlarged without smoothing, with boxes drawn; as PNG in a data
 * URI, so that the page stays one file.
 */
import sharp from 'sharp';
import type { Box, Picture } from '../../core/data/row.ts';
import { inferno } from './colours.ts';

/** Small images are enlarged by whole steps up to about this many pixels; larger ones are reduced to it. */
const SIDE = 384;

/** Longest side of a picture in a table. */
const THUMBNAIL = 128;

/** Share of the map's colour where it lies over the image. */
const OPACITY = 0.72;

/** The image enlarged, with its boxes. */
export async function imagePng(image: Picture, boxes: readonly Box[]): Promise<string> {
  const { canvas, scale } = await enlarged(image);
  drawBoxes(canvas, boxes, scale);
  return dataUri(canvas);
}

/** A small picture for tables: pixel by pixel where it is small, else reduced; the style sheet gives it its size. */
export async function thumbnailPng(image: Picture): Promise<string> {
  const { width, height, rgb } = image;
  const { data, info } = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .resize({ width: THUMBNAIL, height: THUMBNAIL, fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return dataUri({ width: info.width, height: info.height, rgb: new Uint8Array(data) });
}

/**
 * A map of `grid` x `grid` patches, 0 to its own largest value, over the image in grey; over black where the image is not
 * known. A map without anything is black.
 */
export async function mapPng(
  map: ArrayLike<number>,
  grid: number,
  image: Picture | undefined,
  boxes: readonly Box[],
  size: [number, number],
): Promise<string> {
  const { canvas, scale } = await enlarged(image ?? { width: size[0], height: size[1], rgb: new Uint8Array(size[0] * size[1] * 3) });
  const most = Array.from(map).reduce((a, b) => Math.max(a, b), 0);
  const colours = Array.from(map, (value) => inferno(most > 0 ? value / most : 0));
  const { width, height, rgb } = canvas;
  const column = Array.from({ length: width }, (_, x) => Math.floor((x * grid) / width));
  for (let y = 0, at = 0; y < height; y++) {
    const row = grid * Math.floor((y * grid) / height);
    for (let x = 0; x < width; x++, at += 3) {
      const colour = colours[row + column[x]];
      // A narrow range of greys: an object stays recognisable, and a white one does not pass for a hot patch.
      const grey = 25 + 0.45 * (0.299 * rgb[at] + 0.587 * rgb[at + 1] + 0.114 * rgb[at + 2]);
      for (let c = 0; c < 3; c++) rgb[at + c] = OPACITY * colour[c] + (1 - OPACITY) * grey + 0.5;
    }
  }
  drawBoxes(canvas, boxes, scale);
  return dataUri(canvas);
}

async function enlarged(image: Picture): Promise<{ canvas: Picture; scale: number }> {
  const longest = Math.max(image.width, image.height);
  const scale = longest > SIDE ? SIDE / longest : Math.max(1, Math.floor(SIDE / longest));
  const width = Math.max(1, Math.round(image.width * scale));
  const height = Math.max(1, Math.round(image.height * scale));
  const { data } = await sharp(image.rgb, { raw: { width: image.width, height: image.height, channels: 3 } })
    .resize(width, height, { fit: 'fill', kernel: scale >= 1 ? 'nearest' : 'lanczos3' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { canvas: { width, height, rgb: new Uint8Array(data) }, scale };
}

/** An outline from outside to inside: white between dark edges, visible on any ground. */
const LINE = [16, 255, 255, 255, 255, 16];

function drawBoxes(canvas: Picture, boxes: readonly Box[], scale: number): void {
  for (const box of boxes) {
    const x0 = Math.max(0, Math.round(box.x * scale));
    const y0 = Math.max(0, Math.round(box.y * scale));
    const x1 = Math.min(canvas.width, Math.round((box.x + box.w) * scale)) - 1;
    const y1 = Math.min(canvas.height, Math.round((box.y + box.h) * scale)) - 1;
    LINE.forEach((value, d) => outline(canvas, x0 + d, y0 + d, x1 - d, y1 - d, value));
  }
}

function outline(canvas: Picture, x0: number, y0: number, x1: number, y1: number, value: number): void {
  if (x1 < x0 || y1 < y0) return;
  const set = (x: number, y: number): void => {
    canvas.rgb.fill(value, 3 * (y * canvas.width + x), 3 * (y * canvas.width + x) + 3);
  };
  for (let x = x0; x <= x1; x++) [y0, y1].forEach((y) => set(x, y));
  for (let y = y0; y <= y1; y++) [x0, x1].forEach((x) => set(x, y));
}

async function dataUri({ width, height, rgb }: Picture): Promise<string> {
  const png = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}
