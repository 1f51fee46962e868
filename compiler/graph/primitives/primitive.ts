/**
 * What the compiler knows of one primitive, in one place: the rule of its type, its gradient, a slow and obvious
 * evaluator, how it is lowered and what it costs. `table.ts` has one entry for each kind of operation.
 */
import type { Dtype } from '../../../plan/dtypes.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Graph, Node, Op, OpKind } from '../graph.ts';

/**
 * How the compiler turns a node into work: leaves are there already, elementwise and movement nodes fuse into whatever
 * reads them, the others give a kernel its form.
 */
export type Lowering = 'leaf' | 'elementwise' | 'movement' | 'reduce' | 'contract' | 'gather' | 'scatter' | 'composite';

/** Shape and element type of a value. */
export interface Typed {
  readonly shape: readonly number[];
  readonly dtype: Dtype;
}

export type OpOf<K extends OpKind> = Extract<Op, { kind: K }>;

/** Values of the oracle: row-major, float64 whatever the node's type (bool as 0 or 1). */
export type Values = Float64Array;

export interface EvaluateContext {
  /** The bound value of a leaf. */
  leaf(kind: 'input' | 'state' | 'scalar', node: Node, name: string): Values;
  /** Evaluates the body of a composite on the values of its arguments. */
  body(graph: Graph, args: readonly Values[]): Values;
}

export interface GradientContext {
  readonly builder: GraphBuilder;
  /** Whether the gradient of this input is needed at all. */
  wanted(input: number): boolean;
  /** The gradient of a composite by its definition (or by the rule registered for its name), one entry an input. */
  composite(node: Node, dy: Node): (Node | undefined)[];
}

export interface Primitive<O extends Op = Op> {
  readonly lowering: Lowering;
  /**
   * The type of the result; throws a `ShapeError` if the operands do not fit. `wanted` is the node's declared type, for
   * operations that do not determine it themselves (leaves, reshape, expand, slice, pad, cast).
   */
  type(op: O, inputs: readonly Typed[], wanted: Partial<Typed>): Typed;
  /**
   * The vector-Jacobian product as new nodes: given the gradient `dy` of the result, one entry an input, undefined
   * where none flows. `dy` has the shape of the node and is f32.
   */
  gradient(c: GradientContext, op: O, node: Node, dy: Node): (Node | undefined)[];
  evaluate(op: O, node: Node, inputs: readonly Values[], c: EvaluateContext): Values;
  /** Floating-point operations of the node; a multiply-add counts two, any elementwise function one. */
  flops(op: O, node: Node): number;
}

/** Where no gradient flows: integer and boolean results, steps, leaves. */
export function noGradient(): undefined[] {
  return [];
}
