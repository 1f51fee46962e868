/** Sums and maxima over axes. */
import type { GraphBuilder } from '../builder.ts';
import { ShapeError } from '../errors.ts';
import type { Node, ReduceFn } from '../graph.ts';
import { elements, formatShape, stridesOf } from '../shape.ts';
import type { OpOf, Primitive } from './primitive.ts';

export const REDUCE: Record<ReduceFn, { start: number; step(total: number, x: number): number }> = {
  sum: { start: 0, step: (total, x) => total + x },
  max: { start: -Infinity, step: Math.max },
};

export const reduce: Primitive<OpOf<'reduce'>> = {
  lowering: 'reduce',
  type(op, [x]) {
    if (x.dtype === 'bool') throw new ShapeError(`${op.fn} over axes takes numbers, not bool`, 'Cast to f32 first.');
    const ascending = op.axes.every((axis, i) => Number.isInteger(axis) && axis > (i ? op.axes[i - 1] : -1) && axis < x.shape.length);
    if (!ascending || op.axes.length === 0)
      throw new ShapeError(`${op.fn} over axes [${op.axes.join(', ')}] of a tensor of shape ${formatShape(x.shape)}`);
    return { shape: x.shape.filter((_, axis) => !op.axes.includes(axis)), dtype: x.dtype };
  },
  gradient(c, op, node, dy) {
    const b = c.builder;
    const [x] = node.inputs;
    const spread = (y: Node) => back(b, y, x.shape, op.axes);
    if (op.fn === 'sum') return [spread(dy)];
    // Equal among those that attain the maximum; none does where it is NaN, and the gradient is NaN then.
    const attained = b.cast(b.equal(x, spread(node)), 'f32');
    const share = b.div(dy, b.sum(attained, op.axes));
    return [b.mul(attained, spread(share))];
  },
  evaluate(op, node, [x]) {
    const { start, step } = REDUCE[op.fn];
    const { shape } = node.inputs[0];
    const kept = stridesOf(node.shape);
    const strides = new Array<number>(shape.length).fill(0);
    shape
      .map((_, axis) => axis)
      .filter((axis) => !op.axes.includes(axis))
      .forEach((axis, i) => (strides[axis] = kept[i]));
    const from = stridesOf(shape);
    const result = new Float64Array(elements(node.shape)).fill(start);
    for (let i = 0; i < x.length; i++) {
      let to = 0;
      for (let axis = 0; axis < shape.length; axis++) to += (Math.floor(i / from[axis]) % shape[axis]) * strides[axis];
      result[to] = step(result[to], x[i]);
    }
    return result;
  },
  flops: (_op, node) => elements(node.inputs[0].shape),
};

/** A reduced tensor repeated along the axes that it lost. */
function back(b: GraphBuilder, y: Node, shape: readonly number[], axes: readonly number[]): Node {
  const ones = shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  return b.expand(b.reshape(y, ones), shape);
}
