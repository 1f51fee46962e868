/**
 * Pictures of scenes. Edges are smoothed by 4 x 4 samples a pixel; ground, colours and pixels carry noise, so that the
 * colour of an object cannot be read from one pixel. Only additions, products and comparisons of doubles: the same
 * bytes on every machine.
 */
import type { Key } from '../../random.ts';
import { Random } from '../../random.ts';
import type { Picture } from '../row.ts';
import type { Scene } from './scene.ts';
import { boxOf } from './scene.ts';
import type { Shape } from './words.ts';
import { COLOUR_RGB } from './words.ts';

const SAMPLES = 4;

/** Whether the point (u, v) of the square from -1 to 1 (v downwards) belongs to the shape. */
const INSIDE: Record<Shape, (u: number, v: number) => boolean> = {
  square: () => true,
  circle: (u, v) => u * u + v * v <= 1,
  triangle: (u, v) => 2 * Math.abs(u) <= v + 1,
  cross: (u, v) => 3 * Math.abs(u) <= 1 || 3 * Math.abs(v) <= 1,
  diamond: (u, v) => Math.abs(u) + Math.abs(v) <= 1,
  ring: (u, v) => u * u + v * v <= 1 && 4 * (u * u + v * v) >= 1,
};

const masks = new Map<string, Uint8Array>();

/** How many of its 16 samples each pixel of a `side` x `side` box has inside the shape. */
export function coverage(shape: Shape, side: number): Uint8Array {
  const key = `${shape} ${side}`;
  const known = masks.get(key);
  if (known !== undefined) return known;
  const n = side * SAMPLES;
  const mask = new Uint8Array(side * side);
  for (let y = 0; y < n; y++) {
    for (let x = 0; x < n; x++) {
      if (INSIDE[shape]((2 * x + 1 - n) / n, (2 * y + 1 - n) / n)) mask[Math.floor(y / SAMPLES) * side + Math.floor(x / SAMPLES)]++;
    }
  }
  masks.set(key, mask);
  return mask;
}

/**
 * The scene as a picture of `size` x `size` pixels (a multiple of 12). Ground .4 + .06 N a cell and channel; colours
 * scaled by U(.75, 1.1) plus N(0, .08) an object and channel; pixels plus noise of deviation .08.
 */
export function renderScene(scene: Scene, size: number, noiseKey: Key, index: number): Picture {
  const random = new Random(noiseKey, index);
  const cell = size / 3;
  const light = new Float64Array(size * size * 3);
  for (let c = 0; c < 9; c++) {
    const ground = [0, 1, 2].map(() => 0.4 + 0.06 * random.normal());
    fill(light, size, (c % 3) * cell, Math.floor(c / 3) * cell, cell, ground, undefined);
  }
  for (const object of scene.objects) {
    const scale = 0.75 + 0.35 * random.uniform();
    const colour = COLOUR_RGB[object.colour].map((v) => v * scale + 0.08 * random.normal());
    const { x, y, w } = boxOf(object, size);
    fill(light, size, x, y, w, colour, coverage(object.shape, w));
  }
  const rgb = new Uint8Array(light.length);
  for (let i = 0; i < light.length; i++) {
    const level = Math.floor(255 * (light[i] + 0.08 * roughNormal(random)) + 0.5);
    rgb[i] = level < 0 ? 0 : level > 255 ? 255 : level;
  }
  return { width: size, height: size, rgb };
}

function fill(
  light: Float64Array,
  size: number,
  left: number,
  top: number,
  side: number,
  colour: number[],
  mask: Uint8Array | undefined,
): void {
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const share = mask === undefined ? 1 : mask[y * side + x] / (SAMPLES * SAMPLES);
      if (share === 0) continue;
      const at = ((top + y) * size + left + x) * 3;
      for (let c = 0; c < 3; c++) light[at + c] += share * (colour[c] - light[at + c]);
    }
  }
}

/** Sum of four random bytes, scaled to mean 0 and deviation 1: near enough to normal for noise, and a tenth of the time. */
function roughNormal(random: Random): number {
  const bits = random.bits();
  const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24);
  return (sum - 510) / 147.80054127099805;
}
