/** What PIVOT_DEBUG shows of a compilation (see debug.ts for the ladder). */
import type { Graph } from '../compiler/graph/graph.ts';
import { printGraph } from '../compiler/graph/print.ts';
import { nodesOf } from '../compiler/graph/walk.ts';
import type { Plan } from '../plan/plan.ts';
import type { Program } from '../plan/program.ts';
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

/** Prints the dispatches of every program of a plan, each with its kernel, its grid and what it binds (`>` before what it writes). */
export function debugPrograms(plan: Plan): void {
  if (debugLevel() < 3) return;
  for (const [hash, program] of Object.entries(plan.programs)) {
    const { target, dispatches, flops, traffic, slabs } = program;
    const sum = `${dispatches.length} kernels, ${flops} FLOP, ${traffic} bytes moved, ${slabs.reduce((a, b) => a + b, 0)} bytes of scratch`;
    process.stderr.write(`[pivot] program ${hash} for ${target}: ${sum}\n${listing(program)}\n`);
  }
}

function listing({ dispatches, tensors }: Program): string {
  return dispatches
    .map(({ label, kernel, workgroups, bindings, writes }, i) => {
      const bound = bindings.map((t, at) => `${writes.includes(at) ? '>' : ''}${tensors[t].name}[${tensors[t].shape.join(', ')}]`);
      return `  ${i} ${label} ${workgroups.join('x')} wgsl/${kernel}: ${bound.join(' ')}`;
    })
    .join('\n');
}
