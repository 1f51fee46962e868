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
  const met: NodesById = stop !== undefined && stop.size > 0 ? new Map<number, Node>() : new NodeArray(roots);
  const stack: Node[] = [];
  const meet = (node: Node): void => {
    const known = met.get(node.id);
    if (known === node) return;
    if (known) throw new GraphFault(`node ${node.id} (${node.op.kind}) has an id that another node has`);
    met.set(node.id, node);
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
  return met instanceof NodeArray ? met.ascending() : [...(met as Map<number, Node>).values()].sort((a, b) => a.id - b.id);
}

/** A walk that stops meets few nodes of a graph that may be large, so a map holds them; any other meets most of them, for which an array is faster. */
interface NodesById {
  get: (id: number) => Node | undefined;
  set: (id: number, node: Node) => unknown;
}

class NodeArray implements NodesById {
  private readonly nodes: (Node | undefined)[];

  constructor(roots: readonly Node[]) {
    this.nodes = new Array<Node | undefined>(roots.reduce((id, root) => Math.max(id, root.id), -1) + 1).fill(undefined);
  }

  get(id: number): Node | undefined {
    return this.nodes[id];
  }

  set(id: number, node: Node): void {
    this.nodes[id] = node;
  }

  ascending(): Node[] {
    return this.nodes.filter((node) => node !== undefined);
  }
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
