/**
 * Brings a graph into the form that groups can be made of, without changing what it computes:
 * - a reduction runs over trailing axes, or is a sum over leading ones; any other reads its input through a permutation;
 * - a concatenation has no more parts than a kernel has bindings to read them;
 * - every output is a node of its own that some kernel stores: an output that is an input, a state, a constant or the same
 *   tensor as another output gets a copy. A state whose new value is itself is left out.
 */
import type { Graph, Node, Output } from '../graph/graph.ts';
import { GraphFault } from '../graph/errors.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { mapped, NodeMap } from '../graph/node-map.ts';
import { nodesOf } from '../graph/walk.ts';
import { isFree, isStored, rootOf } from './nodes.ts';

/** The legal form of a graph, in new nodes. `parts` is the most that one concatenation may have (two at least). */
export function legalise(graph: Graph, parts: number): Graph {
  const b = new GraphBuilder();
  const made = new NodeMap<Node>();
  for (const node of nodesOf(graph)) {
    const inputs = node.inputs.map((x) => mapped(made, x));
    made.set(
      node,
      b.withLabel(node.label, () => rebuild(b, node, inputs, parts)),
    );
  }
  const claimed = new Set<Node>();
  const outputs: Output[] = [];
  for (const output of graph.outputs) {
    let node = mapped(made, output.node);
    if (node.dtype === 'bool') throw new GraphFault(`output ${output.name} is bool, which is never stored`);
    if (output.kind === 'state' && node.op.kind === 'state' && node.op.name === output.name) continue;
    while (needsCopy(rootOf(node)) || claimed.has(rootOf(node))) node = copyOf(b, node);
    claimed.add(rootOf(node));
    outputs.push({ ...output, node });
  }
  return { outputs };
}

function needsCopy(root: Node): boolean {
  return isStored(root) || isFree(root) || root.dtype === 'bool';
}

/** A slice that takes everything: the one movement that is not another name for its input. */
export function copyOf(b: GraphBuilder, node: Node): Node {
  return b.node({ kind: 'slice', start: node.shape.map(() => 0) }, [node], { shape: node.shape });
}

function rebuild(b: GraphBuilder, node: Node, inputs: readonly Node[], parts: number): Node {
  const { op } = node;
  if (op.kind === 'composite') throw new GraphFault(`composite ${op.name} reached the fuser: expand composites first`);
  if (op.kind === 'reduce') return reduction(b, inputs[0], op.fn, op.axes);
  if (op.kind === 'concat' && inputs.length > parts) {
    const merged: Node[] = [];
    for (let i = 0; i < inputs.length; i += parts) merged.push(b.concat(inputs.slice(i, i + parts), op.axis));
    return rebuild(b, node, merged, parts);
  }
  return b.node(op, inputs, node);
}

function reduction(b: GraphBuilder, x: Node, fn: 'sum' | 'max', axes: readonly number[]): Node {
  const rank = x.shape.length;
  const trailing = axes.every((axis, i) => axis === rank - axes.length + i);
  const leading = axes.every((axis, i) => axis === i);
  if (trailing || (leading && fn === 'sum')) return b.node({ kind: 'reduce', fn, axes: [...axes] }, [x]);
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  return b.node({ kind: 'reduce', fn, axes: axes.map((_, i) => kept.length + i) }, [b.permute(x, [...kept, ...axes])]);
}
