/**
 * Batches taken in parts. A loss or metric is summed over the parts, so what it divides by must be that of the whole batch.
 * Means already divide by the scalar `rows`. A division by a sum over the data (answer tokens, say) is turned into a
 * division by a `total`: a state that a small program, run over all parts beforehand, has filled.
 */
import type { Span } from '../../grammar/index.ts';
import { batchAxis } from '../elaborate/batch-axis.ts';
import { fail } from '../elaborate/fault.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Node, Output } from '../graph/graph.ts';
import { ancestors } from '../graph/walk.ts';

export interface Totals {
  /** `roots` with the divisors replaced. */
  roots: Node[];
  /** Divisors of a part, by the state that sums them. */
  divisors: { name: string; node: Node }[];
}

/** Replaces every division by a sum over the rows that depends on data alone. */
export function withTotals(b: GraphBuilder, roots: Node[], prefix: string): Totals {
  const divisors: Totals['divisors'] = [];
  const byNode = new Map<Node, Node>();
  const made = new Map<Node, Node>();
  const order = ancestors(roots);
  const fromData = new Map<Node, boolean>();
  for (const node of order) fromData.set(node, node.op.kind !== 'state' && node.inputs.every((x) => fromData.get(x)));
  for (const node of order) {
    let inputs = node.inputs.map((x) => made.get(x) as Node);
    if (node.op.kind === 'binary' && node.op.fn === 'div') {
      const divisor = node.inputs[1];
      if (batchAxis(divisor) === 'sum' && fromData.get(divisor)) inputs = [inputs[0], total(divisor)];
    }
    made.set(node, inputs.every((x, i) => x === node.inputs[i]) ? node : b.node(node.op, inputs, node));
  }
  return { roots: roots.map((r) => made.get(r) as Node), divisors };

  /** The state that holds a divisor's sum over the whole batch, broadcast as the divisor was. */
  function total(divisor: Node): Node {
    const before = byNode.get(divisor);
    if (before) return before;
    const moved = divisor.op.kind === 'expand' || divisor.op.kind === 'reshape';
    const result = moved ? b.node(divisor.op, [total(divisor.inputs[0])], divisor) : newTotal(divisor);
    byNode.set(divisor, result);
    return result;
  }

  function newTotal(divisor: Node): Node {
    const name = `${prefix}${divisors.length}`;
    divisors.push({ name, node: divisor });
    return b.state(name, divisor.shape);
  }
}

/** The outputs of the program that adds up the divisors of a part. */
export function totalOutputs(b: GraphBuilder, totals: Totals): Output[] {
  return totals.divisors.map(({ name, node }) => ({ kind: 'state', name, node: b.add(b.state(name, node.shape), node) }));
}

/** A batch can be taken in parts only if the loss is a sum over rows (or does not depend on them at all: then it is an error too). */
export function requireSum(loss: Node, name: string, span: Span): void {
  const axis = batchAxis(loss);
  if (axis !== 'sum')
    fail(
      'P0507',
      {
        name,
        why:
          axis === 'mixed'
            ? 'rows meet rows in it, or a sum over rows goes through something that is not linear'
            : 'it does not sum over the rows',
      },
      span,
    );
}
