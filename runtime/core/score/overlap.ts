/** How much of each patch of an image lies under boxes. */

import type { Box } from '../data/row.ts';

/**
 * The image of `width` x `height` pixels is cut into `grid` x `grid` equal patches, row by row. Returns for each the
 * share of its area (0..1) that the union of the boxes covers; parts of a box outside of the image count for nothing.
 */
export function coverage(boxes: readonly Box[], width: number, height: number, grid: number): Float64Array {
  const shares = new Float64Array(grid * grid);
  for (let p = 0; p < shares.length; p++) {
    const left = ((p % grid) * width) / grid;
    const top = (Math.floor(p / grid) * height) / grid;
    shares[p] = unionArea(boxes, left, top, left + width / grid, top + height / grid) / ((width / grid) * (height / grid));
  }
  return shares;
}

/**
 * The share of a map that lies where `cover` does, a patch counting by its entry there; undefined for a map that is zero
 * everywhere.
 */
export function shareOf(map: ArrayLike<number>, cover: ArrayLike<number>): number | undefined {
  let all = 0;
  let on = 0;
  for (let p = 0; p < cover.length; p++) {
    all += map[p];
    on += map[p] * cover[p];
  }
  return all > 0 ? on / all : undefined;
}

/** Area of the union of boxes inside a window: the boxes' edges cut the window into cells that are covered or not. */
function unionArea(boxes: readonly Box[], left: number, top: number, right: number, bottom: number): number {
  const inside = boxes.filter((b) => b.x < right && b.x + b.w > left && b.y < bottom && b.y + b.h > top);
  if (inside.length === 0) return 0;
  const xs = cuts(
    inside.flatMap((b) => [b.x, b.x + b.w]),
    left,
    right,
  );
  const ys = cuts(
    inside.flatMap((b) => [b.y, b.y + b.h]),
    top,
    bottom,
  );
  let area = 0;
  for (let i = 0; i + 1 < xs.length; i++) {
    for (let j = 0; j + 1 < ys.length; j++) {
      const x = (xs[i] + xs[i + 1]) / 2;
      const y = (ys[j] + ys[j + 1]) / 2;
      if (inside.some((b) => x > b.x && x < b.x + b.w && y > b.y && y < b.y + b.h)) area += (xs[i + 1] - xs[i]) * (ys[j + 1] - ys[j]);
    }
  }
  return area;
}

function cuts(edges: number[], from: number, to: number): number[] {
  return [...new Set([from, ...edges.filter((e) => e > from && e < to), to])].sort((a, b) => a - b);
}
