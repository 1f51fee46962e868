/**
 * Fusion: from a tensor graph to groups, each of which becomes one kernel.
 *
 * In comes a graph without composites; out go groups in an order in which they can run. The graph is first rewritten where
 * that leaves less to store (`factor`) and brought into the form that groups can be made of (`legalise`). Then come three
 * steps, each in its file: `order` (how the nodes are met), `cluster` (which kernel may compute a node), `demand` (what is
 * stored, what is computed again by its readers). They are repeated while values turn out to need a kernel of their own,
 * either since it pays or since a kernel would bind more buffers than the target allows (`relieve`). Memory and the final
 * order are left to `schedule` and `memory/layout`; WGSL to the kernel generators.
 */
import { PivotError } from '../../plan/errors.ts';
import type { Graph, Node } from '../graph/graph.ts';
import type { NodeLookup } from '../graph/node-map.ts';
import { cluster } from './cluster.ts';
import type { Cluster, Clusters } from './cluster.ts';
import { demand } from './demand.ts';
import { factor } from './factor.ts';
import type { Group } from './group.ts';
import { legalise } from './legalise.ts';
import { isElementwise, isFree, isMovement, isStored, rootOf } from './nodes.ts';
import { fusionOrder } from './order.ts';
import { relieve } from './relieve.ts';
import { viewedBy } from './views.ts';

export interface FuseOptions {
  /** False: a kernel for every primitive, as far as values may be stored at all (bool may not). */
  fuse: boolean;
  /** Storage buffers that one kernel may bind. */
  maxBindings: number;
  /** States whose new values need a binding of their own, beside the old ones. */
  apart?: ReadonlySet<string>;
}

export interface Fused {
  /** The graph in the form that the groups' nodes belong to; its outputs are nodes of their own. */
  graph: Graph;
  groups: Group[];
}

/** Rounds after which a graph that still does not fit is given up; each round settles all kernels that were too wide. */
const ROUNDS = 64;

/** @throws PivotError F0301 if a kernel cannot be brought under the target's number of storage buffers. */
export function fuse(source: Graph, options: FuseOptions): Fused {
  const graph = legalise(options.fuse ? factor(source) : source, Math.max(2, Math.min(16, options.maxBindings) - 1));
  const order = fusionOrder(graph);
  const roots = graph.outputs.map((output) => rootOf(output.node));
  const replaces = replacedStates(graph, order, options.apart);
  const forced = mustStore(order, roots, options.fuse);
  const alone = new Set<Node>();
  const sealed = new Set<Node>();
  const full = new Map<Node, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const clusters = cluster(order, { forced, alone, sealed, full, replaces, ...options, maxBindings: Math.min(16, options.maxBindings) });
    const { storedBy, worthy } = demand(order, roots, clusters, { forced, alone, fuse: options.fuse });
    worthy.forEach((node) => forced.add(node));
    if (worthy.size > 0) continue;
    const groups = groupsOf(order, clusters, storedBy);
    let changed = false;
    for (const { group, home } of groups) {
      const relief = relieve(group, home, clusters, forced, replaces, options.maxBindings);
      relief?.store.forEach((node) => forced.add(node) && sealed.add(node));
      relief?.leave.forEach((node) => alone.add(node));
      if (relief?.fewer !== undefined) full.set(home.reduces[0], relief.fewer);
      changed ||= relief !== undefined;
    }
    if (!changed) return { graph, groups: groups.map(({ group }) => group) };
  }
  throw new PivotError(
    'F0301',
    `a kernel of this program needs more than the ${options.maxBindings} storage buffers that the target offers`,
    {
      cure: 'Compute the widest expression in parts, or use an adapter that offers more storage buffers per shader stage.',
    },
  );
}

/** The states that are read, by the nodes that give them their new values; without those of `apart`. */
export function replacedStates(graph: Graph, order: readonly Node[], apart?: ReadonlySet<string>): Map<Node, Node> {
  const states = new Map(order.flatMap((node) => (node.op.kind === 'state' ? [[node.op.name, node] as const] : [])));
  return new Map(
    graph.outputs.flatMap(({ kind, name, node }) => {
      const state = kind === 'state' && !apart?.has(name) ? states.get(name) : undefined;
      return state ? [[rootOf(node), state] as const] : [];
    }),
  );
}

/** Values that are in memory whatever it costs: outputs, operands of products, tables and sources of indexed rows. */
function mustStore(order: readonly Node[], roots: readonly Node[], fuses: boolean): Set<Node> {
  const forced = new Set(roots);
  for (const node of order) {
    if (node.op.kind === 'contract') for (const x of node.inputs) forced.add(viewedBy(x));
    if (node.op.kind === 'gather' || node.op.kind === 'scatter_add') forced.add(rootOf(node.inputs[0]));
    const plain = (isElementwise(node) || isMovement(node)) && node.dtype !== 'bool' && node.op.kind !== 'reshape';
    if (!fuses && plain && !constantAlone(node)) forced.add(node);
  }
  for (const node of [...forced]) if (isStored(node)) forced.delete(node);
  return forced;
}

/** A constant repeated: never worth a kernel. */
function constantAlone(node: Node): boolean {
  return isFree(node) || ((node.op.kind === 'expand' || node.op.kind === 'reshape') && constantAlone(node.inputs[0]));
}

function groupsOf(order: readonly Node[], clusters: Clusters, storedBy: NodeLookup<Cluster>): { group: Group; home: Cluster }[] {
  const outputs = new Map<Cluster, Node[]>(clusters.list.map((one) => [one, []]));
  for (const node of order) {
    const keeper = storedBy.get(node);
    if (keeper) outputs.get(keeper)?.push(node);
  }
  return clusters.list.flatMap((one) => {
    const stores = outputs.get(one) ?? [];
    return stores.length > 0 ? [{ group: groupOf(one, stores, storedBy), home: one }] : [];
  });
}

/** Everything that a cluster's outputs need, down to what is stored before it runs. */
function groupOf(one: Cluster, outputs: Node[], storedBy: NodeLookup<Cluster>): Group {
  const inside = new Set<Node>();
  const reads = new Set<Node>();
  const stack = [...outputs];
  for (let node = stack.pop(); node; node = stack.pop()) {
    const keeper = storedBy.get(node);
    if (isStored(node) || (keeper && keeper !== one)) {
      reads.add(node);
    } else if (!inside.has(node)) {
      inside.add(node);
      stack.push(...node.inputs);
    }
  }
  const reduces = one.reduces.filter((node) => inside.has(node));
  return { kind: one.kind, outputs, inside, reads: [...reads], core: one.core, reduces, space: one.space, reduced: one.reduced };
}
