/**
 * Pictures of files. PNG, JPEG and WebP only, told by their first bytes: the library would also render SVG and others
 * under any name. Decoded as Pillow's `convert("RGB")` does: turned by EXIF, colour profiles ignored, transparency
 * dropped. (Gray of 16 bits is the exception: its high byte is taken, where Pillow cuts off at 255.) Then resized by
 * our own code, since the library's resize depends on the machine's vector unit.
 */
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { resize } from '../../core/data/resize.ts';
import type { Picture } from '../../core/data/row.ts';

export type PictureKind = 'PNG' | 'JPEG' | 'WebP';

/** Number of first bytes that `kindOf` looks at. */
export const MAGIC_BYTES = 12;

/** What the first bytes of a file say that it is; undefined for anything that is not read. */
export function kindOf(bytes: Uint8Array): PictureKind | undefined {
  const has = (at: number, text: string) => [...text].every((c, i) => bytes[at + i] === c.charCodeAt(0));
  if (has(0, '\x89PNG\r\n\x1a\n')) return 'PNG';
  if (has(0, '\xff\xd8\xff')) return 'JPEG';
  if (has(0, 'RIFF') && has(8, 'WEBP')) return 'WebP';
  return undefined;
}

/** A decoded picture, and the size that it had (after turning) before it was resized. */
export interface Decoded {
  picture: Picture;
  stored: { width: number; height: number };
}

/**
 * Decodes a file and squeezes it to `size` x `size` pixels; with no size it is left as it is. Throws the plain error of
 * the library or the system; whoever knows the row turns it into a sentence.
 */
export async function decodeFile(path: string, size?: number): Promise<Decoded> {
  const bytes = await readFile(path);
  if (kindOf(bytes) === undefined) throw new Error('it is neither PNG, JPEG nor WebP');
  const { data, info } = await sharp(bytes, { ignoreIcc: true, failOn: 'warning' })
    .rotate()
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const picture = { width, height, rgb: channels === 3 ? new Uint8Array(data) : spread(data, width * height, channels) };
  return { picture: size === undefined ? picture : resize(picture, size, size), stored: { width, height } };
}

/** Gray pictures come with one channel. */
function spread(data: Uint8Array, pixels: number, channels: number): Uint8Array {
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) rgb.fill(data[i * channels], i * 3, i * 3 + 3);
  return rgb;
}
