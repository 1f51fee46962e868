/** Segmentation as two folders: `images`, and `masks` with a PNG of class indices for each picture, of the same name but for its ending. */
import { readFile, realpath } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { dataError } from '../../../core/data/codes.ts';
import type { Picture } from '../../../core/data/row.ts';
import { decodeFile } from '../pictures/decode.ts';
import { readMask } from '../pictures/mask.ts';
import { picturesIn } from './pictures-in.ts';
import type { PictureFile } from './pictures-in.ts';

export interface MaskPair {
  image: PictureFile;
  mask: PictureFile;
}

/** Pairs in the order of the pictures' names. Throws R0522 where a picture has no mask or a mask no picture. */
export async function readMaskFolder(path: string, given: string): Promise<MaskPair[]> {
  const root = await realpath(path).catch((cause: unknown) => {
    throw dataError('R0522', `there is no folder ${given}`, { cure: 'paths are relative to the text that names them', cause });
  });
  const images = await picturesIn(root, 'images', given);
  const masks = new Map((await picturesIn(root, 'masks', given)).files.map((file) => [stem(file), file]));
  const pairs = images.files.map((image): MaskPair => {
    const mask = masks.get(stem(image));
    if (mask === undefined) throw dataError('R0522', `${given}: ${image.name} has no mask`, { cure: `put masks/${stem(image)}.png there` });
    masks.delete(stem(image));
    return { image, mask };
  });
  const [left] = masks.values();
  if (left !== undefined)
    throw dataError('R0522', `${given}: ${left.name} belongs to no picture`, { cure: 'remove it, or add its picture' });
  if (pairs.length === 0) throw dataError('R0522', `${given} has no pictures`, { cure: 'put pictures into images, and masks beside' });
  return pairs;
}

/** A picture and the class of each of its pixels, u8 [height, width]. Throws R0521 for either, and where their sizes differ. */
export async function readMaskPair({ image, mask }: MaskPair): Promise<{ picture: Picture; index: Uint8Array }> {
  const { picture } = await decodeFile(image.path);
  const { width, height, index } = readMask(await readFile(mask.path));
  if (width !== picture.width || height !== picture.height) {
    throw dataError('R0521', `${mask.name} has ${width} x ${height} pixels, and ${image.name} ${picture.width} x ${picture.height}`, {
      cure: 'store both in the same size, and not turned by EXIF',
    });
  }
  return { picture, index };
}

function stem({ name }: PictureFile): string {
  return basename(name, extname(name));
}
