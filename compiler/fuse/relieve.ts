/**
 * Groups that would bind more buffers than the target allows are cut. What a kernel computes before its form is settled
 * (operands, prologues) can be stored by a kernel of its own: the tensors it needed are then one. What follows (epilogues)
 * can leave from the first node on that goes over the limit. Reductions that share a kernel without need of each other part.
 */
import type { Node } from '../graph/graph.ts';
import type { Cluster, Clusters } from './cluster.ts';
import type { Group } from './group.ts';
import { isElementwise } from './nodes.ts';

export interface Relief {
  store: Node[];
  leave: Node[];
  /** How many reductions the kernel may hold from now on. */
  fewer?: number;
}

/** Buffers that the kernels of a group bind; a new value of a state takes the place of the old one where both are bound. */
export function bindingsOf(group: Pick<Group, 'kind' | 'outputs' | 'reads'>, replaces: ReadonlyMap<Node, Node>): number {
  const added = group.outputs.filter((x) => {
    const state = replaces.get(x);
    return state === undefined || !group.reads.includes(state);
  });
  return group.reads.length + added.length + (group.kind === 'scatter' ? 1 : 0);
}

/** What to change so that the group of a cluster binds at most `limit` buffers; undefined if it does already. */
export function relieve(
  group: Group,
  home: Cluster,
  clusters: Clusters,
  forced: ReadonlySet<Node>,
  replaces: ReadonlyMap<Node, Node>,
  limit: number,
): Relief | undefined {
  if (bindingsOf(group, replaces) <= limit) return undefined;
  const hosted = group.outputs.filter((node) => !clusters.home.has(node));
  if (hosted.length > 0) return { store: [], leave: hosted };
  const guest = group.reduces.findLast((node) => node !== home.reduces[0] && !dependsOn(node, group.reduces, group.inside));
  if (guest) return { store: [], leave: [], fewer: home.reduces.indexOf(guest) };
  const own = (node: Node): boolean => clusters.home.get(node) === home;
  const loads = loadsWithin(group);
  const width = (node: Node): number => loads.get(node)?.size ?? 0;
  const cuts = [...group.inside].filter(
    (node) =>
      !own(node) &&
      !forced.has(node) &&
      node.dtype !== 'bool' &&
      (isElementwise(node) || node.op.kind === 'concat' || node.op.kind === 'gather' || node.op.kind === 'pad') &&
      width(node) >= 2 &&
      width(node) < limit,
  );
  if (cuts.length > 0)
    return {
      store: apart(
        cuts.sort((a, b) => width(b) - width(a)),
        loads,
      ),
      leave: [],
    };
  const members = [...group.inside].filter(own).sort((a, b) => a.id - b.id);
  // A kernel that is far too wide, such as one that updates hundreds of vectors, is settled in one round, not by a node a round.
  const all = bindingsOf(group, replaces) > 2 * limit;
  return { store: [], leave: beyond(group, home, members, loads, forced, limit, all) };
}

/** The widest of the cuts, and those that share no loads with the ones taken before: one round settles a whole sum of many terms. */
function apart(cuts: readonly Node[], loads: ReadonlyMap<Node, ReadonlySet<Node>>): Node[] {
  const taken = new Set<Node>();
  return cuts.filter((cut) => {
    const own = [...(loads.get(cut) ?? [])];
    if (own.some((x) => taken.has(x))) return false;
    own.forEach((x) => taken.add(x));
    return true;
  });
}

/** Whether a reduction needs another of its group; if not, it is there to share reads, and can as well have its own kernel. */
function dependsOn(reduce: Node, others: readonly Node[], inside: ReadonlySet<Node>): boolean {
  const seen = new Set<Node>();
  const stack = [...reduce.inputs];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (others.includes(node)) return true;
    if (seen.has(node) || !inside.has(node)) continue;
    seen.add(node);
    stack.push(...node.inputs);
  }
  return false;
}

/** Tensors that each node of a group loads, itself and all it is computed from within the group. */
function loadsWithin(group: Group): Map<Node, Set<Node>> {
  const loads = new Map<Node, Set<Node>>();
  const reads = new Set(group.reads);
  for (const node of [...group.inside].sort((a, b) => a.id - b.id)) {
    const all = new Set<Node>();
    for (const x of node.inputs) {
      if (reads.has(x)) all.add(x);
      else loads.get(x)?.forEach((y) => all.add(y));
    }
    loads.set(node, all);
  }
  return loads;
}

/**
 * The first node of a cluster, in order, with which it would go over the limit, or `all` such nodes; they leave, and their users with
 * them. What gave the cluster its form cannot leave; a reduction that joined it can.
 */
function beyond(
  group: Group,
  home: Cluster,
  members: readonly Node[],
  loads: ReadonlyMap<Node, ReadonlySet<Node>>,
  forced: ReadonlySet<Node>,
  limit: number,
  all: boolean,
): Node[] {
  const left = new Set<Node>();
  const gone = new Set<Node>();
  const bound = new Set<Node>();
  let last: Node | undefined;
  const outputs = new Set(group.outputs);
  for (const node of members) {
    if (node.inputs.some((x) => gone.has(x))) {
      gone.add(node);
      continue;
    }
    const stored = outputs.has(node) || forced.has(node);
    const added = [...(loads.get(node) ?? []), ...(stored ? [node] : [])].filter((x) => !bound.has(x));
    if (node !== group.core && node !== home.reduces[0] && node !== home.first) {
      last = node;
      // One more for the value that those after it are computed from.
      if (bound.size + added.length + (stored ? 0 : 1) > limit) {
        if (!all) return [node];
        left.add(node);
        gone.add(node);
        continue;
      }
    }
    added.forEach((x) => bound.add(x));
  }
  return left.size > 0 ? [...left] : last ? [last] : [];
}
