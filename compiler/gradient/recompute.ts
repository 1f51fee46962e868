/**
 * Recomputation (Chen et al. 2016, "Training deep nets with sublinear memory cost"): what happens within a repeated layer is computed again where
 * its gradient needs it, so that between the two only what enters each layer is kept.
 *
 * In comes a graph with its gradient, out goes an equal one. Layers are known by the labels of their nodes (`eyes.blocks.3.attention`).
 * The copies read what enters the layer through a marked reshape (`again`), so that no pass takes them for what they are copies of; the
 * schedule runs them once nothing else can be (see `fuse/schedule.ts`).
 */
import { GraphBuilder } from '../graph/builder.ts';
import { mapped } from '../graph/node-map.ts';
import type { Graph, Node } from '../graph/graph.ts';
import { nodesOf } from '../graph/walk.ts';

/** `forward`: how many nodes the builder had before it made the gradient; ids below are the computation, the others come after it. */
export function recompute(graph: Graph, forward: number): Graph {
  const b = new GraphBuilder();
  const nodes = nodesOf(graph);
  const kept = keptNodes(graph, nodes, forward);
  const made = new Map<Node, Node>();
  const copies = new Map<Node, Node>();

  const again = (x: Node, layer: string): Node =>
    isFree(x) ? mapped(made, x) : b.node({ kind: 'reshape', again: layer }, [mapped(made, x)], { shape: x.shape });
  const copyOf = (node: Node, layer: string): Node => {
    const known = copies.get(node);
    if (known) return known;
    const inputs = node.inputs.map((x) => (layerOf(x) === layer && !kept.has(x) ? copyOf(x, layer) : again(x, layer)));
    const copy = b.withLabel(node.label, () => b.node(node.op, inputs, node));
    copies.set(node, copy);
    return copy;
  };
  for (const node of nodes) {
    const inputs = node.inputs.map((x) => {
      const layer = node.id >= forward && x.id < forward && !kept.has(x) ? layerOf(x) : undefined;
      return layer === undefined ? mapped(made, x) : copyOf(x, layer);
    });
    made.set(
      node,
      b.withLabel(node.label, () => b.node(node.op, inputs, node)),
    );
  }
  return { outputs: graph.outputs.map((output) => ({ ...output, node: mapped(made, output.node) })) };
}

/** Nodes of the computation that stay in memory: what leaves a layer, what is in none, and what the host asks for. */
function keptNodes(graph: Graph, nodes: readonly Node[], forward: number): Set<Node> {
  const kept = new Set(graph.outputs.map(({ node }) => node));
  for (const node of nodes) {
    if (node.id >= forward) continue;
    const layer = layerOf(node);
    if (layer === undefined) kept.add(node);
    for (const x of node.inputs) if (layerOf(x) !== layer) kept.add(x);
  }
  return kept;
}

/** The repeated layer that a node was made in; leaves are in none, since they are in memory or cost nothing. */
function layerOf({ label, inputs }: Node): string | undefined {
  return inputs.length === 0 ? undefined : /^.*?\.\d+(?=\.|$)/.exec(label ?? '')?.[0];
}

function isFree({ op }: Node): boolean {
  return op.kind === 'constant' || op.kind === 'scalar' || op.kind === 'iota';
}
