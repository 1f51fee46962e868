/**
 * Classes for probes.
 *
 * `scenes.objects` labels a picture with its main object: the only large one, among one to three small ones, wherever
 * it stands. So pictures look like those of training, and a linear map on pooled features finds the class only where the
 * encoder has bound size, colour and shape together; colours counted over the picture do not give it away.
 *
 * `scenes.masks` labels each patch with the object that covers the largest part of it, or `ground` where none covers a
 * quarter.
 */
import type { Scene, SceneObject } from './scene.ts';
import { boxOf } from './scene.ts';
import { coverage } from './render.ts';
import { COLOURS, SHAPES } from './words.ts';

export const CLASS_ATTRIBUTES = ['shape', 'colour', 'shape-colour'] as const;
export type ClassAttribute = (typeof CLASS_ATTRIBUTES)[number];

/** Names of the classes of `scenes.objects`, by label. Those of `scenes.masks` are `ground` and then these. */
export function sceneClasses(attribute: ClassAttribute): string[] {
  if (attribute === 'shape') return [...SHAPES];
  if (attribute === 'colour') return [...COLOURS];
  return SHAPES.flatMap((shape) => COLOURS.map((colour) => `${colour} ${shape}`));
}

/** The label of an object, an index into `sceneClasses`. */
export function classOf(object: SceneObject, attribute: ClassAttribute): number {
  if (attribute === 'shape') return SHAPES.indexOf(object.shape);
  if (attribute === 'colour') return COLOURS.indexOf(object.colour);
  return SHAPES.indexOf(object.shape) * COLOURS.length + COLOURS.indexOf(object.colour);
}

/** The large object of a scene that was drawn with `main`. */
export function mainObject(scene: Scene): SceneObject {
  const main = scene.objects.find((o) => o.size === 'large');
  if (main === undefined) throw new Error('a scene without a large object was not drawn with `main`');
  return main;
}

/** A label for each patch of `patch` pixels, row by row: 0 is ground, 1 + class otherwise. */
export function patchClasses(scene: Scene, size: number, patch: number, attribute: ClassAttribute): Uint8Array {
  const across = size / patch;
  const labels = new Uint8Array(across * across);
  // Samples of a pixel are 16; a quarter of a patch is 4 a pixel. An equal share goes to the object read first.
  const most = new Uint32Array(labels.length).fill(4 * patch * patch - 1);
  for (const object of scene.objects) {
    const { x: left, y: top, w: side } = boxOf(object, size);
    const mask = coverage(object.shape, side);
    const covered = new Uint32Array(labels.length);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) covered[Math.floor((top + y) / patch) * across + Math.floor((left + x) / patch)] += mask[y * side + x];
    }
    for (let i = 0; i < labels.length; i++) {
      if (covered[i] > most[i]) {
        most[i] = covered[i];
        labels[i] = 1 + classOf(object, attribute);
      }
    }
  }
  return labels;
}
