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
import { NodeMap } from '../graph/node-map.ts';
import type { NodeLookup } from '../graph/node-map.ts';
import { cluster } from './cluster.ts';
import type { Cluster, Clusters } from './cluster.ts';
import { demand } from './demand.ts';
import { factor } from './factor.ts';
import type { Group } from './group.ts';
import { legalise } from './legalise.ts';
import { isElementwise, isFree, isMovement, isStored, rootOf } from './nodes.ts';
import { fusionOrder } from './order.ts';
import { bindingsOf, relieve } from './relieve.ts';
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
    const drafts = draftsOf(order, clusters, storedBy);
    let changed = false;
    for (const draft of drafts) {
      if (bindingsOf(draft, replaces) <= options.maxBindings) continue;
      const { home } = draft;
      const relief = relieve(groupOf(draft), home, clusters, forced, replaces, options.maxBindings);
      relief?.store.forEach((node) => forced.add(node) && sealed.add(node));
      relief?.leave.forEach((node) => alone.add(node));
      if (relief?.fewer !== undefined) full.set(home.reduces[0], relief.fewer);
      changed ||= relief !== undefined;
    }
    if (!changed) return { graph, groups: drafts.map(groupOf) };
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

/** A group as far as its bindings have to be known. */
interface Draft extends Pick<Group, 'kind' | 'outputs' | 'reads'> {
  home: Cluster;
  inside: readonly Node[];
}

/** For each cluster that stores something, everything that its outputs need, down to what is stored before it runs. */
function draftsOf(order: readonly Node[], clusters: Clusters, storedBy: NodeLookup<Cluster>): Draft[] {
  const outputs = clusters.list.map((): Node[] => []);
  for (const node of order) {
    const keeper = storedBy.get(node);
    if (keeper) outputs[keeper.index].push(node);
  }
  /** By node the last cluster whose draft it is in. */
  const metBy = new NodeMap<Cluster>();
  return clusters.list.flatMap((home) => {
    const stores = outputs[home.index];
    if (stores.length === 0) return [];
    const inside: Node[] = [];
    const reads: Node[] = [];
    const stack = [...stores];
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (metBy.get(node) === home) continue;
      metBy.set(node, home);
      const keeper = storedBy.get(node);
      if (isStored(node) || (keeper && keeper !== home)) {
        reads.push(node);
      } else {
        inside.push(node);
        stack.push(...node.inputs);
      }
    }
    return [{ kind: home.kind, outputs: stores, reads, home, inside }];
  });
}

function groupOf({ kind, outputs, reads, home, inside }: Draft): Group {
  const all = new Set(inside);
  const { core, space, reduced } = home;
  return { kind, outputs, inside: all, reads, core, reduces: home.reduces.filter((node) => all.has(node)), space, reduced };
}
