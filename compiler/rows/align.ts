/**
 * Which node of one graph is which node of the other, where a text was run for two numbers of rows. Both graphs come of the same statements, so they
 * differ in extents and constants, and where a builder left out movement that moves nothing for one of the numbers.
 */
import { sameOp } from '../graph/equal.ts';
import type { Node } from '../graph/graph.ts';
import { expandedAxes } from '../graph/primitives/movement.ts';

/** One way to pair two nodes: by their operands, or the operand of the whole's node with the part's node, which then stands for both. */
export interface Pairing {
  operands: [whole: Node, part: Node][];
  /** Whether the part leaves this operation out. */
  same: boolean;
}

/** The ways that are worth a try, the likeliest first. None: the graphs differ here. */
export function pairings(whole: Node, part: Node): Pairing[] {
  const ways: Pairing[] = [];
  if (alike(whole, part)) {
    const pair = (order: readonly Node[]): Pairing => ({ operands: whole.inputs.map((x, i) => [x, order[i]]), same: false });
    ways.push(pair(part.inputs));
    // A builder takes `a + b` for `b + a` where both were asked for.
    const { op } = whole;
    if (op.kind === 'binary' && ['add', 'mul', 'and', 'or', 'equal'].includes(op.fn) && part.inputs[0] !== part.inputs[1])
      ways.push(pair([part.inputs[1], part.inputs[0]]));
  }
  if (['expand', 'slice', 'pad', 'reshape'].includes(whole.op.kind)) ways.push({ operands: [[whole.inputs[0], part]], same: true });
  return ways;
}

/** Whether two nodes do the same but for what may follow from the number of rows: extents, values of constants, places of slices. */
function alike(whole: Node, part: Node): boolean {
  if (whole.op.kind !== part.op.kind || whole.inputs.length !== part.inputs.length || whole.dtype !== part.dtype) return false;
  if (whole.shape.length !== part.shape.length) return false;
  switch (whole.op.kind) {
    case 'constant':
    case 'scalar':
    case 'slice':
    case 'pad':
    case 'gather':
    case 'scatter_add':
      return true;
    case 'composite':
      return whole.op.name === (part.op as typeof whole.op).name;
    // Of two repetitions in a row one may have nothing to repeat in the part.
    case 'expand':
      return expandedAxes(part).every((axis) => whole.inputs[0].shape[axis] === 1 && whole.shape[axis] !== 1);
    default:
      return sameOp(whole.op, part.op);
  }
}
