/**
 * The tile of a workgroup, for GPUs: 256 threads bring tiles of A and B into workgroup memory, step by step along K, and
 * each multiplies its rows and columns from there. Both tiles lie as vectors of four rows or columns, whatever the layout
 * of the operands, so that the inner loop reads whole vectors.
 */
import type { Emitter } from '../expression.ts';
import { add, confine, div, inRange, lane, mod, plus, scale, variable } from '../index/expression.ts';
import type { Index } from '../index/expression.ts';
import type { Node } from '../../graph/graph.ts';
import type { Coordinates } from '../index/coordinates.ts';
import type { Along, ProductShape } from './shape.ts';

export interface WorkgroupTile {
  batch: Index;
  /** Numbers of the tile along M and N. */
  tileM: Index;
  tileN: Index;
  /** Extent of a tile along M and N: four for each of the threads along that side. */
  size: number;
  /** First step of K of this workgroup, as a multiple of `DEPTH`, and how many. */
  firstStep: Index;
  steps: number;
}

/** Extent of a tile along K. */
export const DEPTH = 16;

export function threadsOf(size: number): number {
  return (size / 4) ** 2;
}

export function sharedOf(size: number): string[] {
  const vectors = (DEPTH * size) / 4;
  return [`var<workgroup> tile_a: array<vec4<f32>, ${vectors}>;`, `var<workgroup> tile_b: array<vec4<f32>, ${vectors}>;`];
}

/** Where the thread's four rows and four columns begin. */
export function placeOf(tile: WorkgroupTile): { row: Index; columns: Index } {
  const side = tile.size / 4;
  const lid = variable('lid', side * side - 1, 0);
  return { row: scale(add(scale(tile.tileM, side), div(lid, side)), 4), columns: add(scale(tile.tileN, side), mod(lid, side)) };
}

/** Writes the loop over K; the names of the four accumulators. */
export function accumulate(e: Emitter, shape: ProductShape, tile: WorkgroupTile): string[] {
  const { writer } = e;
  const side = tile.size / 4;
  const lid = variable('lid', side * side - 1, 0);
  const names = Array.from({ length: 4 }, () => writer.name('c'));
  for (const name of names) writer.line(`var ${name} = vec4<f32>(0f);`);
  const first = scale(add(tile.firstStep, e.loop('s', tile.steps)), DEPTH);
  fill(e, 'tile_a', shape.a, shape.aAlong, scale(tile.tileM, tile.size), shape.m, first, shape.k, tile.size, lid, (i, k) =>
    shape.atA(tile.batch, i, k),
  );
  fill(e, 'tile_b', shape.b, shape.bAlong, scale(tile.tileN, tile.size), shape.n, first, shape.k, tile.size, lid, (i, k) =>
    shape.atB(tile.batch, i, k),
  );
  writer.line('workgroupBarrier();');
  // Each tile's sum is added to the whole at its end: two short chains of additions round less than a long one.
  const parts = names.map(() => writer.name('p'));
  for (const part of parts) writer.line(`var ${part} = vec4<f32>(0f);`);
  e.loop('k', DEPTH);
  writer.line(
    `let a = tile_a[k * ${side}u + ${e.position(div(lid, side))}];`,
    `let b = tile_b[k * ${side}u + ${e.position(mod(lid, side))}];`,
  );
  parts.forEach((part, r) => writer.line(`${part} += a.${'xyzw'[r]} * b;`));
  writer.close();
  names.forEach((name, r) => writer.line(`${name} += ${parts[r]};`));
  writer.line('workgroupBarrier();');
  writer.close();
  return names;
}

/** Brings DEPTH by `size` elements of an operand into workgroup memory, as vectors along the outer axis. */
function fill(
  e: Emitter,
  name: string,
  node: Node,
  along: Along,
  outer: Index,
  extent: number,
  first: Index,
  depth: number,
  size: number,
  lid: Index,
  at: (i: Index, k: Index) => Coordinates,
): void {
  const { writer } = e;
  const side = size / 4;
  const threads = side * side;
  const vectors = (DEPTH * size) / 4;
  for (let done = 0; done < vectors; done += threads) {
    const t = plus(lid, done);
    if (along === 'k') {
      // Four of K at one row or column; they go to four vectors.
      const within = div(t, DEPTH / 4);
      const block = mod(t, DEPTH / 4);
      const i = add(outer, within);
      const k = add(first, scale(block, 4));
      const value = e.value(node, at(confine(i, extent - 1), confine(add(k, lane), depth - 1)));
      const text = zeroed(e, e.widened(value, 4), k, depth);
      const component = e.position(mod(within, 4));
      for (let kk = 0; kk < 4; kk++) {
        writer.line(
          `${name}[${e.position(add(scale(plus(scale(block, 4), kk), side), div(within, 4)))}][${component}] = ${text}.${'xyzw'[kk]};`,
        );
      }
    } else {
      const within = mod(t, side);
      const row = div(t, side);
      const i = confine(add(outer, scale(within, 4), lane), extent - 1);
      const k = add(first, row);
      const value = e.value(node, at(i, confine(k, depth - 1)));
      writer.line(`${name}[${e.position(t)}] = ${zeroed(e, e.widened(value, 4), k, depth)};`);
    }
  }
}

/** Zeros beyond the end of K. Rows and columns beyond theirs need none: they are not stored. */
function zeroed(e: Emitter, text: string, k: Index, depth: number): string {
  const test = inRange(k, depth);
  if (test === false) return 'vec4<f32>(0f)';
  return typeof test === 'object' ? e.writer.define(`select(vec4<f32>(0f), ${text}, ${e.test(test).text})`, e.writer.depth) : text;
}
