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
import type { Kernel } from '../kernels/kernel.ts';
import { GraphFault } from '../graph/errors.ts';
import { KernelWriter } from './memo.ts';
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
  const apart = new Set<string>();
  for (;;) {
    const { graph, work, states, copied } = kernelsOf(source, target, options.fuse, apart);
    const wide = widest(work, target);
    if (!wide) return assemble({ graph, work, states, scalars: scalarNames(graph), target, name: options.name });
    // The only reason can be a new value that was counted as taking its state's place, and has to be bound beside it.
    const before = apart.size;
    for (const { kind, name, node } of graph.outputs)
      if (kind === 'state' && copied.has(name) && wide.outputs.includes(rootOf(node))) apart.add(name);
    if (apart.size === before)
      throw new GraphFault(`a ${wide.kind} kernel over [${wide.space.join(', ')}] binds more buffers than ${target.name} allows`);
  }
}

interface Work {
  graph: Graph;
  /** In the order in which they run. */
  work: { group: Group; kernels: Kernel[] }[];
  /** Nodes stored in the memory of states. */
  states: ReadonlyMap<string, Node>;
  /** States whose new values are copied at the end. */
  copied: ReadonlySet<string>;
}

function kernelsOf(source: Graph, target: Target, fuses: boolean, apart: ReadonlySet<string>): Work {
  const { graph, groups } = fuse(source, { fuse: fuses, maxBindings: target.limits.maxStorageBuffersPerShaderStage, apart });
  verifyGroups(
    groups,
    graph.outputs.map((output) => rootOf(output.node)),
  );
  const scalars = scalarNames(graph);
  // Written without a limit at first: it may be kept only by storing in place.
  const writer = new KernelWriter({ ...kernelTarget(target), maxBindings: Infinity }, (name) => scalars.indexOf(name));
  const replaced = new Map<Group, Map<Node, Node>>();
  const scheduled = schedule(graph, groups, {
    replace(group, node, state) {
      const kernels = writer.write(group);
      if (kernels.length !== 1 || !kernels[0].aligned.includes(state)) return false;
      replaced.set(group, (replaced.get(group) ?? new Map<Node, Node>()).set(node, state));
      return true;
    },
  });
  const work = scheduled.groups.map((group) => ({ group, kernels: writer.write(group, replaced.get(group)) }));
  return { graph, work, states: scheduled.states, copied: scheduled.copied };
}

/** A group with a kernel that binds too much, if there is one. */
function widest(work: Work['work'], target: Target): Group | undefined {
  return work.find(({ kernels }) => kernels.some((kernel) => kernel.bindings.length > target.limits.maxStorageBuffersPerShaderStage))
    ?.group;
}

function scalarNames(graph: Graph): string[] {
  const names = nodesOf(graph).flatMap((node) => (node.op.kind === 'scalar' ? [node.op.name] : []));
  return [...new Set(names)].sort();
}
