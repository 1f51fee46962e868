/**
 * Simplification: named passes, each from graph to graph, with the rules of `verify` checked after each. In comes the
 * graph of a program with its gradients; out goes an equal one with less to do. Passes keep values to the last bit but
 * where `algebra.ts` says otherwise; which nodes share a kernel is left to fusion.
 */
import type { Half } from '../../plan/dtypes.ts';
import type { Graph } from '../graph/graph.ts';
import { verify } from '../graph/verify.ts';
import { simplifyAlgebra } from './algebra.ts';
import { expandComposites } from './composites.ts';
import { removeIdleStates } from './idle-states.ts';
import { rebuild } from './rebuild.ts';
import { splitReductions } from './split-reductions.ts';

export interface Pass {
  readonly name: string;
  run(graph: Graph): Graph;
}

/** How states are held that are not held as f32, by name. */
export type Halves = ReadonlyMap<string, Half>;

/** Tells states how they are held. */
export function holdHalves(halves: Halves): Pass {
  return {
    name: 'hold_halves',
    run: (graph) =>
      rebuild(graph, (b, node) => {
        const { op } = node;
        const half = op.kind === 'state' ? halves.get(op.name) : undefined;
        return op.kind === 'state' && half ? b.node({ ...op, half }, [], node) : undefined;
      }),
  };
}

export const algebra: Pass = { name: 'algebra', run: (graph) => simplifyAlgebra(graph) };

export const idleStates: Pass = { name: 'idle_states', run: removeIdleStates };

export const splitReductionsPass: Pass = { name: 'split_reductions', run: splitReductions };

/** Replaces composites by their definitions, but for the names in `keep`, for which the target has a lowering. */
export function composites(keep: ReadonlySet<string> = new Set()): Pass {
  return { name: 'composites', run: (graph) => expandComposites(graph, keep) };
}

/**
 * The passes of every program, in order; each makes equal computations one node and leaves behind what no output needs (`rebuild`).
 * Reductions are split last: algebra would join them again.
 */
export function simplification(halves: Halves = new Map()): Pass[] {
  return [...(halves.size > 0 ? [holdHalves(halves)] : []), composites(), algebra, idleStates, splitReductionsPass];
}

/** Runs passes in order; a `GraphFault` names the pass after which the graph broke a rule. */
export function runPasses(graph: Graph, passes: readonly Pass[], observe: (pass: Pass, graph: Graph) => void = () => {}): Graph {
  verify(graph);
  return passes.reduce((before, pass) => {
    const after = pass.run(before);
    verify(after, `pass ${pass.name}`);
    observe(pass, after);
    return after;
  }, graph);
}
