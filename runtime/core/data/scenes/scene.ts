/**
 * What is in a scene: two to four objects in different cells of a 3 x 3 grid, no two alike in both colour and shape.
 * A scene follows from (seed, whose it is, split, index) alone: from no count, no size of the picture, and no text about it.
 */
import type { Key } from '../../random.ts';
import { keyOf, Random } from '../../random.ts';
import type { Box } from '../row.ts';
import type { Colour, PlaceWord, Shape, Size } from './words.ts';
import { COLOURS, PLACES, SHAPES, SIZES } from './words.ts';

export interface SceneObject {
  /** 0..8 in reading order. */
  cell: number;
  place: PlaceWord;
  colour: Colour;
  shape: Shape;
  size: Size;
  /** Where a small object lies in its cell: 0, 1 or 2 thirds of the free room, right and down. */
  jitter: readonly [number, number];
}

export interface Scene {
  /** In reading order. */
  objects: SceneObject[];
}

/** Which scenes: those of a split under a seed, of the run or (`fixed`) of the text. `main` makes exactly one object large, the one that a label is about. */
export interface SceneSet {
  seed: number;
  fixed?: boolean;
  split: string;
  main?: boolean;
}

/** The key of one kind of randomness (`objects`, `noise`, a source's text) over the scenes of a split. */
export function sceneKey(set: SceneSet, kind: string): Key {
  return keyOf(`${set.fixed ? 'fixed ' : ''}scenes/${set.split}/${kind}`, set.seed);
}

/** Scene `index` of a set. */
export function drawScene(set: SceneSet, objectsKey: Key, index: number): Scene {
  const random = new Random(objectsKey, index);
  const count = 2 + random.below(3);
  const cells = random.distinct(PLACES.length, count);
  const looks = random.distinct(COLOURS.length * SHAPES.length, count);
  const sizes = cells.map(() => random.pick(SIZES));
  const jitters = cells.map(() => [random.below(3), random.below(3)] as const);
  const main = random.below(count);
  const objects = cells.map((cell, i): SceneObject => {
    const size = set.main ? (i === main ? 'large' : 'small') : sizes[i];
    return {
      cell,
      place: PLACES[cell],
      colour: COLOURS[looks[i] % COLOURS.length],
      shape: SHAPES[Math.floor(looks[i] / COLOURS.length)],
      size,
      jitter: size === 'large' ? [0, 0] : jitters[i],
    };
  });
  return { objects: objects.sort((a, b) => a.cell - b.cell) };
}

/**
 * Pixels that an object takes in a picture of `size` pixels (a multiple of 12): a large one fills its cell, a small one
 * three quarters of it, moved by whole pixels.
 */
export function boxOf(object: SceneObject, size: number): Box {
  const cell = size / 3;
  const side = object.size === 'large' ? cell : (cell * 3) / 4;
  const room = cell - side;
  const shift = (steps: number) => Math.floor((steps * room) / 2);
  return {
    x: (object.cell % 3) * cell + shift(object.jitter[0]),
    y: Math.floor(object.cell / 3) * cell + shift(object.jitter[1]),
    w: side,
    h: side,
  };
}
