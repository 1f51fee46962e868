/** Which tensor a product reads when its operand is a view: the operand itself has no memory if movement explains it. */
import type { Node } from '../graph/graph.ts';
import { affineView } from '../kernels/index/view.ts';

/**
 * The deepest node that `operand` is an affine view of (see `affineView`), which then has to be in memory. At worst that
 * is the operand itself.
 */
export function viewedBy(operand: Node): Node {
  const chain = [operand];
  for (let at = operand; ['reshape', 'permute', 'slice', 'expand'].includes(at.op.kind); chain.push(at)) at = at.inputs[0];
  for (let base = chain.pop(); base && base !== operand; base = chain.pop()) {
    const deepest = base;
    if (affineView(operand, (node) => node === deepest)) return deepest;
  }
  return operand;
}
