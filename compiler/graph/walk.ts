/** Orders of walking a graph. Ids ascend in a topological order, so sorting by id is enough. */
import type { Graph, Node } from './graph.ts';

/** The nodes that `roots` depend on, roots included, operands before their users. The walk does not look behind nodes of `stop`. */
export function ancestors(roots: readonly Node[], stop?: ReadonlySet<Node>): Node[] {
  const seen = new Set<Node>(roots);
  const stack = [...seen];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (stop?.has(node)) continue;
    for (const input of node.inputs) {
      if (!seen.has(input)) {
        seen.add(input);
        stack.push(input);
      }
    }
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** Every node that the graph's outputs need, operands before their users. */
export function nodesOf(graph: Graph): Node[] {
  return ancestors(graph.outputs.map((output) => output.node));
}

/** How many times each node is read: by other nodes, and once by each output. */
export function useCounts(graph: Graph): Map<Node, number> {
  const counts = new Map<Node, number>();
  const count = (node: Node) => counts.set(node, (counts.get(node) ?? 0) + 1);
  for (const node of nodesOf(graph)) node.inputs.forEach(count);
  for (const output of graph.outputs) count(output.node);
  return counts;
}
