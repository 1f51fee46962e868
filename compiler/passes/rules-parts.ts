/**
 * Rules for tensors that no binding holds: a weight beyond the limit is several states joined by a concat, and what is computed from it may be as
 * large (logits over a whole vocabulary). Such a concat must never be made: rows are picked from the part that has them, products, sums and
 * what is done to every element are taken part by part.
 */
import { BYTES, elements } from '../../plan/dtypes.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Node } from '../graph/graph.ts';
import type { Rule } from './algebra.ts';

function inParts(node: Node, largest: number): { parts: readonly Node[]; axis: number } | undefined {
  // Truth values have no bytes of their own, but what they are made from and into has.
  const bytes = node.dtype === 'bool' ? 4 : BYTES[node.dtype];
  return node.op.kind === 'concat' && elements(node.shape) * bytes > largest ? { parts: node.inputs, axis: node.op.axis } : undefined;
}

export const partRules = {
  /** Rows of a table in parts: each part gives what it has, by an index that is kept within it. */
  gatherOfParts({ b, largest }, node) {
    if (node.op.kind !== 'gather') return undefined;
    const [table, index] = node.inputs;
    const split = inParts(table, largest);
    if (split?.axis !== 0) return undefined;
    let from = 0;
    let result: Node | undefined;
    for (const part of split.parts) {
      const [rows] = part.shape;
      const local = b.max(b.min(b.sub(index, from), rows - 1), 0);
      const picked = b.gather(part, local);
      const behind = b.broadcast(b.reshape(b.less(index, from), [...index.shape, ...part.shape.slice(1).map(() => 1)]), picked.shape);
      // Later parts stand over earlier ones, so a row that lies before this part keeps what it was given.
      result = result === undefined ? picked : b.select(behind, result, picked);
      from += rows;
    }
    return result;
  },

  /** A product with a table in parts: side by side where the parts' axis is in the result, summed where it is not. */
  productOfParts({ b, largest }, node) {
    if (node.op.kind !== 'contract') return undefined;
    const { op } = node;
    for (const side of [0, 1] as const) {
      const split = inParts(node.inputs[side], largest);
      if (!split) continue;
      const other = node.inputs[1 - side];
      const [own, others] = side === 0 ? [op.a, op.b] : [op.b, op.a];
      const label = own[split.axis];
      const product = (part: Node, rest: Node): Node =>
        side === 0 ? b.contract(part, op.a, rest, op.b, op.out) : b.contract(rest, op.a, part, op.b, op.out);
      const at = others.indexOf(label);
      let from = 0;
      const products = split.parts.map((part) => {
        const extent = part.shape[split.axis];
        const result = product(part, at < 0 ? other : sliceAxis(b, other, at, from, extent));
        from += extent;
        return result;
      });
      const out = op.out.indexOf(label);
      return out >= 0 ? b.concat(products, out) : products.reduce((sum, x) => b.add(sum, x));
    }
    return undefined;
  },

  /** What is done to every element is done part by part; the other operands are cut alike. */
  elementwiseOfParts({ b, largest }, node) {
    if (!ELEMENTWISE.has(node.op.kind)) return undefined;
    const split = node.inputs.map((x) => inParts(x, largest)).find((one) => one !== undefined);
    if (!split) return undefined;
    let from = 0;
    const parts = split.parts.map(({ shape }) => {
      const extent = shape[split.axis];
      const inputs = node.inputs.map((x) => sliceAxis(b, x, split.axis, from, extent));
      from += extent;
      return sameOp(b, node, inputs);
    });
    return b.concat(parts, split.axis);
  },

  /** A part of what is too large to be made is made from parts. */
  sliceOfElementwise({ b, largest }, node) {
    const [x] = node.inputs;
    if (node.op.kind !== 'slice' || !ELEMENTWISE.has(x.op.kind) || elements(x.shape) * 4 <= largest) return undefined;
    const { start } = node.op;
    return sameOp(
      b,
      x,
      x.inputs.map((input) => b.slice(input, start, node.shape)),
    );
  },

  /** Coordinates of a part of what is too large to be made. */
  sliceOfIota({ b, largest }, node) {
    const [x] = node.inputs;
    if (node.op.kind !== 'slice' || x.op.kind !== 'iota' || elements(x.shape) * 4 <= largest) return undefined;
    return b.add(b.iota(node.shape, x.op.axis), node.op.start[x.op.axis]);
  },

  /** Sums and maxima over the parts are those of the parts, put together. */
  reductionOfParts({ b, largest }, node) {
    if (node.op.kind !== 'reduce') return undefined;
    const { op } = node;
    const split = inParts(node.inputs[0], largest);
    if (!split) return undefined;
    const parts = split.parts.map((part) => b.node(op, [part], { ...node, shape: withoutAxes(part.shape, op.axes) }));
    if (!op.axes.includes(split.axis)) return b.concat(parts, split.axis - op.axes.filter((axis) => axis < split.axis).length);
    return parts.reduce((a, part) => (op.fn === 'sum' ? b.add(a, part) : b.max(a, part)));
  },

  /** Parts along the last axes stay parts when the axes before them are merged or split. */
  reshapeOfParts({ b, largest }, node) {
    const { op } = node;
    if (op.kind !== 'reshape') return undefined;
    const [x] = node.inputs;
    const split = inParts(x, largest);
    if (!split) return undefined;
    const behind = x.shape.slice(split.axis);
    const axis = node.shape.length - behind.length;
    if (axis < 0 || behind.some((extent, i) => node.shape[axis + i] !== extent)) return undefined;
    return b.concat(
      split.parts.map((part) => {
        const shape = [...node.shape.slice(0, axis), ...part.shape.slice(split.axis)];
        return op.again === undefined ? b.reshape(part, shape) : b.node(op, [part], { shape });
      }),
      axis,
    );
  },
} satisfies Record<string, Rule>;

const ELEMENTWISE: ReadonlySet<string> = new Set(['unary', 'binary', 'select', 'cast']);

function withoutAxes(shape: readonly number[], axes: readonly number[]): number[] {
  return shape.filter((_, axis) => !axes.includes(axis));
}

/** The same operation on operands of another extent. */
function sameOp(b: GraphBuilder, node: Node, inputs: readonly Node[]): Node {
  return b.node(node.op, [...inputs], { ...node, shape: inputs[0].shape });
}

function sliceAxis(b: GraphBuilder, x: Node, axis: number, from: number, extent: number): Node {
  return b.slice(
    x,
    x.shape.map((_, i) => (i === axis ? from : 0)),
    x.shape.map((d, i) => (i === axis ? extent : d)),
  );
}
