/** Sizes of a graph: how much it computes, how many parameters it reads. */
import type { Graph, Node } from './graph.ts';
import { flopsOf } from './primitives/table.ts';
import { elements } from './shape.ts';
import { nodesOf } from './walk.ts';

export interface GraphStats {
  nodes: number;
  /** Floating-point operations of one execution; a multiply-add counts two, an elementwise function one. */
  flops: number;
  /** The part of `flops` that products make. */
  productFlops: number;
}

export function statsOf(graph: Graph): GraphStats {
  const stats: GraphStats = { nodes: 0, flops: 0, productFlops: 0 };
  for (const node of nodesOf(graph)) {
    stats.nodes += 1;
    if (node.op.kind === 'composite') {
      const body = statsOf(node.op.body);
      stats.flops += body.flops;
      stats.productFlops += body.productFlops;
      continue;
    }
    const flops = flopsOf(node);
    stats.flops += flops;
    if (node.op.kind === 'contract') stats.productFlops += flops;
  }
  return stats;
}

/** The state tensors that a graph reads, by name. */
export function statesOf(graph: Graph): Map<string, Node> {
  const states = new Map<string, Node>();
  for (const node of nodesOf(graph)) if (node.op.kind === 'state') states.set(node.op.name, node);
  return states;
}

/** Elements of all state tensors that a graph reads, or of those whose name is accepted. */
export function parameterCount(graph: Graph, accept: (name: string) => boolean = () => true): number {
  return [...statesOf(graph)].reduce((sum, [name, node]) => sum + (accept(name) ? elements(node.shape) : 0), 0);
}
