/** Looks at a picture's file without decoding it: what it is, how large, and whether its headers are sound. */
import { dataError } from '../../../core/data/codes.ts';
import { foundIn, whatItIs } from '../foreign.ts';
import { readJpeg } from './jpeg.ts';
import type { JpegHeader } from './jpeg.ts';
import { readPng } from './png.ts';
import type { PngHeader } from './png.ts';
import { readWebp } from './webp.ts';

export type PictureKind = 'PNG' | 'JPEG' | 'WebP';

/** What the first bytes of a file say that it is; undefined for anything that is not read. */
export function kindOf(bytes: Uint8Array): PictureKind | undefined {
  const found = whatItIs(bytes);
  return found === 'PNG' || found === 'JPEG' || found === 'WebP' ? found : undefined;
}

/** Size as stored, before it is turned by EXIF. */
export type Inspected =
  | { kind: 'PNG'; width: number; height: number; png: PngHeader }
  | { kind: 'JPEG'; width: number; height: number; jpeg: JpegHeader }
  | { kind: 'WebP'; width: number; height: number };

/** Reads the headers of a whole file. Throws R0521 for what is no picture or is cut off, R0531 for a picture that is too large. */
export function inspectPicture(bytes: Uint8Array): Inspected {
  switch (kindOf(bytes)) {
    case 'PNG': {
      const png = readPng(bytes);
      return { kind: 'PNG', width: png.width, height: png.height, png };
    }
    case 'JPEG': {
      const jpeg = readJpeg(bytes);
      return { kind: 'JPEG', width: jpeg.width, height: jpeg.height, jpeg };
    }
    case 'WebP':
      return { kind: 'WebP', ...readWebp(bytes) };
    case undefined:
      throw dataError('R0521', `expected a picture (PNG, JPEG, WebP), found ${foundIn(bytes)}`, {
        cure: 'only these three are decoded, since others are read differently by every library',
      });
  }
}
