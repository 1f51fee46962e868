/**
 * Which axis of a tensor counts the rows of the batch. It decides what a mean divides by (the rows of the whole batch, not
 * of the part that fits into memory at once), and whether a loss is a sum over rows, so that a batch may be taken in parts.
 */
import type { Node } from '../graph/graph.ts';

/**
 * `number`: that axis counts rows. `none`: independent of the rows. `sum`: a sum over the rows, or linear in such sums.
 * `blocks`: axis 0 has several entries for each row, one row after the other. `mixed`: rows meet rows, or a sum went through something that is not
 * linear.
 */
export type BatchAxis = number | 'none' | 'sum' | 'blocks' | 'mixed';

const known = new WeakMap<Node, BatchAxis>();

/** Inputs count rows along axis 0; states, scalars and constants do not depend on rows. */
export function batchAxis(node: Node): BatchAxis {
  const before = known.get(node);
  if (before !== undefined) return before;
  // Inputs come first in id order, so recursion is shallow only for short graphs; walk iteratively.
  const stack: Node[] = [node];
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    const missing = top.inputs.filter((x) => !known.has(x));
    if (missing.length > 0) stack.push(...missing);
    else {
      known.set(
        top,
        rule(
          top,
          top.inputs.map((x) => known.get(x) as BatchAxis),
        ),
      );
      stack.pop();
    }
  }
  return known.get(node) as BatchAxis;
}

function rule(node: Node, of: BatchAxis[]): BatchAxis {
  const { op } = node;
  const [x] = of;
  switch (op.kind) {
    case 'input':
      return node.shape.length > 0 ? 0 : 'none';
    case 'state':
    case 'scalar':
    case 'constant':
    case 'iota':
      return 'none';
    case 'unary':
      return x === 'sum' ? (op.fn === 'neg' ? 'sum' : 'mixed') : x;
    case 'cast':
      return x;
    case 'select':
      return of.every((a) => a === x || a === 'none') || sameAxis(of) !== undefined ? join(of) : 'mixed';
    case 'binary': {
      if (of.includes('sum')) {
        if (op.fn === 'add' || op.fn === 'sub') return of.every((a) => a === 'sum') ? 'sum' : 'mixed';
        if (op.fn === 'mul') return of.filter((a) => a === 'sum').length === 1 && of.includes('none') ? 'sum' : 'mixed';
        if (op.fn === 'div') return x === 'sum' && of[1] === 'none' ? 'sum' : 'mixed';
        return 'mixed';
      }
      return join(of);
    }
    case 'reduce':
      // How many entries a row has is not known here, so no mean over them can be taken in parts.
      if (x === 'blocks') return op.axes.includes(0) ? 'mixed' : 'blocks';
      if (typeof x !== 'number') return x === 'sum' && op.fn === 'sum' ? 'sum' : x === 'none' ? 'none' : 'mixed';
      if (op.axes.includes(x)) return op.fn === 'sum' ? 'sum' : 'mixed';
      return x - op.axes.filter((a) => a < x).length;
    case 'contract': {
      const [a, b] = of;
      if (a === 'blocks' || b === 'blocks')
        return op.out[0] === (a === 'blocks' ? op.a : op.b)[0] && of.includes('none') ? 'blocks' : 'mixed';
      if (a === 'mixed' || b === 'mixed') return 'mixed';
      if (a === 'sum' || b === 'sum') return a === 'none' || b === 'none' ? 'sum' : 'mixed';
      const labels = [typeof a === 'number' ? op.a[a] : undefined, typeof b === 'number' ? op.b[b] : undefined].filter(
        (l) => l !== undefined,
      );
      if (labels.length === 0) return 'none';
      if (labels.length === 2 && labels[0] !== labels[1]) return 'mixed';
      const at = op.out.indexOf(labels[0]);
      // A product summed over the rows is a sum over rows if both sides count them, or the other side does not.
      return at < 0 ? 'sum' : at;
    }
    case 'reshape':
      if (x === 'blocks') return node.shape[0] % node.inputs[0].shape[0] === 0 ? 'blocks' : 'mixed';
      return typeof x !== 'number' ? x : reshapedAxis(node.inputs[0].shape, node.shape, x);
    case 'permute':
      if (x === 'blocks') return op.order[0] === 0 ? 'blocks' : 'mixed';
      return typeof x === 'number' ? op.order.indexOf(x) : x;
    case 'expand':
      return x;
    case 'slice':
    case 'pad':
      return x === 'blocks' && node.shape[0] !== node.inputs[0].shape[0] ? 'mixed' : x;
    case 'concat':
      if (op.axis === 0 && of.includes('blocks')) return 'mixed';
      return typeof x === 'number' && op.axis === x ? 'mixed' : join(of);
    case 'gather': {
      const [table, index] = of;
      return table === 'none' || isOwnRows(node) ? index : 'mixed';
    }
    case 'scatter_add':
      return of.every((a) => a === 'none') ? 'none' : 'mixed';
    case 'composite':
      return join(of);
  }
}

/** The common axis of operands of which some may be independent of the rows. */
function join(of: BatchAxis[]): BatchAxis {
  const found = [...new Set(of.filter((a) => a !== 'none'))];
  return found.length === 0 ? 'none' : found.length === 1 ? found[0] : 'mixed';
}

function sameAxis(of: BatchAxis[]): BatchAxis | undefined {
  const joined = join(of);
  return joined === 'mixed' ? undefined : joined;
}

/** Whether entries of rows are gathered by `seen`, which leads no row to another's: 0 is an entry of none, the others are each row's own. */
function isOwnRows({ inputs: [table, index] }: Node): boolean {
  if (table.op.kind !== 'concat' || table.op.axis !== 0 || !isFrom(index, 'seen')) return false;
  const [none, ...entries] = table.inputs;
  return isNothing(none) && entries.every((part) => known.get(part) === 'blocks' || known.get(part) === 0);
}

/** Whether values are zero because they were multiplied by it, whatever they were made from. */
function isNothing({ op, inputs }: Node): boolean {
  if (op.kind === 'constant') return op.value === 0;
  if (op.kind === 'expand' || op.kind === 'reshape') return isNothing(inputs[0]);
  return op.kind === 'binary' && op.fn === 'mul' && inputs.some(isNothing);
}

/** Whether values are those of an input, moved about. */
function isFrom({ op, inputs }: Node, name: string): boolean {
  if (op.kind === 'input') return op.name === name;
  return ['reshape', 'slice', 'concat'].includes(op.kind) && inputs.every((x) => isFrom(x, name));
}

/** Where an axis went when a tensor was reshaped: the one with as many elements before and the same extent. */
function reshapedAxis(from: readonly number[], to: readonly number[], axis: number): BatchAxis {
  const before = from.slice(0, axis).reduce((n, d) => n * d, 1);
  let count = 1;
  for (let i = 0; i < to.length; i++) {
    if (count === before && to[i] === from[axis] && (to[i] !== 1 || i === axis)) return i;
    count *= to[i];
  }
  return axis === 0 && to[0] % from[0] === 0 ? 'blocks' : 'mixed';
}
