/**
 * Pictures of files. PNG, JPEG and WebP only, told by their first bytes: the library would also render SVG and others
 * under any name. Headers are checked before it sees a file (`inspect.ts`). Decoded as Pillow's `convert("RGB")` does after turning by
 * EXIF: colour profiles ignored, transparency dropped, gray of 16 bits cut off at 255. Resized by our own code, since the library's
 * resize depends on the machine's vector unit.
 */
import { readFile, stat } from 'node:fs/promises';
import sharp from 'sharp';
import { PivotError } from '../../../../plan/errors.ts';
import { dataError } from '../../../core/data/codes.ts';
import { MAX_PIXELS } from '../../../../formats/processor/recipe.ts';
import { geometry } from '../../../core/data/preprocess/preprocess.ts';
import type { Recipe } from '../../../../formats/processor/recipe.ts';
import { resize } from '../../../core/data/preprocess/resample.ts';
import type { Picture } from '../../../core/data/row.ts';
import { inspectPicture } from './inspect.ts';
import type { Inspected } from './inspect.ts';
import { checkBytes } from './size.ts';
import { explainJpeg } from './jpeg.ts';
import { explainPng, withoutExtras } from './png.ts';
import { pixelChunks } from './webp.ts';
import { overWhite } from './white.ts';

/** What a picture is brought to: a square of so many pixels, squeezed into it (bicubic, rows first), or what a checkpoint's processor makes of it. */
export type Fit = number | Recipe;

export interface DecodeOptions {
  fit?: Fit;
  /** `white` lays transparent pictures on white; by default transparency is dropped and the colour beneath it shows. */
  transparency?: 'dropped' | 'white';
}

/** A decoded picture, and the size that it had (after turning) before it was resized. */
export interface Decoded {
  picture: Picture;
  stored: { width: number; height: number };
}

/** `decodeBytes` of a file, which its errors name. Throws the system's error where it cannot be read. */
export async function decodeFile(path: string, fit?: Fit): Promise<Decoded> {
  const { size } = await stat(path);
  try {
    checkBytes(size);
    return await decodeBytes(await readFile(path), { fit });
  } catch (error) {
    if (!(error instanceof PivotError) || error.place !== undefined) throw error;
    throw new PivotError(error.code, error.message, { cure: error.cure, place: { file: path }, cause: error });
  }
}

/**
 * Decodes the bytes of a file. Throws R0521 for what cannot be decoded, R0531 for a picture of more than 64 million pixels; whoever knows the
 * row names it.
 */
export async function decodeBytes(bytes: Uint8Array, { fit, transparency = 'dropped' }: DecodeOptions = {}): Promise<Decoded> {
  const inspected = inspectPicture(bytes);
  let picture: Picture;
  try {
    picture = await pixelsOf(bytes, inspected, transparency);
  } catch (cause) {
    if (inspected.kind === 'PNG') explainPng(bytes, inspected.png);
    if (inspected.kind === 'JPEG') explainJpeg(bytes, inspected.jpeg);
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    const where = inspected.kind === 'WebP' ? ` of chunk ${pixelChunks(bytes)}` : '';
    throw dataError('R0521', `the data${where} are damaged (${why})`, { cure: 'fetch the picture again, or remove its row', cause });
  }
  const { width, height } = picture;
  return { picture: fitted(picture, fit), stored: { width, height } };
}

function fitted(picture: Picture, fit: Fit | undefined): Picture {
  if (fit === undefined) return picture;
  return typeof fit === 'number' ? resize(picture, fit, fit) : geometry(picture, fit);
}

async function pixelsOf(bytes: Uint8Array, inspected: Inspected, transparency: 'dropped' | 'white'): Promise<Picture> {
  const file = inspected.kind === 'PNG' ? withoutExtras(bytes, inspected.png) : bytes;
  const turned = sharp(file, { ignoreIcc: true, failOn: 'warning', limitInputPixels: MAX_PIXELS }).rotate();
  if (inspected.kind === 'PNG' && inspected.png.colour === 0 && inspected.png.depth === 16) {
    const { data, info } = await turned
      .removeAlpha()
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    const words = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
    const gray = Uint8Array.from(words, (word) => Math.min(word, 255));
    return { width: info.width, height: info.height, rgb: spread(gray, info.width * info.height, info.channels) };
  }
  const opaque = transparency === 'white' ? turned.ensureAlpha() : turned.removeAlpha();
  const { data, info } = await opaque.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const pixels = width * height;
  if (channels === 4) return { width, height, rgb: overWhite(data) };
  if (channels === 2) return { width, height, rgb: overWhite(withAlpha(data, pixels)) };
  return { width, height, rgb: channels === 3 ? new Uint8Array(data) : spread(data, pixels, channels) };
}

/** Gray pictures come with one channel. */
function spread(data: Uint8Array, pixels: number, channels: number): Uint8Array {
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) rgb.fill(data[i * channels], i * 3, i * 3 + 3);
  return rgb;
}

/** Gray with alpha to RGBA. */
function withAlpha(data: Uint8Array, pixels: number): Uint8Array {
  const rgba = new Uint8Array(pixels * 4);
  for (let i = 0; i < pixels; i++) {
    rgba.fill(data[i * 2], i * 4, i * 4 + 3);
    rgba[i * 4 + 3] = data[i * 2 + 1];
  }
  return rgba;
}
