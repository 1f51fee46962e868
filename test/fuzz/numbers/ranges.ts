/** The ranges of all values of a graph, from the values of its inputs. */
import type { Node } from '../../../compiler/graph/graph.ts';
import { summedLabels, labelExtents } from '../../../compiler/graph/primitives/contract.ts';
import type { EvaluateContext } from '../../../compiler/graph/primitives/primitive.ts';
import { primitiveOf } from '../../../compiler/graph/primitives/table.ts';
import { elements } from '../../../compiler/graph/shape.ts';
import { ancestors } from '../../../compiler/graph/walk.ts';
import { binaryRange, NOTHING_BUT_NAN, rounded, selectRange, totalRange, unaryRange } from './range.ts';
import type { Range } from './range.ts';

const NO_LEAVES: EvaluateContext = {
  leaf: () => new Float64Array(0),
  body: () => new Float64Array(0),
};

function point(x: number): Range {
  return Number.isNaN(x) ? NOTHING_BUT_NAN : rounded(Math.fround(x), Math.fround(x), false, 0);
}

export function rangesOf(roots: readonly Node[], inputs: Readonly<Record<string, ArrayLike<number>>>): Map<Node, Range[]> {
  const known = new Map<Node, Range[]>();
  const of = (node: Node): Range[] => {
    const ranges = known.get(node);
    if (!ranges) throw new Error(`node ${node.id} (${node.op.kind}) has no range yet`);
    return ranges;
  };
  for (const node of ancestors(roots)) known.set(node, compute(node, node.inputs.map(of), inputs));
  return known;
}

function compute(node: Node, operands: Range[][], inputs: Readonly<Record<string, ArrayLike<number>>>): Range[] {
  const { op } = node;
  const [x, y, z] = operands;
  switch (op.kind) {
    case 'input':
      return Array.from(inputs[op.name] ?? [], point);
    case 'constant':
      return [point(op.value)];
    case 'unary':
      return x.map((range) => unaryRange(op.fn, range));
    case 'binary':
      return x.map((range, i) => binaryRange(op.fn, range, y[i]));
    case 'select':
      return x.map((range, i) => selectRange(range, y[i], z[i]));
    case 'cast':
      return x;
    case 'composite':
      // The only one is the hiding of a gradient.
      return x;
    case 'reduce':
      return gathered(node, operands).map((parts) =>
        op.fn === 'sum' ? totalRange(parts) : parts.reduce((most, part) => binaryRange('max', most, part)),
      );
    case 'contract': {
      const extents = labelExtents(op, node.inputs);
      const count = summedLabels(op).reduce((n, label) => n * (extents.get(label) ?? 1), 1);
      const terms: Range[][] = Array.from({ length: elements(node.shape) }, () => []);
      // Which elements of the operands make a term: those of two operands that hold their own numbers, one at a time.
      const at = (labels: readonly number[], place: ReadonlyMap<number, number>) =>
        labels.reduce((flat, label) => flat * (extents.get(label) ?? 1) + (place.get(label) ?? 0), 0);
      const labels = [...op.out, ...summedLabels(op)];
      for (let flat = 0; flat < terms.length * count; flat++) {
        let rest = flat;
        const place = new Map<number, number>();
        for (const label of [...labels].reverse()) {
          const extent = extents.get(label) ?? 1;
          place.set(label, rest % extent);
          rest = Math.floor(rest / extent);
        }
        terms[at(op.out, place)].push(binaryRange('mul', x[at(op.a, place)], y[at(op.b, place)]));
      }
      return terms.map(totalRange);
    }
    default:
      return moved(node, operands);
  }
}

/** Movement of ranges is movement of their numbers. */
function moved(node: Node, operands: Range[][]): Range[] {
  const all = operands.flat();
  let from = 0;
  const numbers = operands.map((ranges) => Float64Array.from(ranges, () => from++));
  // Padding would be number 0 too; programs have none.
  return Array.from(primitiveOf(node.op).evaluate(node.op, node, numbers, NO_LEAVES), (i) => all[i]);
}

/** For each element of a reduction the ranges that it is taken over. */
function gathered(node: Node, [x]: Range[][]): Range[][] {
  const [{ shape }] = node.inputs;
  const axes = node.op.kind === 'reduce' ? node.op.axes : [];
  const lists: Range[][] = Array.from({ length: elements(node.shape) }, () => []);
  x.forEach((range, flat) => {
    let rest = flat;
    const place = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place[axis] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    const to = shape.reduce((index, extent, axis) => (axes.includes(axis) ? index : index * extent + place[axis]), 0);
    lists[to].push(range);
  });
  return lists;
}
