/**
 * Where a driver would do algebra. (a + b) - a becomes b, (a / b) b becomes a, and a - a 0, in drivers that reckon with neither rounding nor
 * infinities. Their rules all look for one value in both operands; so one operand is hidden where both have a value in common. Constants are
 * hidden anyway.
 */
import type { BinaryFn, Node } from '../graph/graph.ts';

const WATCHED: ReadonlySet<BinaryFn> = new Set(['add', 'sub', 'mul', 'div', 'less', 'less_equal', 'equal']);
/** Operations that such a rule looks through. */
const DEPTH = 3;
const MOVES: ReadonlySet<string> = new Set(['reshape', 'expand', 'permute', 'slice', 'pad']);

/** Whether the operands of an operation on floats have a value in common that its kernel computes with. */
export function repeats(node: Node, isRealised: (node: Node) => boolean): boolean {
  const { op, inputs } = node;
  if (op.kind !== 'binary' || !WATCHED.has(op.fn) || inputs[0].dtype !== 'f32') return false;
  const [x, y] = inputs;
  // A square may stay what it is; the square of a root is not what is under it, and a quotient times its divisor not what was divided.
  if (op.fn === 'mul' && ![x, y].some((operand) => isOneOf(operand, 'sqrt', 'div'))) return false;
  if (op.fn === 'div' && ![x, y].some((operand) => isOneOf(operand, 'mul', 'div'))) return false;
  const left = new Set<Node>();
  visit(x, DEPTH, isRealised, (value) => left.add(value));
  let found = false;
  visit(y, DEPTH, isRealised, (value) => (found ||= left.has(value)));
  return found;
}

function isOneOf(node: Node, ...fns: string[]): boolean {
  const { op, inputs } = node;
  if (MOVES.has(op.kind)) return isOneOf(inputs[0], ...fns);
  return (op.kind === 'unary' || op.kind === 'binary') && fns.includes(op.fn);
}

function visit(node: Node, depth: number, isRealised: (node: Node) => boolean, see: (value: Node) => void): void {
  const { kind } = node.op;
  if (kind === 'constant') return;
  see(node);
  if (isRealised(node)) return;
  if (MOVES.has(kind)) visit(node.inputs[0], depth, isRealised, see);
  else if (depth > 0 && (kind === 'unary' || kind === 'binary' || kind === 'select'))
    for (const input of node.inputs) visit(input, depth - 1, isRealised, see);
}
