/**
 * The order in which fusion meets the nodes: operands first, depth first from the outputs. Where a node joins several
 * branches, the branch whose kernel could compute the node as well (same shape, no movement between) is walked last: the
 * node then belongs to the latest kernel it depends on, and can be stored by it instead of by one of its own.
 *
 * Reductions that no product waits for (gradients of biases, norms, the loss) come after all products, the longest way to
 * the end first, and what follows them at the very end: much of that is small, and can share kernels once it is all there.
 */
import type { Graph, Node } from '../graph/graph.ts';
import { sameShape } from '../graph/shape.ts';
import { isCore, isElementwise } from './nodes.ts';

export function fusionOrder(graph: Graph): Node[] {
  const outputs = graph.outputs.map((output) => output.node);
  const plain = depthFirst(outputs);
  const { height, awaited } = future(plain);
  const cores = plain.filter(isCore);
  const late = cores
    .filter((node) => node.op.kind === 'reduce' && !awaited.has(node))
    .sort((a, b) => (height.get(b) ?? 0) - (height.get(a) ?? 0));
  const isLate = new Set(late);
  return depthFirst([...cores.filter((node) => !isLate.has(node)), ...late, ...outputs]);
}

/** For each node the number of products and reductions on the longest way from it to an output, and whether a product is among them. */
function future(order: readonly Node[]): { height: Map<Node, number>; awaited: Set<Node> } {
  const height = new Map<Node, number>();
  const awaited = new Set<Node>();
  for (const node of [...order].reverse()) {
    const own = (height.get(node) ?? 0) + (isCore(node) ? 1 : 0);
    for (const x of node.inputs) {
      height.set(x, Math.max(height.get(x) ?? 0, own));
      if (awaited.has(node) || node.op.kind === 'contract' || node.op.kind === 'scatter_add') awaited.add(x);
    }
  }
  return { height, awaited };
}

function depthFirst(roots: readonly Node[]): Node[] {
  const done = new Set<Node>();
  const order: Node[] = [];
  for (const root of roots) {
    const stack: { node: Node; inputs: readonly Node[]; next: number }[] = [];
    const enter = (node: Node): void => {
      stack.push({ node, inputs: branches(node), next: 0 });
    };
    enter(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      if (done.has(top.node)) {
        stack.pop();
      } else if (top.next < top.inputs.length) {
        const input = top.inputs[top.next++];
        if (!done.has(input)) enter(input);
      } else {
        done.add(top.node);
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
}

function branches(node: Node): readonly Node[] {
  if (node.inputs.length < 2 || !isElementwise(node)) return node.inputs;
  return [...node.inputs].sort((a, b) => hosts(a, node) - hosts(b, node) || a.id - b.id);
}

/** How likely the kernel of `input` can go on to compute `node`: products last of all, since only the latest kernel can. */
function hosts(input: Node, node: Node): number {
  if (!sameShape(input.shape, node.shape)) return 0;
  return input.op.kind === 'contract' ? 3 : isElementwise(input) ? 2 : isCore(input) ? 1 : 0;
}
