/** Removes the outputs that give a state the value it has: frozen weights, moments that no step changes. */
import type { Graph } from '../graph/graph.ts';

export function removeIdleStates(graph: Graph): Graph {
  return {
    outputs: graph.outputs.filter(({ kind, name, node }) => !(kind === 'state' && node.op.kind === 'state' && node.op.name === name)),
  };
}
