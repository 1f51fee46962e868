/** What fusion asks of a single node: how it takes part in kernels, what it weighs, whose memory it shares. */
import { elements } from '../../plan/dtypes.ts';
import type { Node } from '../graph/graph.ts';
import { loweringOf } from '../graph/primitives/table.ts';

/** In memory before the program runs. */
export function isStored(node: Node): boolean {
  return node.op.kind === 'input' || node.op.kind === 'state';
}

/** Written into the kernel (constants, coordinates) or uniform: costs no memory and may be inside any group. */
export function isFree(node: Node): boolean {
  return node.op.kind === 'constant' || node.op.kind === 'iota' || node.op.kind === 'scalar';
}

export function isElementwise(node: Node): boolean {
  return loweringOf(node) === 'elementwise';
}

/** Read by pushing coordinates through it; a gather moves rows by an index that is itself read. */
export function isMovement(node: Node): boolean {
  const lowering = loweringOf(node);
  return lowering === 'movement' || lowering === 'gather';
}

/** Gives a kernel its form: its value is stored unless every reader is in the same kernel. */
export function isCore(node: Node): boolean {
  return node.op.kind === 'contract' || node.op.kind === 'reduce' || node.op.kind === 'scatter_add';
}

/** The node whose memory a node shares: a reshape is another name for the same row-major values. */
export function rootOf(node: Node): Node {
  let root = node;
  while (root.op.kind === 'reshape') root = root.inputs[0];
  return root;
}

/** Bytes of the stored value; every stored type takes four. */
export function bytesOf(node: Node): number {
  return 4 * elements(node.shape);
}

/** Cost of computing a node's own operation once more, a byte of memory traffic being the unit (see kernel-facts: GELU against add). */
export function workOf(node: Node): number {
  const count = elements(node.shape);
  switch (node.op.kind) {
    case 'unary':
      return ['neg', 'abs', 'not', 'floor', 'is_finite'].includes(node.op.fn) ? 0.25 * count : 3 * count;
    case 'binary':
      return node.op.fn === 'pow' ? 12 * count : node.op.fn === 'div' ? count : 0.25 * count;
    case 'select':
    case 'cast':
    case 'pad':
    case 'concat':
      return 0.25 * count;
    case 'gather':
      return count;
    default:
      return 0;
  }
}

/** Adds to the list of a key. */
export function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
