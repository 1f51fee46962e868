/**
 * Coordinates: one index an axis. Movement nodes cost no memory in a kernel; here their output coordinates become
 * coordinates of their input.
 */
import { GraphFault } from '../../graph/errors.ts';
import type { Node } from '../../graph/graph.ts';
import { stridesOf } from '../../graph/shape.ts';
import { add, confine, constant, div, inRange, mod, plus, scale, variable } from './expression.ts';
import type { Index } from './expression.ts';

export type Coordinates = readonly Index[];

/** Position in a row-major tensor of this shape. */
export function flatten(coordinates: Coordinates, shape: readonly number[]): Index {
  const strides = stridesOf(shape);
  return add(constant(0), ...coordinates.map((coordinate, axis) => scale(coordinate, strides[axis])));
}

/** Coordinates of a position in a row-major tensor of this shape. */
export function unflatten(flat: Index, shape: readonly number[]): Index[] {
  const strides = stridesOf(shape);
  return shape.map((extent, axis) => {
    if (extent === 1) return constant(0);
    const rest = div(flat, strides[axis]);
    return axis === 0 ? rest : mod(rest, extent);
  });
}

/** A test that decides whether a value is there (true) or zero; the coordinates are safe to load from either way. */
export interface Guard {
  index: Index;
  extent: number;
}

export interface Moved {
  coordinates: Index[];
  guards: Guard[];
  /** A guard is known to fail: the value is zero. */
  outside: boolean;
}

/** Where a movement node of one input takes the value at `coordinates` from. */
export function moveBack(node: Node, coordinates: Coordinates): Moved {
  const [input] = node.inputs;
  const moved = (list: Index[]): Moved => ({ coordinates: list, guards: [], outside: false });
  const { op } = node;
  switch (op.kind) {
    case 'reshape':
      return moved(unflatten(flatten(coordinates, node.shape), input.shape));
    case 'permute': {
      const list = new Array<Index>(coordinates.length);
      op.order.forEach((axis, i) => (list[axis] = coordinates[i]));
      return moved(list);
    }
    case 'expand':
      return moved(coordinates.map((coordinate, axis) => (input.shape[axis] === 1 ? constant(0) : coordinate)));
    case 'slice':
      return moved(coordinates.map((coordinate, axis) => plus(coordinate, op.start[axis])));
    case 'pad': {
      const shifted = coordinates.map((coordinate, axis) => plus(coordinate, -op.before[axis]));
      const tests = shifted.map((index, axis) => inRange(index, input.shape[axis]));
      return {
        coordinates: shifted.map((index, axis) => confine(index, input.shape[axis] - 1)),
        guards: tests.filter((test) => typeof test === 'object'),
        outside: tests.includes(false),
      };
    }
    default:
      throw new GraphFault(`'${op.kind}' moves nothing`);
  }
}

/** One variable an axis, named `x0`, `x1`, ..., to ask where a chain of movement leads. */
export function axisVariables(shape: readonly number[]): { names: string[]; coordinates: Index[] } {
  const names = shape.map((_, axis) => `x${axis}`);
  return { names, coordinates: shape.map((extent, axis) => variable(names[axis], extent - 1, 0)) };
}
