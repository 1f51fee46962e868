/**
 * `product`: one contract of any layout, with elementwise work on its result. shape.ts finds the matrix product in it;
 * tile.ts (a thread's or a subgroup's tile) and workgroup.ts (a tile in workgroup memory) write the sum over K;
 * epilogue.ts the rest. This file chooses between them and sizes the tiles.
 */
import { elements } from '../../../plan/dtypes.ts';
import { GraphFault } from '../../graph/errors.ts';
import { elementwiseFlops, labelOf } from '../cost.ts';
import { line } from '../grid.ts';
import { unflatten } from '../index/coordinates.ts';
import { add, div, lane, mod, scale, variable } from '../index/expression.ts';
import type { Index } from '../index/expression.ts';
import type { Kernel, ScratchBinding } from '../kernel.ts';
import { build } from '../module.ts';
import type { Job } from '../module.ts';
import { epilogue, resultSize, storePartial } from './epilogue.ts';
import { shapeOf } from './shape.ts';
import type { ProductShape } from './shape.ts';
import { accumulate as accumulateTile } from './tile.ts';
import { accumulate as accumulateWorkgroup, DEPTH, placeOf, sharedOf, threadsOf } from './workgroup.ts';

export function product(job: Job): Kernel[] {
  const { group, target } = job;
  if (!group.core) throw new GraphFault('a product group has no contract');
  const reads = new Set(group.reads);
  const shape = shapeOf(group.core, (node) => reads.has(node));
  if (target.name === 'software') return [broadcastTiles(job, shape, target.subgroup ?? 8)];
  return target.name === 'portable' ? [registerTiles(job, shape)] : workgroupTiles(job, shape);
}

/** Position of a workgroup in the grid of tiles: columns fastest, then rows, then the batch. */
function tilesOf(number: Index, across: number, down: number): { x: Index; y: Index; z: Index } {
  return { x: mod(number, across), y: mod(div(number, across), down), z: div(number, across * down) };
}

function broadcastTiles(job: Job, shape: ProductShape, lanes: number): Kernel {
  const { group, target } = job;
  const rows = rowsOf(shape, lanes);
  const across = Math.ceil(shape.n / (4 * lanes));
  const down = Math.ceil(shape.m / rows);
  const count = across * down * shape.batch;
  const grid = line(count, target);
  const frame = { threads: lanes, workgroups: grid.workgroups, subgroup: true, label: labelOf(group), flops: elementwiseFlops(group) };
  return build(job, frame, (e) => {
    e.writer.line(...grid.stop, `let w = ${grid.number};`);
    const { x, y, z } = tilesOf(variable('w', count - 1, 0), across, down);
    const lid = variable('lid', lanes - 1, 0);
    const place = { batch: z, row: scale(y, rows), columns: add(scale(x, lanes), lid) };
    const names = accumulateTile(e, shape, { ...place, rows, sharing: { lanes, lid } });
    epilogue(e, job, shape, { ...place, names });
  });
}

/**
 * Rows of a subgroup's tile. More rows use the loads of B better: 32 pay for their longer compilation in long sums, 16 in
 * all others; there are fewer where there would be too few tiles, or rows.
 */
function rowsOf(shape: ProductShape, lanes: number): number {
  const across = Math.ceil(shape.n / (4 * lanes)) * shape.batch;
  const tiles = (rows: number): number => across * Math.ceil(shape.m / rows);
  let rows = lanes >= 8 && shape.k >= 512 && tiles(32) >= 32 ? 32 : 16;
  while (rows > 4 && (rows >= 2 * shape.m || tiles(rows) < 8)) rows /= 2;
  return Math.min(rows, shape.m);
}

function registerTiles(job: Job, shape: ProductShape): Kernel {
  const { group, target } = job;
  const rows = Math.min(4, shape.m);
  // A workgroup is a square of 8 by 8 threads, flatter where there are fewer rows.
  const down = Math.min(8, 2 ** Math.ceil(Math.log2(Math.ceil(shape.m / rows))));
  const wide = 64 / down;
  const [tilesN, tilesM] = [Math.ceil(shape.n / (4 * wide)), Math.ceil(shape.m / (rows * down))];
  const count = tilesN * tilesM * shape.batch;
  const grid = line(count, target);
  const frame = { threads: 64, workgroups: grid.workgroups, label: labelOf(group), flops: elementwiseFlops(group) };
  return build(job, frame, (e) => {
    e.writer.line(...grid.stop, `let w = ${grid.number};`);
    const { x, y, z } = tilesOf(variable('w', count - 1, 0), tilesN, tilesM);
    const lid = variable('lid', 63, 0);
    const place = { batch: z, row: scale(add(scale(y, down), div(lid, wide)), rows), columns: add(scale(x, wide), mod(lid, wide)) };
    const names = accumulateTile(e, shape, { ...place, rows });
    epilogue(e, job, shape, { ...place, names });
  });
}

/** Workgroups that a GPU should have to be busy. */
const BUSY = 256;

function workgroupTiles(job: Job, shape: ProductShape): Kernel[] {
  const { group, target } = job;
  const tiles = (size: number) => Math.ceil(shape.m / size) * Math.ceil(shape.n / size) * shape.batch;
  const size = tiles(64) >= BUSY ? 64 : 32;
  const steps = Math.ceil(shape.k / DEPTH);
  // Long sums with few tiles are cut along K; each part is at least 16 steps long.
  const parts = Math.max(1, Math.min(Math.floor(BUSY / tiles(size)), Math.floor(steps / 16), 32));
  const each = Math.ceil(steps / parts);
  const [tilesN, tilesM] = [Math.ceil(shape.n / size), Math.ceil(shape.m / size)];
  const count = tiles(size) * parts;
  const grid = line(count, target);
  const scratch: ScratchBinding = { scratch: 'parts', shape: [parts, shape.batch, shape.m, shape.n], dtype: 'f32' };
  const frame = {
    threads: threadsOf(size),
    workgroups: grid.workgroups,
    shared: sharedOf(size),
    label: labelOf(group),
    flops: elementwiseFlops(group),
  };
  const first = build(job, frame, (e) => {
    e.writer.line(...grid.stop, `let w = ${grid.number};`);
    const { x, y, z } = tilesOf(variable('w', count - 1, 0), tilesN, tilesM);
    const [batch, part] = [mod(z, shape.batch), div(z, shape.batch)];
    const tile = { batch, tileM: y, tileN: x, size, firstStep: scale(part, each), steps: each };
    const names = accumulateWorkgroup(e, shape, tile);
    const accumulators = { batch, ...placeOf(tile), names };
    if (parts === 1) epilogue(e, job, shape, accumulators);
    else storePartial(e, shape, scratch, part, accumulators);
  });
  return parts === 1 ? [first] : [first, addParts(job, shape, scratch)];
}

/** Adds the parts of a sum that was cut along K, and does the rest of the group's work. */
function addParts(job: Job, shape: ProductShape, scratch: ScratchBinding): Kernel {
  const { group, target } = job;
  const [parts] = scratch.shape;
  const width = shape.n % 4 === 0 ? 4 : 1;
  const units = resultSize(shape) / width;
  const grid = line(Math.ceil(units / 64), target);
  const frame = { threads: 64, workgroups: grid.workgroups, label: labelOf(group), flops: parts * elements(shape.core.shape) };
  return build(job, frame, (e) => {
    const { writer } = e;
    writer.line(`let q = ${grid.number} * 64u + lid;`);
    if (!grid.exact || units % 64 !== 0) writer.line(`if (q >= ${units}u) { return; }`);
    const unit = variable('q', units - 1, 0);
    const flat = width === 4 ? add(scale(unit, 4), lane) : unit;
    writer.line(`var sum = ${width === 4 ? 'vec4<f32>(0f)' : '0f'};`);
    const from = scale(e.loop('j', parts), resultSize(shape));
    writer.line(`sum += ${e.load(scratch, add(from, flat)).text};`);
    writer.close();
    const [batch, m, n] = unflatten(flat, [shape.batch, shape.m, shape.n]);
    const coordinates = shape.atOut(batch, m, n);
    e.know(shape.core, coordinates, { text: 'sum', width, dtype: 'f32', depth: 0 });
    const values = group.outputs.map((node) => e.value(node, coordinates));
    group.outputs.forEach((node, i) => e.storeAt(node, coordinates, values[i]));
  });
}
