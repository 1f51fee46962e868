/**
 * Metadata beside pictures, as Hugging Face's `imagefolder` reads them: `file_name` is the picture, a column that ends in `_file_name` is a
 * picture of the name before, one in `_file_names` a list of such.
 */
import type { Fields } from '../containers/table.ts';

const FILE_NAME = /^(?:(.+)_)?file_name(s?)$/s;

/** The column that a metadata column stands for: `image`, `images`, or itself. */
export function columnNamed(column: string): string {
  const match = FILE_NAME.exec(column);
  if (match === null) return column;
  return match[1] ?? (match[2] === '' ? 'image' : 'images');
}

/** The row with its columns renamed; the same object where there is nothing to rename. */
export function withPictureNames(fields: Fields): Fields {
  if (!Object.keys(fields).some((name) => FILE_NAME.test(name))) return fields;
  const renamed: Fields = {};
  for (const [name, value] of Object.entries(fields))
    Object.defineProperty(renamed, columnNamed(name), { value, enumerable: true, configurable: true });
  return renamed;
}
