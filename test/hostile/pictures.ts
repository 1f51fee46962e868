/** Reads a hostile picture as the rows' pictures are read. */
import { decodeFile } from '../../runtime/node/data/pictures/decode.ts';
import { sha256 } from '../rows/check.ts';
import type { Result } from './result.ts';

export async function read(path: string): Promise<Result> {
  const { picture } = await decodeFile(path);
  return { width: picture.width, height: picture.height, rgb_sha256: sha256(picture.rgb), warnings: [] };
}
