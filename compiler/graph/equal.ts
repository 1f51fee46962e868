/** When two nodes are one: the same operation on the same operands, with one type. Labels do not count. */
import { canonical } from './canonical.ts';
import type { Node, Op } from './graph.ts';
import type { Typed } from './primitives/primitive.ts';
import { sameShape } from './shape.ts';

/** Whether `node` is what `op` makes of `inputs`. */
export function isSame(node: Node, op: Op, inputs: readonly Node[], { shape, dtype }: Typed): boolean {
  return node.dtype === dtype && sameInputs(op, node.inputs, inputs) && sameOp(node.op, op) && sameShape(node.shape, shape);
}

function sameInputs(op: Op, a: readonly Node[], b: readonly Node[]): boolean {
  if (a.length !== b.length) return false;
  // Exact in either order, so both orders are one node. (max and min are not: their gradient at ties prefers the second.)
  if (op.kind === 'binary' && SYMMETRIC.has(op.fn) && a[0] === b[1] && a[1] === b[0]) return true;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const SYMMETRIC: ReadonlySet<string> = new Set(['add', 'mul', 'and', 'or', 'equal']);

/** Whether two operations are the same, whatever their operands. */
export function sameOp(a: Op, b: Op): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case 'input':
    case 'scalar':
      return b.kind === a.kind && a.name === b.name;
    case 'state':
      return b.kind === 'state' && a.name === b.name && a.half === b.half;
    case 'constant':
      return b.kind === 'constant' && Object.is(a.value, b.value);
    case 'unary':
    case 'binary':
      return b.kind === a.kind && a.fn === b.fn;
    case 'iota':
    case 'concat':
      return b.kind === a.kind && a.axis === b.axis;
    case 'reduce':
      return b.kind === 'reduce' && a.fn === b.fn && sameShape(a.axes, b.axes);
    case 'contract':
      return b.kind === 'contract' && sameShape(a.a, b.a) && sameShape(a.b, b.b) && sameShape(a.out, b.out);
    case 'permute':
      return b.kind === 'permute' && sameShape(a.order, b.order);
    case 'slice':
      return b.kind === 'slice' && sameShape(a.start, b.start);
    case 'pad':
      return b.kind === 'pad' && sameShape(a.before, b.before);
    case 'reshape':
      return b.kind === 'reshape' && a.again === b.again;
    case 'composite':
      return b.kind === 'composite' && a.name === b.name && (a.body === b.body || canonical(a.body) === canonical(b.body));
    default:
      return a.kind === b.kind;
  }
}
