/**
 * A map from the nodes of one graph, for the loops that the compiler spends its time in: ids are dense, so a node's entry is
 * found by its id and nothing is hashed. Nodes of other graphs have no place in it.
 */
import { GraphFault } from './errors.ts';
import type { Node } from './graph.ts';

/** What a map from nodes can be asked. */
export interface NodeLookup<V> {
  get(node: Node): V | undefined;
  has(node: Node): boolean;
}

export class NodeMap<V> implements NodeLookup<V> {
  private readonly values: (V | undefined)[] = [];

  get(node: Node): V | undefined {
    return this.values[node.id];
  }

  has(node: Node): boolean {
    return this.values[node.id] !== undefined;
  }

  set(node: Node, value: V): void {
    // Filled up rather than left with holes: an array with long ones becomes a hash table.
    while (this.values.length <= node.id) this.values.push(undefined);
    this.values[node.id] = value;
  }
}

/** The image of a node under a rewriting; a node met before its inputs is a fault. */
export function mapped(made: Pick<NodeLookup<Node>, 'get'>, node: Node): Node {
  const image = made.get(node);
  if (!image) throw new GraphFault(`node ${node.id} (${node.op.kind}) was used before it was made`);
  return image;
}
