/** Random shapes for random graphs: odd extents, mostly two or three axes, below a limit of elements. */
import { elements } from '../../plan/dtypes.ts';
import type { Random } from './random.ts';

const EXTENTS = [2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 33];
const RANKS = [0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4];

export class RandomShapes {
  private readonly random: Random;
  private readonly maxElements: number;

  constructor(random: Random, maxElements: number) {
    this.random = random;
    this.maxElements = maxElements;
  }

  draw(mostAxes = 4): number[] {
    const shape: number[] = [];
    for (let rank = Math.min(this.random.pick(RANKS), mostAxes); rank > 0; rank--) shape.push(this.extent(elements(shape)));
    return shape;
  }

  /** An extent that keeps a tensor of `count` elements, once it has this axis too, well within the limit. Sometimes 1. */
  extent(count: number): number {
    const fits = EXTENTS.filter((d) => d * count <= this.maxElements / 3);
    return this.random.chance(0.1) || fits.length === 0 ? 1 : this.random.pick(fits);
  }

  /** A shape that broadcasts to `shape`: some extents 1, some leading axes missing. */
  thinned(shape: readonly number[]): number[] {
    const drop = this.random.chance(0.5) ? this.random.below(shape.length + 1) : 0;
    return shape.slice(drop).map((d) => (this.random.chance(0.3) ? 1 : d));
  }

  /** The same elements in another shape: neighbours joined, or an axis divided, or an axis of 1 added. */
  regrouped(shape: readonly number[]): number[] {
    const at = this.random.below(shape.length + 1);
    const next = [...shape];
    if (shape.length > 1 && at < shape.length - 1) next.splice(at, 2, shape[at] * shape[at + 1]);
    else if (at < shape.length && shape[at] % 2 === 0) next.splice(at, 1, 2, shape[at] / 2);
    else next.splice(at, 0, 1);
    return next;
  }
}

/** Whether `shape` broadcasts to `target` by numpy's rules. */
export function fitsInto(shape: readonly number[], target: readonly number[]): boolean {
  return shape.length <= target.length && shape.every((d, i) => d === 1 || d === target[target.length - shape.length + i]);
}
