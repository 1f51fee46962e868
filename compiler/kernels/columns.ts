/**
 * `columns`: reductions over the leading axes. A thread goes down a chunk of the rows for four neighbouring columns; where
 * that would leave too few threads, the chunks' results go to scratch memory and a second kernel puts them together, in
 * a fixed order.
 */
import { elements } from '../../plan/dtypes.ts';
import type { StoredDtype } from '../../plan/dtypes.ts';
import { GraphFault } from '../graph/errors.ts';
import type { Node } from '../graph/graph.ts';
import type { Width } from '../graph/primitives/functions/helper.ts';
import { elementwiseFlops, labelOf } from './cost.ts';
import type { Emitter } from './expression.ts';
import { line } from './grid.ts';
import { unflatten } from './index/coordinates.ts';
import { add, div, lane, mod, scale, variable } from './index/expression.ts';
import type { Index } from './index/expression.ts';
import type { Kernel, KernelTarget, ScratchBinding } from './kernel.ts';
import { build } from './module.ts';
import type { Job } from './module.ts';
import { reduceOf } from './rows.ts';
import { combine, identity } from './reduction.ts';
import { typeName } from './wgsl.ts';

export function columns(job: Job): Kernel[] {
  const { group, target } = job;
  const leading = group.space.slice(0, group.reduced);
  const kept = group.space.slice(group.reduced);
  const [count, length] = [elements(leading), elements(kept)];
  const width: Width = length % 4 === 0 ? 4 : 1;
  const units = length / width;
  const chunk = chunkOf(target, count, units);
  const chunks = Math.ceil(count / chunk);
  const partial = (node: Node, i: number): ScratchBinding => ({ scratch: `partial${i}`, shape: [chunks, length], dtype: storedOf(node) });

  const first = pass(job, chunks * units, elementwiseFlops(group), (e, unit) => {
    const { writer } = e;
    const part = div(unit, units);
    const column = width === 4 ? add(scale(mod(unit, units), 4), lane) : mod(unit, units);
    const start = scale(part, chunk);
    const sums = accumulators(e, group.reduces, width);
    const whole = count % chunk === 0;
    const step = e.loop('j', chunk);
    const row = whole ? add(start, step) : variable('row', count - 1, writer.depth);
    if (!whole) {
      e.writer.line(`let row = ${e.position(add(start, step))};`, `if (row >= ${count}u) { break; }`);
    }
    const coordinates = [...unflatten(row, leading), ...unflatten(column, kept)];
    for (const { node, name, fn } of sums) {
      writer.line(`${name} = ${combine(e, fn, node.dtype, width, name, e.widened(e.value(node.inputs[0], coordinates), width))};`);
    }
    writer.close();
    sums.forEach(({ node, name }, i) => {
      const target_ = chunks === 1 ? node : partial(node, i);
      const at = chunks === 1 ? column : add(scale(part, length), column);
      e.store(target_, at, { text: name, width, dtype: node.dtype, depth: 0 });
    });
  });
  if (chunks === 1) return [first];

  const second = pass(job, units, chunks * length * group.reduces.length, (e, unit) => {
    const { writer } = e;
    const column = width === 4 ? add(scale(unit, 4), lane) : unit;
    const sums = accumulators(e, group.reduces, width);
    const at = add(scale(e.loop('j', chunks), length), column);
    sums.forEach(({ node, name, fn }, i) =>
      writer.line(`${name} = ${combine(e, fn, node.dtype, width, name, e.load(partial(node, i), at).text)};`),
    );
    writer.close();
    for (const { node, name } of sums) e.store(node, column, { text: name, width, dtype: node.dtype, depth: 0 });
  });
  return [first, second];
}

/** One thread for each unit, numbered `q`. */
function pass(job: Job, units: number, flops: number, body: (e: Emitter, unit: Index) => void): Kernel {
  const threads = job.target.name === 'software' ? (job.target.subgroup ?? 8) : 64;
  const grid = line(Math.ceil(units / threads), job.target);
  return build(job, { threads, workgroups: grid.workgroups, label: labelOf(job.group), flops }, (e) => {
    e.writer.line(`let q = ${grid.number} * ${threads}u + lid;`);
    if (!grid.exact || units % threads !== 0) e.writer.line(`if (q >= ${units}u) { return; }`);
    body(e, variable('q', units - 1, 0));
  });
}

function accumulators(e: Emitter, reduces: readonly Node[], width: Width): { node: Node; name: string; fn: 'sum' | 'max' }[] {
  return reduces.map((node) => {
    const { fn } = reduceOf(node);
    const name = e.writer.name('a');
    e.writer.line(`var ${name} = ${typeName(node.dtype, width)}(${identity(fn, node.dtype)});`);
    return { node, name, fn };
  });
}

/** Rows that one thread goes down. */
function chunkOf(target: KernelTarget, count: number, units: number): number {
  // Enough threads to fill the device, and no chunk so short that writing it down costs more than it saves.
  const enough = target.name === 'gpu' ? 16384 : 512;
  const chunks = Math.min(Math.ceil(enough / units), Math.ceil(count / 16), Math.ceil(Math.sqrt(count) * 2));
  return Math.ceil(count / Math.max(1, chunks));
}

function storedOf(node: Node): StoredDtype {
  if (node.dtype === 'bool') throw new GraphFault(`node ${node.id}: a bool is not reduced`);
  return node.dtype;
}
