/** What PIVOT_DEBUG shows of a compilation (see debug.ts for the ladder). */
import type { Graph } from '../compiler/graph/graph.ts';
import { printGraph } from '../compiler/graph/print.ts';
import { nodesOf } from '../compiler/graph/walk.ts';
import { debugLevel } from './debug.ts';

/** Told of every graph before it is fused. */
export function debugObserver(): ((role: string, graph: Graph) => void) | undefined {
  const level = debugLevel();
  if (level < 1) return undefined;
  return (role, graph) => {
    process.stderr.write(`[pivot] ${role}: ${nodesOf(graph).length} nodes\n`);
    if (level >= 2) process.stderr.write(`${printGraph(graph)}\n`);
  };
}
