/** The pictures of a row as columns hold them: a path, bytes, or both, one or a list. */
import { describe, fieldOf, isFields } from '../containers/table.ts';
import type { Fields, Value } from '../containers/table.ts';
import type { Complain, Picture } from './layout.ts';

/** All pictures of the first of these columns that the row has; none where it has none of them. Undefined after a fault. */
export function picturesOf(row: Fields, columns: readonly string[], complain: Complain): Picture[] | undefined {
  const present = columns.filter((column) => fieldOf(row, column) !== undefined);
  if (present.length === 0) return [];
  const [column] = present;
  const filled = present.filter((name) => fieldOf(row, name) !== null);
  if (filled.length > 1) return complain(filled[0], `there is \`${filled[1]}\` as well; one of them names the pictures`);
  const value = fieldOf(row, filled[0] ?? column);
  if (value === null || value === undefined) return column === 'image' ? complain(column, 'expected a picture, found null') : [];
  if (!Array.isArray(value)) {
    const picture = pictureOf(value, column, complain);
    return picture && [picture];
  }
  const pictures: Picture[] = [];
  for (const [i, one] of value.entries()) {
    const picture = pictureOf(one, `${column}[${i}]`, complain);
    if (picture === undefined) return undefined;
    pictures.push(picture);
  }
  return pictures;
}

function pictureOf(value: Value, field: string, complain: Complain): Picture | undefined {
  if (typeof value === 'string')
    return value === '' ? complain(field, 'expected the path of a picture, found an empty text') : { ref: { path: value }, field };
  if (value instanceof Uint8Array) return fromBytes(value, undefined, field, complain);
  if (!isFields(value)) return complain(field, `expected text, the path of a picture, or its bytes, found ${describe(value)}`);
  const bytes = fieldOf(value, 'bytes');
  const path = fieldOf(value, 'path');
  if (bytes === undefined && path === undefined)
    return complain(field, `expected struct<bytes, path>, found struct<${Object.keys(value).slice(0, 10).join(', ')}>`);
  const name = typeof path === 'string' ? path : undefined;
  if (bytes instanceof Uint8Array) return fromBytes(bytes, name, field, complain);
  if (bytes !== null && bytes !== undefined) return complain(`${field}.bytes`, `expected bytes, found ${describe(bytes)}`);
  if (name === undefined || name === '') return complain(field, 'expected a picture, found neither bytes nor a path (null)');
  return { ref: { path: name }, field };
}

function fromBytes(bytes: Uint8Array, name: string | undefined, field: string, complain: Complain): Picture | undefined {
  if (bytes.length === 0) return complain(field, 'expected a picture, found 0 bytes');
  return { ref: { bytes, ...(name === undefined ? {} : { name }) }, field };
}
