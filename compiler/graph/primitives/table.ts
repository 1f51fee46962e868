/** The closed set of primitives. A kind of operation without an entry does not compile. */
import type { Node, Op, OpKind } from '../graph.ts';
import { ShapeError } from '../errors.ts';
import { binary } from './binary.ts';
import { composite } from './composite.ts';
import { contract } from './contract.ts';
import { gather, scatterAdd } from './indexed.ts';
import { constant, input, iota, scalar, state } from './leaves.ts';
import { concat, expand, pad, permute, reshape, slice } from './movement.ts';
import type { Lowering, OpOf, Primitive, Typed } from './primitive.ts';
import { reduce } from './reduce.ts';
import { cast, select } from './select.ts';
import { unary } from './unary.ts';

export const PRIMITIVES: { [K in OpKind]: Primitive<OpOf<K>> } = {
  input,
  state,
  scalar,
  constant,
  iota,
  unary,
  binary,
  select,
  cast,
  reduce,
  contract,
  reshape,
  permute,
  expand,
  slice,
  pad,
  concat,
  gather,
  scatter_add: scatterAdd,
  composite,
};

const ARITY: Record<OpKind, number | undefined> = {
  input: 0,
  state: 0,
  scalar: 0,
  constant: 0,
  iota: 0,
  unary: 1,
  binary: 2,
  select: 3,
  cast: 1,
  reduce: 1,
  contract: 2,
  reshape: 1,
  permute: 1,
  expand: 1,
  slice: 1,
  pad: 1,
  concat: undefined,
  gather: 2,
  scatter_add: 2,
  composite: undefined,
};

/** The entry for an operation, typed for any operation. */
export function primitiveOf(op: Op): Primitive {
  return PRIMITIVES[op.kind];
}

/** The type of `op` on these inputs; throws a `ShapeError` if they do not fit. */
export function typeOf(op: Op, inputs: readonly Typed[], wanted: Partial<Typed>): Typed {
  const arity = ARITY[op.kind];
  if (arity !== undefined && inputs.length !== arity) throw new ShapeError(`${op.kind} takes ${arity} operands, not ${inputs.length}`);
  return primitiveOf(op).type(op, inputs, wanted);
}

export function loweringOf(node: Node): Lowering {
  return primitiveOf(node.op).lowering;
}

/** Floating-point operations of a node; a multiply-add counts two. */
export function flopsOf(node: Node): number {
  return primitiveOf(node.op).flops(node.op, node);
}
