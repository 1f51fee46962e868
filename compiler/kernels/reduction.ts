/** One step of a sum or of a maximum, as WGSL. A maximum is NaN where a value is, and minus infinity where all are. */
import type { Dtype } from '../../plan/dtypes.ts';
import type { ReduceFn } from '../graph/graph.ts';
import { max } from '../graph/primitives/functions/compare.ts';
import { nameOf, textsOf } from '../graph/primitives/functions/helper.ts';
import type { Width } from '../graph/primitives/functions/helper.ts';
import type { Emitter } from './expression.ts';
import { hidden, literal } from './wgsl.ts';

/** The value that a reduction begins with. */
export function identity(fn: ReduceFn, dtype: Dtype): string {
  if (fn === 'sum') return literal(0, dtype);
  return dtype === 'f32' ? hidden(-Infinity) : literal(dtype === 'i32' ? -(2 ** 31) : 0, dtype);
}

/** Two values of the given width brought together. */
export function combine(e: Emitter, fn: ReduceFn, dtype: Dtype, width: Width, x: string, y: string): string {
  if (fn === 'sum') return `${x} + ${y}`;
  if (dtype !== 'f32') return `max(${x}, ${y})`;
  for (const text of textsOf([max], width)) e.helper(text);
  return `${nameOf('max', width)}(${x}, ${y})`;
}

/** The four values of a vector brought together. */
export function horizontal(e: Emitter, fn: ReduceFn, dtype: Dtype, x: string): string {
  const two = (a: string, b: string) => combine(e, fn, dtype, 1, a, b);
  return fn === 'sum' ? `(${x}.x + ${x}.y) + (${x}.z + ${x}.w)` : two(two(`${x}.x`, `${x}.y`), two(`${x}.z`, `${x}.w`));
}

/** The values of all lanes of a subgroup brought together; `own` is a name. */
export function acrossSubgroup(e: Emitter, fn: ReduceFn, dtype: Dtype, own: string): string {
  if (fn === 'sum') return `subgroupAdd(${own})`;
  if (dtype !== 'f32') return `subgroupMax(${own})`;
  const worst = e.writer.define(`subgroupMax(bitcast<u32>(${own}) & 0x7fffffffu)`, 0, 'w');
  return `select(subgroupMax(${own}), bitcast<f32>(${worst}), ${worst} > 0x7f800000u)`;
}
