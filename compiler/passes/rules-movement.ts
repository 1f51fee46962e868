/** Rules of movement; all exact. */
import type { GraphBuilder } from '../graph/builder.ts';
import type { Node } from '../graph/graph.ts';
import { sameShape } from '../graph/shape.ts';
import type { Rule } from './algebra.ts';
import { repeat, uniformSource } from './uniform.ts';

export const movementRules = {
  /** However one value was moved about: it is repeated over the last shape. */
  uniform({ b }, node) {
    if (!['reshape', 'expand', 'permute', 'slice'].includes(node.op.kind)) return undefined;
    const source = uniformSource(node);
    return source ? repeat(b, source, node.shape) : undefined;
  },

  /** Movement that moves nothing. */
  nothing(_c, node) {
    const [x] = node.inputs;
    if (node.op.kind === 'permute') return node.op.order.every((from, to) => from === to) ? x : undefined;
    return ['reshape', 'expand', 'slice', 'pad'].includes(node.op.kind) && !isAgain(node) && sameShape(x.shape, node.shape) ? x : undefined;
  },

  /** Two reshapes, permutes, expands, slices or pads in a row are one. */
  twice({ b }, node) {
    const [x] = node.inputs;
    if (!x || x.op.kind !== node.op.kind || isAgain(x) || isAgain(node)) return undefined;
    const [source] = x.inputs;
    const { op } = node;
    if (op.kind === 'reshape') return b.reshape(source, node.shape);
    if (op.kind === 'expand') return b.expand(source, node.shape);
    if (op.kind === 'permute' && x.op.kind === 'permute') {
      const { order } = x.op;
      return b.permute(
        source,
        op.order.map((axis) => order[axis]),
      );
    }
    if (op.kind === 'slice' && x.op.kind === 'slice') return b.slice(source, plus(op.start, x.op.start), node.shape);
    if (op.kind === 'pad' && x.op.kind === 'pad') return b.pad(source, plus(op.before, x.op.before), node.shape);
    return undefined;
  },

  /** A permute that only moves axes of extent 1 is a reshape. */
  permuteOfOnes({ b }, node) {
    if (node.op.kind !== 'permute') return undefined;
    const [x] = node.inputs;
    const long = node.op.order.filter((axis) => x.shape[axis] > 1);
    return long.every((axis, i) => i === 0 || axis > long[i - 1]) ? b.reshape(x, node.shape) : undefined;
  },

  /** A slice of padding is a slice of what was padded, if it does not touch the zeros. */
  sliceOfPad({ b }, node) {
    const [x] = node.inputs;
    if (node.op.kind !== 'slice' || x.op.kind !== 'pad') return undefined;
    const { before } = x.op;
    const start = node.op.start.map((at, axis) => at - before[axis]);
    return sliceInside(b, x.inputs[0], start, node.shape);
  },

  /** A slice of a concat that lies within one part. */
  sliceOfConcat({ b }, node) {
    const [x] = node.inputs;
    if (node.op.kind !== 'slice' || x.op.kind !== 'concat') return undefined;
    const { axis } = x.op;
    const start = [...node.op.start];
    for (const part of x.inputs) {
      const inside = sliceInside(b, part, start, node.shape);
      if (inside) return inside;
      start[axis] -= part.shape[axis];
    }
    return undefined;
  },

  /** A slice of a repetition repeats a slice. */
  sliceOfExpand({ b }, node) {
    const [x] = node.inputs;
    if (node.op.kind !== 'slice' || x.op.kind !== 'expand') return undefined;
    const [source] = x.inputs;
    const start = node.op.start.map((at, axis) => (source.shape[axis] === 1 ? 0 : at));
    return b.expand(
      b.slice(
        source,
        start,
        node.shape.map((extent, axis) => (source.shape[axis] === 1 ? 1 : extent)),
      ),
      node.shape,
    );
  },

  /** Concats along one axis are one concat. */
  nestedConcat({ b }, node) {
    if (node.op.kind !== 'concat') return undefined;
    const { axis } = node.op;
    const joins = (x: Node) => x.op.kind === 'concat' && x.op.axis === axis;
    return node.inputs.some(joins)
      ? b.concat(
          node.inputs.flatMap((x) => (joins(x) ? x.inputs : [x])),
          axis,
        )
      : undefined;
  },
} satisfies Record<string, Rule>;

function plus(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value + b[i]);
}

/** The slice, if it lies within x. */
function sliceInside(b: GraphBuilder, x: Node, start: readonly number[], size: readonly number[]): Node | undefined {
  return start.every((at, axis) => at >= 0 && at + size[axis] <= x.shape[axis]) ? b.slice(x, start, size) : undefined;
}

/** A reshape that keeps apart what is computed from it. */
function isAgain({ op }: Node): boolean {
  return op.kind === 'reshape' && op.again !== undefined;
}
