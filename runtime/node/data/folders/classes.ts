/** Labelled pictures as a folder for each class. Classes are sorted by code point, as Python does it, and labels count from 0 in that order. */
import { readdir, realpath } from 'node:fs/promises';
import { dataError } from '../../../core/data/codes.ts';
import { byCodePoint, picturesIn } from './pictures-in.ts';
import type { PictureFile } from './pictures-in.ts';

export interface LabelledPicture extends PictureFile {
  label: number;
}

export interface ClassFolder {
  classes: string[];
  pictures: LabelledPicture[];
  /** Files that are no pictures by their endings. */
  passedOver: string[];
}

/**
 * Reads the names of a folder of classes; no picture is opened. `classes` are those of another split, so that labels mean the same: a class that
 * is not among them is an error (R0522).
 */
export async function readClassFolder(path: string, given: string, classes?: readonly string[]): Promise<ClassFolder> {
  const entries = await readdir(path, { withFileTypes: true }).catch((cause: unknown) => {
    throw dataError('R0522', `there is no folder ${given}`, { cure: 'paths are relative to the text that names them', cause });
  });
  const own = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort(byCodePoint);
  const known = classes ?? own;
  const other = own.find((name) => !known.includes(name));
  if (other !== undefined)
    throw dataError('R0522', `${given} has a class ${other}, which the others do not have: ${known.join(', ')}`, {
      cure: 'remove its folder',
    });
  const root = await realpath(path);
  const pictures: LabelledPicture[] = [];
  const passedOver = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  for (const name of own) {
    const read = await picturesIn(root, name, given);
    pictures.push(...read.files.map((file) => ({ ...file, label: known.indexOf(name) })));
    passedOver.push(...read.passedOver);
  }
  if (pictures.length === 0) throw dataError('R0522', `${given} has no folders with pictures`, { cure: 'give a folder for each class' });
  return { classes: [...known], pictures, passedOver };
}
