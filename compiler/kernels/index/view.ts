/** Whether a value is an affine view of a tensor in memory: what a product can read in place. */
import type { Node } from '../../graph/graph.ts';
import { affine } from './access.ts';
import { axisVariables, flatten, moveBack } from './coordinates.ts';

export interface View {
  /** The tensor in memory. */
  base: Node;
  /** Elements to step in `base` along each axis of the view. */
  strides: number[];
  /** Position in `base` of the first element. */
  offset: number;
}

/**
 * Follows reshapes, permutations, expansions and slices from `node` to a realised tensor. Undefined if something else
 * stands between, or if a reshape merges axes that do not lie together.
 */
export function affineView(node: Node, realised: (node: Node) => boolean): View | undefined {
  const { names, coordinates } = axisVariables(node.shape);
  let [at, where] = [node, coordinates];
  while (!realised(at)) {
    if (!['reshape', 'permute', 'expand', 'slice'].includes(at.op.kind)) return undefined;
    where = moveBack(at, where).coordinates;
    at = at.inputs[0];
  }
  const found = affine(flatten(where, at.shape), names);
  return found && { base: at, ...found };
}
