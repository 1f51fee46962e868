/**
 * The tensor graph: what one program computes, as a list of nodes over a small closed set of primitives.
 *
 * In comes what the elaborator builds by running stdlib code on symbolic tensors; out goes the same structure to
 * gradients, simplification and fusion, each of which maps graph to graph. Shapes are static. Broadcasting is explicit
 * (`expand`), so elementwise operands always have one shape. Nothing here knows of memory, kernels or devices.
 */
import type { Dtype, Half } from '../../plan/dtypes.ts';

export type UnaryFn =
  | 'neg'
  | 'exp'
  | 'expm1'
  | 'log'
  | 'log1p'
  | 'sqrt'
  | 'tanh'
  | 'erf'
  | 'sin'
  | 'cos'
  | 'abs'
  | 'floor'
  | 'not'
  /** bool: neither NaN nor infinite, tested on the bits (WGSL may assume that there are no NaNs). */
  | 'is_finite';
export type BinaryFn = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'pow' | 'less' | 'less_equal' | 'equal' | 'and' | 'or';
export type ReduceFn = 'sum' | 'max';

/** What a node computes. `inputs` of the node are the operands, in the order given here. */
export type Op =
  /** Leaves. An `input` is written by the host, a `state` lives as long as the task, a `scalar` is a uniform (f32, []). */
  | { kind: 'input'; name: string }
  | { kind: 'state'; name: string; /** How its memory holds it, where that is not f32; its value is the same. */ half?: Half }
  | { kind: 'scalar'; name: string }
  /** A value of shape []; bool as 0 or 1. */
  | { kind: 'constant'; value: number }
  /** i32; the coordinate along `axis` of the node's shape. */
  | { kind: 'iota'; axis: number }
  | { kind: 'unary'; fn: UnaryFn }
  | { kind: 'binary'; fn: BinaryFn }
  /** (condition: bool, then, otherwise) */
  | { kind: 'select' }
  /** To the node's dtype. f32 to i32 truncates. */
  | { kind: 'cast' }
  /** Removes `axes` (ascending). */
  | { kind: 'reduce'; fn: ReduceFn; axes: number[] }
  /**
   * Generalised product of two tensors: sum over the labels that are not in `out`. Each label names an axis; a label in
   * `a` and `b` and `out` is a batch axis; every label of `out` stands in `a` or `b`, every other label in both. Labels
   * do not repeat within an operand. The order of `out` is free, so transposed results need no movement.
   */
  | { kind: 'contract'; a: number[]; b: number[]; out: number[] }
  /** With `again`, what is computed from it is computed once more, however equal it is to what is computed from its operand (recompute.ts). */
  | { kind: 'reshape'; again?: string }
  /** out.shape[i] = in.shape[order[i]] */
  | { kind: 'permute'; order: number[] }
  /** Same rank; axes of extent 1 are repeated to the node's shape. */
  | { kind: 'expand' }
  /** Begins at `start` in each axis; the node's shape is the size. */
  | { kind: 'slice'; start: number[] }
  /** Zeros around; `before` in each axis, the rest after. */
  | { kind: 'pad'; before: number[] }
  | { kind: 'concat'; axis: number }
  /** (table [V, ...rest], index i32 [...lead]) -> [...lead, ...rest] */
  | { kind: 'gather' }
  /** (values [...lead, ...rest], index i32 [...lead]) -> [V, ...rest]: sums of the values whose index is v. */
  | { kind: 'scatter_add' }
  /**
   * A named piece with a definition: `body` computes it from leaves named `arg0`, `arg1`, ... (kind `input`), and has one
   * output. A pass replaces it by the definition unless the target has a better lowering and gradient of that name.
   */
  | { kind: 'composite'; name: string; body: Graph };

export type OpKind = Op['kind'];

export interface Node {
  /** Unique within a graph; ascending in a topological order. */
  readonly id: number;
  readonly op: Op;
  readonly inputs: readonly Node[];
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The path in the model where it was made (`eyes.blocks.2.attention.scores`), for messages; no influence on results. */
  readonly label?: string;
}

/** The 16-bit floats that a leaf's memory holds it as, if any. */
export function halfOf({ op }: Node): Half | undefined {
  return op.kind === 'state' ? op.half : undefined;
}

export interface Output {
  /** `state`: the new value of that state tensor. `output`: read by the host. */
  kind: 'state' | 'output';
  name: string;
  node: Node;
}

export interface Graph {
  outputs: Output[];
}
