/** Values that are the same everywhere: constants, and whatever movement makes of them. */
import type { GraphBuilder } from '../graph/builder.ts';
import type { Node } from '../graph/graph.ts';
import { elements } from '../graph/shape.ts';

/** The single element that a node repeats everywhere, as the node that computes it; undefined if there may be several. */
export function uniformSource(node: Node): Node | undefined {
  let at = node;
  while (elements(at.shape) !== 1) {
    if (!['reshape', 'expand', 'permute', 'slice'].includes(at.op.kind)) return undefined;
    at = at.inputs[0];
  }
  while (['reshape', 'expand', 'permute', 'slice'].includes(at.op.kind)) at = at.inputs[0];
  return elements(at.shape) === 1 ? at : undefined;
}

/** The constant that a node is everywhere, if it is one. */
export function constantOf(node: Node): number | undefined {
  const source = uniformSource(node);
  return source?.op.kind === 'constant' ? source.op.value : undefined;
}

/** A node of one element repeated over a shape, in the one form that equal values share: expand of a reshape. */
export function repeat(b: GraphBuilder, source: Node, shape: readonly number[]): Node {
  return b.expand(
    b.reshape(
      source,
      shape.map(() => 1),
    ),
    shape,
  );
}
