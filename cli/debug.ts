/**
 * PIVOT_DEBUG, a ladder: 1 prints phases and, for every program, its size; 2 adds the simplified graph; 3 adds the time of each
 * kernel while a run is under way. Everything goes to stderr.
 */
import type { Graph } from '../compiler/graph/graph.ts';
import { printGraph } from '../compiler/graph/print.ts';
import { nodesOf } from '../compiler/graph/walk.ts';

export function debugLevel(): number {
  const level = Number(process.env.PIVOT_DEBUG ?? 0);
  return Number.isFinite(level) ? level : 0;
}

/** Told of every graph before it is fused. */
export function debugObserver(): ((role: string, graph: Graph) => void) | undefined {
  const level = debugLevel();
  if (level < 1) return undefined;
  return (role, graph) => {
    process.stderr.write(`[pivot] ${role}: ${nodesOf(graph).length} nodes\n`);
    if (level >= 2) process.stderr.write(`${printGraph(graph)}\n`);
  };
}
