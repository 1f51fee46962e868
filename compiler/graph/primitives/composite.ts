/** A named piece with a definition, which stands for itself until a target's better lowering or a pass replaces it. */
import { ShapeError } from '../errors.ts';
import { formatShape, sameShape } from '../shape.ts';
import type { Graph, Node } from '../graph.ts';
import type { OpOf, Primitive } from './primitive.ts';
import { ancestors } from '../walk.ts';

/** The leaves of a body that stand for the composite's operands, by number; an operand that the body ignores has none. */
export function parameters(body: Graph): Map<number, Node> {
  const found = new Map<number, Node>();
  for (const node of ancestors(body.outputs.map((output) => output.node))) {
    if (node.op.kind === 'state')
      throw new ShapeError(`the definition of a composite reads the state '${node.op.name}'`, 'Pass it as an operand.');
    if (node.op.kind !== 'input') continue;
    const match = /^arg(\d+)$/.exec(node.op.name);
    if (!match) throw new ShapeError(`the definition of a composite reads the input '${node.op.name}'`, 'Pass it as an operand.');
    found.set(Number(match[1]), node);
  }
  return found;
}

export const composite: Primitive<OpOf<'composite'>> = {
  lowering: 'composite',
  type(op, inputs) {
    if (op.body.outputs.length !== 1) throw new ShapeError(`composite '${op.name}' has ${op.body.outputs.length} outputs instead of one`);
    for (const [i, parameter] of parameters(op.body)) {
      const given = inputs[i];
      if (!given || given.dtype !== parameter.dtype || !sameShape(given.shape, parameter.shape)) {
        const text = given ? `${given.dtype} ${formatShape(given.shape)}` : 'nothing';
        throw new ShapeError(`operand ${i} of '${op.name}' is ${text} instead of ${parameter.dtype} ${formatShape(parameter.shape)}`);
      }
    }
    const { shape, dtype } = op.body.outputs[0].node;
    return { shape, dtype };
  },
  gradient: (c, _op, node, dy) => c.composite(node, dy),
  evaluate: (op, _node, inputs, c) => c.body(op.body, inputs),
  // Counted from the definition by `stats`, which knows the whole graph.
  flops: () => 0,
};
