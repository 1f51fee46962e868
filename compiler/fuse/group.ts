/**
 * A group is the set of graph nodes that one kernel computes. Fusion makes groups, the kernel generators turn each into
 * WGSL. Movement inside a group costs no memory: the generators push coordinates through it, so a group loads realised
 * tensors at computed positions.
 */
import type { Node } from '../graph/graph.ts';

export type GroupKind =
  /** out[i] = expression(i): elementwise, movement, gather. All outputs have one shape, the space. */
  | 'map'
  /**
   * Reductions over the trailing axes of one space, with elementwise work before, between and after (softmax, norms,
   * sums of rows). `reduces` all have inputs of shape `space` and reduce the same trailing axes. Outputs have the shape of
   * the space or of the kept axes, these with or without extents of 1 for the reduced ones.
   */
  | 'rows'
  /** Sums over leading axes of one space (bias gradients), with elementwise work before. Outputs: the reduces themselves. */
  | 'columns'
  /** One `contract`, with elementwise work on its result. Outputs have the contract's shape. Operands are realised, or affine views of realised tensors. */
  | 'product'
  /** One `scatter_add`, as a sum over host-made lists of positions; no atomics. Output: that node. */
  | 'scatter';

export interface Group {
  kind: GroupKind;
  /** What it stores. */
  outputs: Node[];
  /** Every node computed within, outputs included. Leaves of kind scalar, constant and iota may be inside any group. */
  inside: Set<Node>;
  /** Realised nodes that it loads: input, state, or outputs of earlier groups. */
  reads: Node[];
  /** The contract of a `product`, the scatter_add of a `scatter`. */
  core?: Node;
  /** The reduces of a `rows` or `columns` group, in order of dependence. */
  reduces: Node[];
  /** Full shape of the index space (`map`: of the outputs; `rows`, `columns`: before reduction; `product`: of the contract). */
  space: readonly number[];
  /** `rows`: how many trailing axes are reduced. `columns`: how many leading ones. Else 0. */
  reduced: number;
}
