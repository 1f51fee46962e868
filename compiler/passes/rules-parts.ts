/**
 * Rules for tables that no binding holds: a weight beyond the limit is several states joined by a concat, and the concat must never be
 * made. Rows are picked from the part that has them, products are taken part by part.
 */
import { BYTES, elements } from '../../plan/dtypes.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Node } from '../graph/graph.ts';
import { LARGEST_BINDING } from '../graph/parts.ts';
import type { Rule } from './algebra.ts';

function inParts(node: Node): { parts: readonly Node[]; axis: number } | undefined {
  if (node.op.kind !== 'concat' || node.dtype === 'bool' || elements(node.shape) * BYTES[node.dtype] <= LARGEST_BINDING) return undefined;
  return { parts: node.inputs, axis: node.op.axis };
}

export const partRules = {
  /** Rows of a table in parts: each part gives what it has, by an index that is kept within it. */
  gatherOfParts({ b }, node) {
    if (node.op.kind !== 'gather') return undefined;
    const [table, index] = node.inputs;
    const split = inParts(table);
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
  productOfParts({ b }, node) {
    if (node.op.kind !== 'contract') return undefined;
    const { op } = node;
    for (const side of [0, 1] as const) {
      const split = inParts(node.inputs[side]);
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
} satisfies Record<string, Rule>;

function sliceAxis(b: GraphBuilder, x: Node, axis: number, from: number, extent: number): Node {
  return b.slice(
    x,
    x.shape.map((_, i) => (i === axis ? from : 0)),
    x.shape.map((d, i) => (i === axis ? extent : d)),
  );
}
