/**
 * `map`: every output element is an expression of its position. The space is walked flat, four elements at a time where
 * their number allows, so that elementwise work over whole tensors is aligned vectors whatever the shapes.
 */
import { elements } from '../../plan/dtypes.ts';
import { line } from './grid.ts';
import { unflatten } from './index/coordinates.ts';
import { add, lane, scale, variable } from './index/expression.ts';
import type { Kernel, KernelTarget } from './kernel.ts';
import { build } from './module.ts';
import type { Job } from './module.ts';
import { elementwiseFlops, labelOf } from './cost.ts';

export function map(job: Job): Kernel[] {
  const { group, target } = job;
  const total = elements(group.space);
  const width = total % 4 === 0 ? 4 : 1;
  const units = total / width;
  const { threads, each } = shapeOf(target, units);
  const grid = line(Math.ceil(units / (threads * each)), target);
  const full = grid.exact && units % (threads * each) === 0;
  const frame = { threads, workgroups: grid.workgroups, label: labelOf(group), flops: elementwiseFlops(group) };
  const kernel = build(job, frame, (e) => {
    const { writer } = e;
    const first = each === 1 ? `${grid.number} * ${threads}u + lid` : `${grid.number} * ${threads * each}u + lid`;
    if (each > 1) {
      e.loop('n', each);
      writer.line(`let q = ${first} + n * ${threads}u;`);
    } else {
      writer.line(`let q = ${first};`);
    }
    if (!full) writer.open(`if (q < ${units}u)`);
    const unit = variable('q', units - 1, writer.depth);
    const flat = width === 4 ? add(scale(unit, 4), lane) : unit;
    const coordinates = unflatten(flat, group.space);
    // All values before the first store: an output may take the place of what another one reads.
    const values = group.outputs.map((node) => e.value(node, coordinates));
    group.outputs.forEach((node, i) => e.store(node, flat, values[i]));
    if (!full) writer.close();
    if (each > 1) writer.close();
  });
  return [kernel];
}

/** Threads of a workgroup and units that each thread handles. */
function shapeOf(target: KernelTarget, units: number): { threads: number; each: number } {
  if (target.name === 'software') {
    // A workgroup costs a software driver about as much as a few hundred elements; its few cores need few of them.
    const threads = target.subgroup ?? 8;
    return { threads, each: Math.min(64, Math.max(1, Math.ceil(units / (threads * 64)))) };
  }
  const threads = target.name === 'gpu' ? 256 : 64;
  return { threads, each: 1 };
}
