/**
 * How passes rewrite: a graph is made anew, operands first, in a fresh builder. Equal nodes become one on the way, nodes
 * that no output needs are left behind, labels and the order of outputs stay.
 */
import { GraphBuilder } from '../graph/builder.ts';
import type { Graph, Node } from '../graph/graph.ts';
import { mapped, NodeMap } from '../graph/node-map.ts';
import { nodesOf } from '../graph/walk.ts';

/**
 * Makes the new node for an old one, given the new operands; undefined to copy it. The result must have the type of the
 * old node.
 */
export type Rewrite = (b: GraphBuilder, node: Node, inputs: readonly Node[]) => Node | undefined;

export function rebuild(graph: Graph, rewrite: Rewrite = () => undefined): Graph {
  const b = new GraphBuilder();
  const made = new NodeMap<Node>();
  for (const node of nodesOf(graph)) {
    const inputs = node.inputs.map((x) => mapped(made, x));
    const image = b.withLabel(node.label, () => rewrite(b, node, inputs) ?? b.node(node.op, inputs, node));
    made.set(node, image);
  }
  return { outputs: graph.outputs.map((output) => ({ ...output, node: mapped(made, output.node) })) };
}
