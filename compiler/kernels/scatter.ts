/**
 * `scatter`: row v of the result is the sum of the values whose index is v. The host lists their positions by value
 * (`order`, and where each value's list begins), so a thread adds up its four columns of one row in a fixed order, without
 * atomics.
 */
import { elements } from '../../plan/dtypes.ts';
import { GraphFault } from '../graph/errors.ts';
import type { Node } from '../graph/graph.ts';
import type { Width } from '../graph/primitives/functions/helper.ts';
import { elementwiseFlops, labelOf } from './cost.ts';
import { line } from './grid.ts';
import { unflatten } from './index/coordinates.ts';
import { add, div, lane, mod, plus, scale, variable } from './index/expression.ts';
import type { Kernel } from './kernel.ts';
import { build } from './module.ts';
import type { Job } from './module.ts';
import { literal, typeName } from './wgsl.ts';

export function scatter(job: Job): Kernel[] {
  const { group, target } = job;
  const core = group.core;
  if (core?.op.kind !== 'scatter_add') throw new GraphFault('a scatter group has no scatter_add');
  const [values] = core.inputs;
  const index = listed(core.inputs[1]);
  const [rows, ...rest] = core.shape;
  const lead = core.inputs[1].shape;
  const positions = elements(lead);
  const length = elements(rest);
  const width: Width = length % 4 === 0 ? 4 : 1;
  const units = length / width;
  const threads = target.name === 'software' ? (target.subgroup ?? 8) : 64;
  const total = rows * units;
  const grid = line(Math.ceil(total / threads), target);
  const frame = { threads, workgroups: grid.workgroups, label: labelOf(group), flops: elementwiseFlops(group) };
  const kernel = build(job, frame, (e) => {
    const { writer } = e;
    writer.line(`let q = ${grid.number} * ${threads}u + lid;`);
    if (!grid.exact || total % threads !== 0) writer.line(`if (q >= ${total}u) { return; }`);
    const unit = variable('q', total - 1, 0);
    const row = div(unit, units);
    const column = width === 4 ? add(scale(mod(unit, units), 4), lane) : mod(unit, units);
    const begin = e.load({ derived: 'offsets', index, rows }, row).text;
    const end = e.load({ derived: 'offsets', index, rows }, plus(row, 1)).text;
    const type = typeName(core.dtype, width);
    writer.line(`var sum = ${type}(${literal(0, core.dtype)});`);
    writer.open(`for (var p = ${begin}; p < ${end}; p++)`);
    const place = e.load({ derived: 'order', index, rows }, variable('p', positions - 1, writer.depth));
    const from = variable(place.text, positions - 1, place.depth);
    const value = e.value(values, [...unflatten(from, lead), ...unflatten(column, rest)]);
    writer.line(`sum += ${e.widened(value, width)};`);
    writer.close();
    e.store(core, add(scale(row, length), column), { text: 'sum', width, dtype: core.dtype, depth: 0 });
  });
  return [kernel];
}

/** The input whose positions the host lists: the index itself, or what it is a reshape of. */
function listed(index: Node): Node {
  return index.op.kind === 'reshape' ? listed(index.inputs[0]) : index;
}
