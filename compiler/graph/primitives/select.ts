/** Choice between two values, and conversion between element types. */
import type { Dtype } from '../../../plan/dtypes.ts';
import { ShapeError } from '../errors.ts';
import { elements, formatShape, sameShape } from '../shape.ts';
import type { OpOf, Primitive } from './primitive.ts';
import { toI32, toU32 } from './functions/compare.ts';
import { nameOf } from './functions/helper.ts';
import type { Helper, Width } from './functions/helper.ts';

export const select: Primitive<OpOf<'select'>> = {
  lowering: 'elementwise',
  type(_op, [condition, then, otherwise]) {
    if (condition.dtype !== 'bool') throw new ShapeError(`the condition of select is ${condition.dtype}, not bool`);
    if (then.dtype !== otherwise.dtype) throw new ShapeError(`select between ${then.dtype} and ${otherwise.dtype}`);
    const shapes = [condition, then, otherwise].map((x) => x.shape);
    if (!shapes.every((shape) => sameShape(shape, shapes[0])))
      throw new ShapeError(`select of shapes ${shapes.map(formatShape).join(', ')}, which differ`);
    return then;
  },
  gradient(c, _op, node, dy) {
    const [condition] = node.inputs;
    const { builder: b } = c;
    return [undefined, c.wanted(1) ? b.select(condition, dy, 0) : undefined, c.wanted(2) ? b.select(condition, 0, dy) : undefined];
  },
  evaluate: (_op, _node, [condition, then, otherwise]) => condition.map((yes, i) => (yes ? then[i] : otherwise[i])),
  flops: (_op, node) => elements(node.shape),
};

/** WGSL puts the value for `false` first. */
export function selectWgsl(condition: string, then: string, otherwise: string): string {
  return `select(${otherwise}, ${then}, ${condition})`;
}

export const cast: Primitive<OpOf<'cast'>> = {
  lowering: 'elementwise',
  type(_op, [x], wanted) {
    if (!wanted.dtype) throw new ShapeError('cast needs an element type');
    return { shape: x.shape, dtype: wanted.dtype };
  },
  // Between f32 and the other types there is no slope to follow.
  gradient: () => [],
  evaluate: (_op, node, [x]) => x.map((value) => convert(value, node.inputs[0].dtype, node.dtype)),
  flops: () => 0,
};

/** f32 to whole numbers truncates and saturates, NaN becomes 0; whole numbers keep their bits; bool is 0 or 1. */
function convert(value: number, from: Dtype, to: Dtype): number {
  if (to === 'bool') return value === 0 ? 0 : 1;
  if (to === 'f32') return value;
  if (from !== 'f32') return to === 'i32' ? value | 0 : value >>> 0;
  if (Number.isNaN(value)) return 0;
  const [least, most] = to === 'i32' ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  return Math.min(Math.max(Math.trunc(value), least), most);
}

/** WGSL functions that a cast calls. */
export function castHelpers(from: Dtype, to: Dtype): readonly Helper[] {
  return from !== 'f32' || (to !== 'i32' && to !== 'u32') ? [] : [to === 'i32' ? toI32 : toU32];
}

export function castWgsl(x: string, from: Dtype, to: Dtype, width: Width): string {
  if (castHelpers(from, to).length > 0) return `${nameOf(`to_${to}`, width)}(${x})`;
  return width === 1 ? `${to}(${x})` : `vec4<${to}>(${x})`;
}
