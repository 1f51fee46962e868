/** The pictures of a folder by their endings, in the order of code points, and what was passed over. Links that lead out are refused. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { dataError } from '../../../core/data/codes.ts';
import { findFile } from '../pictures/paths.ts';

const ENDINGS = /\.(png|jpe?g|webp)$/i;

/** As Python sorts texts: by code point, whatever the machine's language. */
export function byCodePoint(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i].codePointAt(0) ?? 0) - (right[i].codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

export interface PictureFile {
  /** Relative to the root. */
  name: string;
  path: string;
}

/**
 * Pictures directly in `folder`, a path below `root`, which is free of links and which the user calls `given`. Files that begin with a dot are
 * no one's; others without a picture's ending are named in `passedOver`. Throws R0522.
 */
export async function picturesIn(root: string, folder: string, given: string): Promise<{ files: PictureFile[]; passedOver: string[] }> {
  const names = await readdir(join(root, folder)).catch((cause: unknown) => {
    throw dataError('R0522', `there is no folder ${join(given, folder)}`, {
      cure: 'paths are relative to the text that names them',
      cause,
    });
  });
  const files: PictureFile[] = [];
  const passedOver: string[] = [];
  for (const name of names.sort(byCodePoint)) {
    if (name.startsWith('.')) continue;
    const relative = join(folder, name);
    if (!ENDINGS.test(name)) {
      passedOver.push(relative);
      continue;
    }
    const found = await findFile(root, relative);
    if ('fault' in found) throw dataError('R0522', `${given}: ${found.fault}`, { cure: 'copy the file into the folder' });
    files.push({ name: relative, path: found.file });
  }
  return { files, passedOver };
}
