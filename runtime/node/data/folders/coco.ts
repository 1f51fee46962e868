/** Boxes of objects as COCO's JSON has them: `images`, `annotations` with `bbox` as x, y, width, height in pixels, `categories`. */
import { readFile } from 'node:fs/promises';
import { dataError } from '../../../core/data/codes.ts';
import type { Box } from '../../../core/data/row.ts';
import { damaged, describe, fieldOf, isFields } from '../containers/table.ts';
import type { Fields, Value } from '../containers/table.ts';
import { foundIn } from '../foreign.ts';

export interface CocoBox extends Box {
  category: number;
  crowd: boolean;
}

export interface CocoPicture {
  name: string;
  width: number;
  height: number;
  boxes: CocoBox[];
}

export interface Coco {
  /** Names of categories by their ids, which need not be dense. */
  categories: Map<number, string>;
  pictures: CocoPicture[];
}

/** Reads a file. Throws R0504, R0532 for no JSON, and R0520 naming the entry that is wrong. */
export async function readCoco(path: string, given: string): Promise<Coco> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw dataError('R0504', `${given} cannot be opened`, { cure: 'paths are relative to the text that names them', cause });
  });
  let value: Value;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Value;
  } catch (cause) {
    throw damaged(given, `not valid JSON: expected JSON, found ${foundIn(bytes)}`, { cause });
  }
  const file = new CocoFile(given);
  if (!isFields(value)) throw file.wrong('', 'an object', value);
  const categories = new Map<number, string>();
  for (const [at, entry] of file.entries(value, 'categories')) categories.set(file.number(entry, 'id', at), file.text(entry, 'name', at));
  const pictures = new Map<number, CocoPicture>();
  for (const [at, entry] of file.entries(value, 'images')) {
    const id = file.number(entry, 'id', at);
    if (pictures.has(id)) throw file.wrong(`${at}.id`, 'another id', id);
    const [width, height] = [file.number(entry, 'width', at), file.number(entry, 'height', at)];
    pictures.set(id, { name: file.text(entry, 'file_name', at), width, height, boxes: [] });
  }
  for (const [at, entry] of file.entries(value, 'annotations')) {
    const image = file.number(entry, 'image_id', at);
    const category = file.number(entry, 'category_id', at);
    const picture = pictures.get(image);
    if (picture === undefined) throw file.wrong(`${at}.image_id`, 'the id of an image', image);
    if (!categories.has(category)) throw file.wrong(`${at}.category_id`, 'the id of a category', category);
    const box = file.box(entry, at, picture);
    picture.boxes.push({ ...box, category, crowd: fieldOf(entry, 'iscrowd') === 1 });
  }
  return { categories, pictures: [...pictures.values()] };
}

/** Reads values of a file, and names it where one is wrong. */
class CocoFile {
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  wrong(field: string, expected: string, found: Value | undefined): Error {
    const what = `${this.name}: ${field === '' ? '' : `${field}: `}expected ${expected}, found ${describe(found)}`;
    return dataError('R0520', what, { cure: 'mend the entry', place: { file: this.name } });
  }

  entries(value: Fields, name: string): [string, Fields][] {
    const list = fieldOf(value, name);
    if (!Array.isArray(list)) throw this.wrong(name, 'a list', list);
    return list.map((entry, i) => {
      if (!isFields(entry)) throw this.wrong(`${name}[${i}]`, 'an object', entry);
      return [`${name}[${i}]`, entry];
    });
  }

  number(entry: Fields, field: string, at: string): number {
    const value = fieldOf(entry, field);
    if (typeof value !== 'number' || value < 0 || !Number.isFinite(value)) throw this.wrong(`${at}.${field}`, 'a number, 0 or more', value);
    return value;
  }

  text(entry: Fields, field: string, at: string): string {
    const value = fieldOf(entry, field);
    if (typeof value !== 'string' || value === '') throw this.wrong(`${at}.${field}`, 'text', value);
    return value;
  }

  /** Half a pixel beyond the border is rounding; more is a box of another picture. */
  box(entry: Fields, at: string, { width, height }: CocoPicture): Box {
    const value = fieldOf(entry, 'bbox');
    const numbers = Array.isArray(value) ? value.filter((one) => typeof one === 'number' && Number.isFinite(one)) : [];
    const [x, y, w, h] = numbers as number[];
    const inside = x >= -0.5 && y >= -0.5 && w >= 0 && h >= 0 && x + w <= width + 0.5 && y + h <= height + 0.5;
    if (numbers.length !== 4 || !Array.isArray(value) || value.length !== 4 || !inside)
      throw this.wrong(
        `${at}.bbox`,
        `x, y, width and height within ${width} x ${height}`,
        Array.isArray(value) ? numbers.join(', ') : value,
      );
    return { x, y, w, h };
  }
}
