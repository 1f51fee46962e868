/** Rules of sums and products. */
import { inverse } from '../graph/primitives/movement.ts';
import type { Node } from '../graph/graph.ts';
import type { Rule } from './algebra.ts';

export const reductionRules = {
  /** A reduction over axes of extent 1 alone moves nothing. */
  ofOne({ b }, node) {
    const [x] = node.inputs;
    return node.op.kind === 'reduce' && node.op.axes.every((axis) => x.shape[axis] === 1) ? b.reshape(x, node.shape) : undefined;
  },

  /** Kept axes of extent 1 behind the reduced ones hide that the reduction runs over a trailing block; they are left out. */
  trailing({ b }, node) {
    const [x] = node.inputs;
    if (node.op.kind !== 'reduce') return undefined;
    const { axes, fn } = node.op;
    const isLast = (order: readonly number[]) => axes.every((axis, i) => axis === order[order.length - axes.length + i]);
    const all = x.shape.map((_, axis) => axis);
    const long = all.filter((axis) => x.shape[axis] > 1 || axes.includes(axis));
    if (isLast(all) || !isLast(long)) return undefined;
    const squeezed = b.reshape(
      x,
      long.map((axis) => x.shape[axis]),
    );
    return b.reshape(
      b.reduce(
        fn,
        squeezed,
        axes.map((axis) => long.indexOf(axis)),
      ),
      node.shape,
    );
  },

  /** The sum of negated values is the negated sum, exactly. */
  ofNegated({ b, single }, node) {
    const [x] = node.inputs;
    if (node.op.kind !== 'reduce' || node.op.fn !== 'sum' || x.op.kind !== 'unary' || x.op.fn !== 'neg' || !single(x)) return undefined;
    return b.neg(b.sum(x.inputs[0], node.op.axes));
  },

  /** The sum of a value repeated n times is n times the value; the maximum is the value. */
  ofRepeated({ b }, node) {
    const [x] = node.inputs;
    if (node.op.kind !== 'reduce' || x.op.kind !== 'expand') return undefined;
    const [source] = x.inputs;
    const repeated = node.op.axes.filter((axis) => source.shape[axis] === 1 && x.shape[axis] > 1);
    if (repeated.length === 0) return undefined;
    // Repeated axes that stay are repeated again afterwards.
    const inner = b.reduce(node.op.fn, source, node.op.axes);
    const times = node.op.fn === 'sum' ? repeated.reduce((n, axis) => n * x.shape[axis], 1) : 1;
    return b.expand(b.mul(inner, times), node.shape);
  },

  /** Two reductions in a row are one, if nothing else needs the first. */
  twice({ b, single }, node) {
    const [x] = node.inputs;
    if (node.op.kind !== 'reduce' || x.op.kind !== 'reduce' || x.op.fn !== node.op.fn || !single(x)) return undefined;
    const [source] = x.inputs;
    const { axes } = x.op;
    const kept = source.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    return b.reduce(node.op.fn, source, [...axes, ...node.op.axes.map((axis) => kept[axis])]);
  },

  /** A product reads and writes any order of axes, so permutes beside it vanish into its labels. */
  permutedOperand({ b }, node) {
    if (node.op.kind !== 'contract') return undefined;
    const [x, y] = node.inputs;
    if (x.op.kind !== 'permute' && y.op.kind !== 'permute') return undefined;
    const [a, aLabels] = unpermuted(x, node.op.a);
    const [c, cLabels] = unpermuted(y, node.op.b);
    return b.contract(a, aLabels, c, cLabels, node.op.out);
  },

  permutedResult({ b, single }, node) {
    const [x] = node.inputs;
    if (node.op.kind !== 'permute' || x.op.kind !== 'contract' || !single(x)) return undefined;
    const { a, b: second, out } = x.op;
    return b.contract(
      x.inputs[0],
      a,
      x.inputs[1],
      second,
      node.op.order.map((axis) => out[axis]),
    );
  },
} satisfies Record<string, Rule>;

function unpermuted(x: Node, labels: readonly number[]): [Node, readonly number[]] {
  if (x.op.kind !== 'permute') return [x, labels];
  return [x.inputs[0], inverse(x.op.order).map((axis) => labels[axis])];
}
