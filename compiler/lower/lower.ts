/**
 * Lowering: from the simplified graph of one program to the program that a runtime executes.
 *
 * In comes a graph without composites; out go the program (tensors in memory, dispatches in order) and the WGSL of its
 * kernels by hash. The steps: fusion (what shares a kernel), schedule (order, states in place), kernels (WGSL), memory
 * (where scratch lies). Gradients and simplification come before; plans and targets are put together after.
 */
import type { Program, Target } from '../../plan/program.ts';
import { fuse } from '../fuse/fuse.ts';
import { verifyGroups } from '../fuse/verify.ts';
import type { Group } from '../fuse/group.ts';
import { rootOf } from '../fuse/nodes.ts';
import { schedule } from '../fuse/schedule.ts';
import type { Graph, Node } from '../graph/graph.ts';
import { nodesOf } from '../graph/walk.ts';
import { generate } from '../kernels/generate.ts';
import type { Kernel } from '../kernels/kernel.ts';
import { assemble } from './program.ts';
import { kernelTarget } from './targets.ts';

export interface LowerOptions {
  /** False: a kernel for every primitive. Slow; equal to the fused program but for rounding. */
  fuse: boolean;
  /** The role of the program (`step`, `forward`), for messages. */
  name: string;
}

export interface Lowered {
  program: Program;
  /** WGSL by the hash of its content. */
  kernels: Record<string, string>;
}

/** @throws PivotError F0301 (a kernel too wide for the target), M0101 (a tensor too large for it). */
export function lower(source: Graph, target: Target, options: LowerOptions): Lowered {
  const { graph, groups } = fuse(source, { fuse: options.fuse, maxBindings: target.limits.maxStorageBuffersPerShaderStage });
  verifyGroups(
    groups,
    graph.outputs.map((output) => rootOf(output.node)),
  );
  const scalars = scalarNames(graph);
  const forTarget = kernelTarget(target);
  const write = (group: Group, inPlace: ReadonlyMap<Node, Node>, maxBindings = forTarget.maxBindings): Kernel[] =>
    generate(group, { ...forTarget, maxBindings }, { scalarIndex: (name) => scalars.indexOf(name), inPlace });
  const tooWide = (kernels: readonly Kernel[]): boolean => kernels.some((kernel) => kernel.bindings.length > forTarget.maxBindings);
  const made = new Map<Group, Kernel[]>();
  const replaced = new Map<Group, Map<Node, Node>>();
  const plain = (group: Group): Kernel[] => {
    // Asked before it is known what is written in place, which saves bindings; so the limit is not held here.
    const kernels = made.get(group) ?? write(group, new Map(), Infinity);
    made.set(group, kernels);
    return kernels;
  };
  const scheduled = schedule(graph, groups, {
    replace(group, node, state) {
      const kernels = plain(group);
      if (kernels.length !== 1 || !kernels[0].aligned.includes(state)) return false;
      replaced.set(group, (replaced.get(group) ?? new Map<Node, Node>()).set(node, state));
      return true;
    },
  });
  const work = scheduled.groups.map((group) => {
    const inPlace = replaced.get(group);
    return { group, kernels: inPlace || tooWide(plain(group)) ? write(group, inPlace ?? new Map()) : plain(group) };
  });
  return assemble({ graph, work, states: scheduled.states, scalars, target, name: options.name });
}

function scalarNames(graph: Graph): string[] {
  const names = nodesOf(graph).flatMap((node) => (node.op.kind === 'scalar' ? [node.op.name] : []));
  return [...new Set(names)].sort();
}
