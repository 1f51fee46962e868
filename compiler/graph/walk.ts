/** Orders of walking a graph. Ids ascend in a topological order, so sorting by id is enough. */
import { GraphFault } from './errors.ts';
import type { Graph, Node } from './graph.ts';
import { NodeMap } from './node-map.ts';
import type { NodeLookup } from './node-map.ts';

/**
 * The nodes that `roots` depend on, roots included, operands before their users. The walk does not look behind nodes of `stop`.
 * Throws a GraphFault where ids are not what `Node` promises.
 */
export function ancestors(roots: readonly Node[], stop?: ReadonlySet<Node>): Node[] {
  const most = roots.reduce((id, root) => Math.max(id, root.id), -1);
  const byId = new Array<Node | undefined>(most + 1).fill(undefined);
  const stack: Node[] = [];
  const meet = (node: Node): void => {
    const known = byId[node.id];
    if (known === node) return;
    if (known) throw new GraphFault(`node ${node.id} (${node.op.kind}) has an id that another node has`);
    byId[node.id] = node;
    stack.push(node);
  };
  roots.forEach(meet);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (stop?.has(node)) continue;
    for (const input of node.inputs) {
      if (input.id >= node.id) throw new GraphFault(`node ${node.id} (${node.op.kind}) comes before its operand ${input.id}`);
      meet(input);
    }
  }
  return byId.filter((node) => node !== undefined);
}

/** Every node that the graph's outputs need, operands before their users. */
export function nodesOf(graph: Graph): Node[] {
  return ancestors(graph.outputs.map((output) => output.node));
}

/** How many times each node is read: by other nodes, and once by each output. */
export function useCounts(graph: Graph): NodeLookup<number> {
  const counts = new NodeMap<number>();
  const count = (node: Node) => counts.set(node, (counts.get(node) ?? 0) + 1);
  for (const node of nodesOf(graph)) node.inputs.forEach(count);
  for (const output of graph.outputs) count(output.node);
  return counts;
}
