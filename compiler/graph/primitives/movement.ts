/**
 * Movement: the same values at other positions. Each costs no arithmetic, and inside a kernel no memory either. The
 * gradient of each is movement too, but for expand, whose gradient sums.
 */
import { ShapeError } from '../errors.ts';
import type { Node } from '../graph.ts';
import { checkShape, elements, formatShape, sameShape, stridesOf } from '../shape.ts';
import type { OpOf, Primitive, Typed, Values } from './primitive.ts';

function wantedShape(what: string, wanted: Partial<Typed>): readonly number[] {
  if (!wanted.shape) throw new ShapeError(`${what} needs a shape`);
  checkShape(wanted.shape, what);
  return wanted.shape;
}

/** Reads x at `start` plus the coordinates times `strides`; `inside` says where there is something to read. */
function gatherStrided(x: Values, shape: readonly number[], start: number, strides: readonly number[]): Values {
  const own = stridesOf(shape);
  return new Float64Array(elements(shape)).map((_, i) => {
    let from = start;
    for (let axis = 0; axis < shape.length; axis++) from += (Math.floor(i / own[axis]) % shape[axis]) * strides[axis];
    return x[from];
  });
}

export const reshape: Primitive<OpOf<'reshape'>> = {
  lowering: 'movement',
  type(_op, [x], wanted) {
    const shape = wantedShape('reshape', wanted);
    if (elements(shape) !== elements(x.shape)) {
      throw new ShapeError(
        `a tensor of shape ${formatShape(x.shape)} (${elements(x.shape)} elements) cannot take shape ` +
          `${formatShape(shape)} (${elements(shape)})`,
      );
    }
    return { shape, dtype: x.dtype };
  },
  gradient: (c, _op, node, dy) => [c.builder.reshape(dy, node.inputs[0].shape)],
  evaluate: (_op, _node, [x]) => x,
  flops: () => 0,
};

export const permute: Primitive<OpOf<'permute'>> = {
  lowering: 'movement',
  type(op, [x]) {
    const axes = [...op.order].sort((a, b) => a - b);
    if (axes.length !== x.shape.length || !axes.every((axis, i) => axis === i)) {
      throw new ShapeError(`[${op.order.join(', ')}] is no order of the axes of shape ${formatShape(x.shape)}`);
    }
    return { shape: op.order.map((axis) => x.shape[axis]), dtype: x.dtype };
  },
  gradient: (c, op, _node, dy) => [c.builder.permute(dy, inverse(op.order))],
  evaluate(op, node, [x]) {
    const strides = stridesOf(node.inputs[0].shape);
    return gatherStrided(
      x,
      node.shape,
      0,
      op.order.map((axis) => strides[axis]),
    );
  },
  flops: () => 0,
};

/** The order that undoes an order of axes. */
export function inverse(order: readonly number[]): number[] {
  return order.map((_, axis) => order.indexOf(axis));
}

export const expand: Primitive<OpOf<'expand'>> = {
  lowering: 'movement',
  type(_op, [x], wanted) {
    const shape = wantedShape('expand', wanted);
    if (shape.length !== x.shape.length || !x.shape.every((extent, axis) => extent === 1 || extent === shape[axis])) {
      throw new ShapeError(`a tensor of shape ${formatShape(x.shape)} cannot be repeated to ${formatShape(shape)}`);
    }
    return { shape, dtype: x.dtype };
  },
  gradient: (c, _op, node, dy) => [c.builder.sum(dy, expandedAxes(node), true)],
  evaluate(_op, node, [x]) {
    const from = node.inputs[0].shape;
    const strides = stridesOf(from).map((stride, axis) => (from[axis] === 1 ? 0 : stride));
    return gatherStrided(x, node.shape, 0, strides);
  },
  flops: () => 0,
};

/** Axes along which an expand repeats. */
export function expandedAxes(node: Node): number[] {
  const from = node.inputs[0].shape;
  return node.shape.map((_, axis) => axis).filter((axis) => from[axis] !== node.shape[axis]);
}

export const slice: Primitive<OpOf<'slice'>> = {
  lowering: 'movement',
  type(op, [x], wanted) {
    const shape = wantedShape('slice', wanted);
    const fits = op.start.length === x.shape.length && shape.length === x.shape.length;
    if (!fits || !op.start.every((start, axis) => Number.isInteger(start) && start >= 0 && start + shape[axis] <= x.shape[axis])) {
      throw new ShapeError(
        `a slice of ${formatShape(shape)} from [${op.start.join(', ')}] does not lie within shape ${formatShape(x.shape)}`,
      );
    }
    return { shape, dtype: x.dtype };
  },
  gradient: (c, op, node, dy) => [c.builder.pad(dy, op.start, node.inputs[0].shape)],
  evaluate(op, node, [x]) {
    const strides = stridesOf(node.inputs[0].shape);
    const start = op.start.reduce((sum, at, axis) => sum + at * strides[axis], 0);
    return gatherStrided(x, node.shape, start, strides);
  },
  flops: () => 0,
};

export const pad: Primitive<OpOf<'pad'>> = {
  lowering: 'movement',
  type(op, [x], wanted) {
    const shape = wantedShape('pad', wanted);
    const fits = op.before.length === x.shape.length && shape.length === x.shape.length;
    if (!fits || !op.before.every((before, axis) => Number.isInteger(before) && before >= 0 && before + x.shape[axis] <= shape[axis])) {
      throw new ShapeError(`shape ${formatShape(x.shape)} padded by [${op.before.join(', ')}] does not fit into ${formatShape(shape)}`);
    }
    return { shape, dtype: x.dtype };
  },
  gradient: (c, op, node, dy) => [c.builder.slice(dy, op.before, node.inputs[0].shape)],
  evaluate(op, node, [x]) {
    const result = new Float64Array(elements(node.shape));
    place(result, node.shape, op.before, x, node.inputs[0].shape);
    return result;
  },
  flops: () => 0,
};

export const concat: Primitive<OpOf<'concat'>> = {
  lowering: 'movement',
  type(op, inputs) {
    const [first] = inputs;
    if (!first || op.axis < 0 || op.axis >= first.shape.length)
      throw new ShapeError(`concat along axis ${op.axis} of ${first ? formatShape(first.shape) : 'nothing'}`);
    for (const x of inputs) {
      const aligned = x.shape.map((extent, axis) => (axis === op.axis ? first.shape[axis] : extent));
      if (!sameShape(aligned, first.shape))
        throw new ShapeError(`concat of shapes ${formatShape(first.shape)} and ${formatShape(x.shape)} along axis ${op.axis}`);
      if (x.dtype !== first.dtype) throw new ShapeError(`concat of ${first.dtype} and ${x.dtype}`);
    }
    const extent = inputs.reduce((sum, x) => sum + x.shape[op.axis], 0);
    return { shape: first.shape.map((d, axis) => (axis === op.axis ? extent : d)), dtype: first.dtype };
  },
  gradient: (c, op, node, dy) =>
    starts(op, node).map((start, i) => (c.wanted(i) ? c.builder.slice(dy, start, node.inputs[i].shape) : undefined)),
  evaluate(op, node, inputs) {
    const result = new Float64Array(elements(node.shape));
    starts(op, node).forEach((start, i) => place(result, node.shape, start, inputs[i], node.inputs[i].shape));
    return result;
  },
  flops: () => 0,
};

/** Where each part of a concat begins in the result. */
function starts(op: OpOf<'concat'>, node: Node): number[][] {
  let at = 0;
  return node.inputs.map((x) => {
    const start = node.shape.map((_, axis) => (axis === op.axis ? at : 0));
    at += x.shape[op.axis];
    return start;
  });
}

/** Writes `part` into `whole` with its first element at `start`. */
function place(whole: Values, shape: readonly number[], start: readonly number[], part: Values, partShape: readonly number[]): void {
  const [to, from] = [stridesOf(shape), stridesOf(partShape)];
  part.forEach((value, i) => {
    let at = 0;
    for (let axis = 0; axis < shape.length; axis++) at += ((Math.floor(i / from[axis]) % partShape[axis]) + start[axis]) * to[axis];
    whole[at] = value;
  });
}
