/**
 * The order in which fusion meets the nodes: operands first, depth first from the outputs. Where a node joins several
 * branches, the branch whose kernel could compute the node as well (same shape, no movement between) is walked last: the
 * node then belongs to the latest kernel it depends on, and can be stored by it instead of by one of its own.
 *
 * What follows the last product or reduction of each branch comes at the end, so that the updates of many small weights,
 * all computable by then, can share kernels.
 */
import type { Graph, Node } from '../graph/graph.ts';
import { sameShape } from '../graph/shape.ts';
import { isCore, isElementwise } from './nodes.ts';

export function fusionOrder(graph: Graph): Node[] {
  const outputs = graph.outputs.map((output) => output.node);
  const cores = depthFirst(outputs).filter(isCore);
  return depthFirst([...cores, ...outputs]);
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
