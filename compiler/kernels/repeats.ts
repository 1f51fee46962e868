/**
 * Where a driver would do algebra. (a + b) - a becomes b, and a - a becomes 0, in drivers that reckon with neither rounding nor infinities. Their
 * rules all look for one value in both operands; so one operand is hidden where both have a value in common. Constants are hidden anyway.
 */
import type { BinaryFn, Node } from '../graph/graph.ts';

const WATCHED: ReadonlySet<BinaryFn> = new Set(['add', 'sub', 'mul', 'less', 'less_equal', 'equal']);
/** Operations that such a rule looks through. */
const DEPTH = 3;

/** Whether the operands of an operation on floats have a value in common that its kernel computes with. */
export function repeats(node: Node, isRealised: (node: Node) => boolean): boolean {
  const { op, inputs } = node;
  if (op.kind !== 'binary' || !WATCHED.has(op.fn) || inputs[0].dtype !== 'f32') return false;
  const [x, y] = inputs;
  // A square is a square; but the square of a root is not what is under it.
  if (op.fn === 'mul') return x === y && x.op.kind === 'unary' && x.op.fn === 'sqrt';
  const left = new Set<Node>();
  visit(x, DEPTH, isRealised, (value) => left.add(value));
  let found = false;
  visit(y, DEPTH, isRealised, (value) => (found ||= left.has(value)));
  return found;
}

function visit(node: Node, depth: number, isRealised: (node: Node) => boolean, see: (value: Node) => void): void {
  const { kind } = node.op;
  if (kind === 'constant') return;
  see(node);
  if (isRealised(node)) return;
  if (kind === 'reshape' || kind === 'expand' || kind === 'permute' || kind === 'slice' || kind === 'pad')
    visit(node.inputs[0], depth, isRealised, see);
  else if (depth > 0 && (kind === 'unary' || kind === 'binary' || kind === 'select'))
    for (const input of node.inputs) visit(input, depth - 1, isRealised, see);
}
