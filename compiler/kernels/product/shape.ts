/**
 * A contract as a batch of matrix products. Labels of both operands and the result are the batch, labels of one operand
 * and the result its rows (M) or columns (N), the others are summed (K). Several labels of one role are walked as one flat
 * axis; where their strides do not merge, the position comes out as a quotient and a remainder.
 */
import { elements } from '../../../plan/dtypes.ts';
import { GraphFault } from '../../graph/errors.ts';
import type { Node } from '../../graph/graph.ts';
import { quad } from '../index/access.ts';
import { flatten, moveBack, unflatten } from '../index/coordinates.ts';
import type { Coordinates } from '../index/coordinates.ts';
import { add, constant, lane, scale, variable } from '../index/expression.ts';
import type { Index } from '../index/expression.ts';

/** Which axis of an operand has its elements side by side in memory, four at an aligned place. */
export type Along = 'outer' | 'k' | 'neither';

export interface ProductShape {
  core: Node;
  batch: number;
  m: number;
  n: number;
  k: number;
  /** The operand of the rows and the one of the columns: the contract's inputs, exchanged if that stores better. */
  a: Node;
  b: Node;
  aAlong: Along;
  bAlong: Along;
  /** Coordinates in `a`, `b` and the result, from flat positions. */
  atA(batch: Index, m: Index, k: Index): Coordinates;
  atB(batch: Index, n: Index, k: Index): Coordinates;
  atOut(batch: Index, m: Index, n: Index): Coordinates;
}

interface Role {
  labels: number[];
  extents: number[];
}

/** How a contract is to be computed. `isRealised` tells which nodes lie in memory. */
export function shapeOf(core: Node, isRealised: (node: Node) => boolean): ProductShape {
  const { op } = core;
  if (op.kind !== 'contract') throw new GraphFault(`node ${core.id} (${op.kind}) is no product`);
  const [a, b] = core.inputs;
  const straight = roles(core, a, op.a, b, op.b, op.out, isRealised);
  // Stores want four neighbours of the result in one thread, along N.
  const last = op.out.at(-1);
  const lastOfA = last !== undefined && op.a.includes(last) && !op.b.includes(last);
  const { m, n } = straight;
  const exchange = lastOfA ? !(m < 16 && n >= 32) : n < 16 && m >= 32;
  return exchange ? roles(core, b, op.b, a, op.a, op.out, isRealised) : straight;
}

function roles(
  core: Node,
  a: Node,
  aLabels: number[],
  b: Node,
  bLabels: number[],
  out: number[],
  isRealised: (node: Node) => boolean,
): ProductShape {
  const extent = (label: number) => (aLabels.includes(label) ? a.shape[aLabels.indexOf(label)] : b.shape[bLabels.indexOf(label)]);
  const role = (labels: number[]): Role => ({ labels, extents: labels.map(extent) });
  const batch = role(out.filter((label) => aLabels.includes(label) && bLabels.includes(label)));
  const m = role(out.filter((label) => aLabels.includes(label) && !bLabels.includes(label)));
  const n = role(out.filter((label) => bLabels.includes(label) && !aLabels.includes(label)));
  const k = role(aLabels.filter((label) => !out.includes(label)));

  /** Coordinates along `labels`, where each role's flat position is given. */
  const at = (labels: readonly number[], parts: readonly [Role, Index][]): Coordinates => {
    const found = new Map<number, Index>();
    for (const [{ labels: of, extents }, flat] of parts) unflatten(flat, extents).forEach((index, i) => found.set(of[i], index));
    return labels.map((label) => found.get(label) ?? constant(0));
  };
  const shape = {
    atA: (x: Index, i: Index, kk: Index) =>
      at(aLabels, [
        [batch, x],
        [m, i],
        [k, kk],
      ]),
    atB: (x: Index, j: Index, kk: Index) =>
      at(bLabels, [
        [batch, x],
        [n, j],
        [k, kk],
      ]),
    atOut: (x: Index, i: Index, j: Index) =>
      at(out, [
        [batch, x],
        [m, i],
        [n, j],
      ]),
  };
  const sizes = [batch, m, n, k].map(({ extents }) => elements(extents));
  const along = (operand: Node, outer: number, coordinates: (x: Index, i: Index, kk: Index) => Coordinates): Along => {
    const x = variable('x', sizes[0] - 1, 0);
    const whole = (name: string, size: number) => variable(name, size - 1, 0);
    const four = (name: string, size: number) => (size % 4 === 0 ? add(scale(variable(name, size / 4 - 1, 0), 4), lane) : undefined);
    const [i4, k4] = [four('i', outer), four('k', sizes[3])];
    if (k4 && sideBySide(operand, coordinates(x, whole('i', outer), k4), isRealised)) return 'k';
    if (i4 && sideBySide(operand, coordinates(x, i4, whole('k', sizes[3])), isRealised)) return 'outer';
    return 'neither';
  };
  return {
    core,
    batch: sizes[0],
    m: sizes[1],
    n: sizes[2],
    k: sizes[3],
    a,
    b,
    aAlong: along(a, sizes[1], shape.atA),
    bAlong: along(b, sizes[2], shape.atB),
    ...shape,
  };
}

/** Whether the four lanes of these coordinates lie side by side, at an aligned place. */
function sideBySide(node: Node, coordinates: Coordinates, isRealised: (node: Node) => boolean): boolean {
  if (isRealised(node)) return quad(flatten(coordinates, node.shape)) !== undefined;
  if (!['reshape', 'permute', 'expand', 'slice', 'pad'].includes(node.op.kind)) return false;
  return sideBySide(node.inputs[0], moveBack(node, coordinates).coordinates, isRealised);
}
