/**
 * `focus`: how much of a gradient map falls on the objects that the answers speak of (E2).
 *
 * Table `maps`: `gradient` and `cam` [n, T], not negative, T = g * g patches of the image row by row; and for each row the
 * columns `boxes` (a list of {x, y, w, h} in pixels) and `size` (the image's pixels, a number or [width, height]).
 * Values: `gradient_share` and `cam_share`, the mean over rows of the share of the map that lies on the boxes, a patch
 * counting by the share of its area that they cover; and `area_share`, the share of the image that they cover, which is
 * what a map that looks nowhere in particular would get. A row without boxes, or whose map is zero everywhere, has no share
 * and is left out of that mean; `details` says how many are left, `examples` has the share of each row.
 */
import type { Box } from '../data/row.ts';
import { columnOf, requireFinite, tableOf } from './arguments.ts';
import { coverage, shareOf } from './overlap.ts';
import type { Json, ScoreParams, ScoreResult, Table, TableTensor } from './types.ts';
import { scoreError } from './errors.ts';

/** One share a row; null where the row has none. */
type Shares = (number | null)[];

export function focus(tables: Record<string, Table>, _params: ScoreParams): ScoreResult {
  const maps = tableOf(tables, 'maps', 'focus');
  const gradient = mapOf(maps, 'gradient');
  const cam = mapOf(maps, 'cam');
  const [n, patches] = gradient.shape;
  const grid = gridOf(patches);
  if (cam.shape.join() !== gradient.shape.join() || maps.rows.length !== n) {
    throw scoreError(
      'R0706',
      `gradient has the shape [${gradient.shape.join(', ')}], cam [${cam.shape.join(', ')}], and there are ${maps.rows.length} rows beside them`,
      'keep both maps and the columns `boxes` and `size` in one embed',
    );
  }
  const covered = maps.rows.map((row, i) => {
    const boxes = boxesOf(row, i);
    const [width, height] = sizeOf(row, i);
    return boxes.length === 0 ? undefined : coverage(boxes, width, height, grid);
  });
  const shares: Record<string, Shares> = {
    gradient_share: covered.map((cover, i) => shareOn(gradient, i, cover)),
    cam_share: covered.map((cover, i) => shareOn(cam, i, cover)),
    area_share: covered.map((cover) => (cover === undefined ? null : cover.reduce((a, b) => a + b, 0) / patches)),
  };
  const details: Record<string, Json> = {};
  const values: Record<string, number> = {};
  for (const [name, list] of Object.entries(shares)) {
    const known = list.filter((share) => share !== null);
    const mapName = name.replace('_share', '');
    if (known.length === 0) {
      throw scoreError(
        'R0707',
        `no row of maps has both boxes and a ${mapName} map above zero, so there is no share to give`,
        'give the probe data whose rows name the objects that the answers differ about',
      );
    }
    values[name] = known.reduce((a, b) => a + b, 0) / known.length;
    details[`${mapName}_rows`] = known.length;
  }
  return { values, examples: shares, details };
}

function mapOf(table: Table, name: string): TableTensor {
  const map = columnOf(table, name, 'maps', 'focus');
  requireFinite(map, name, 'maps', 'focus');
  if (map.shape.length !== 2 || map.data.some((value: number) => value < 0)) {
    throw scoreError(
      'R0706',
      `${name} of maps should be [rows, patches] and not negative, and has the shape [${map.shape.join(', ')}]`,
      'keep the size of a gradient, not the gradient',
    );
  }
  return map;
}

/** Patches a side. */
function gridOf(patches: number): number {
  const grid = Math.round(Math.sqrt(patches));
  if (grid * grid === patches && grid > 0) return grid;
  throw scoreError('R0706', `a map of ${patches} patches is not square`, 'leave class tokens out of the features that you differentiate');
}

/** The share of row `i` of a map that lies on the covered part; null where there is none to divide. */
function shareOn(map: TableTensor, i: number, cover: Float64Array | undefined): number | null {
  if (cover === undefined) return null;
  return shareOf(map.data.subarray(i * cover.length, (i + 1) * cover.length), cover) ?? null;
}

function boxesOf(row: Record<string, unknown>, i: number): Box[] {
  const { boxes } = row;
  if (boxes === undefined || boxes === null) return [];
  if (Array.isArray(boxes) && boxes.every(isBox)) return boxes;
  throw scoreError(
    'R0706',
    `row ${i + 1} of maps has boxes that are not a list of {x, y, w, h} in pixels`,
    'mend the column `boxes` of the data',
  );
}

/** Width and height in pixels. */
function sizeOf(row: Record<string, unknown>, i: number): [number, number] {
  const { size } = row;
  if (isLength(size)) return [size, size];
  if (Array.isArray(size) && size.length === 2 && size.every(isLength)) return [size[0], size[1]];
  throw scoreError('R0706', `row ${i + 1} of maps does not say the size of its image`, 'keep the column `size` beside the maps');
}

export function isBox(value: unknown): value is Box {
  if (typeof value !== 'object' || value === null) return false;
  const entries = Object.fromEntries(Object.entries(value));
  return ['x', 'y', 'w', 'h'].every((key) => typeof entries[key] === 'number' && Number.isFinite(entries[key]));
}

function isLength(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}
