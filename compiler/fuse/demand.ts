/**
 * Which values are stored. Clusters are met from the last to the first: by then it is known which clusters need a node's
 * value. If only its own cluster does, it stays in registers. What others need is stored once and loaded by them, or
 * computed again by each (`keep.ts`); a loose value that several clusters need may be stored by the first of them.
 *
 * In comes a clustering; out go the outputs of each cluster, and the loose nodes that deserve a kernel of their own, with
 * which the clustering is then done again.
 */
import type { Node } from '../graph/graph.ts';
import { NodeMap } from '../graph/node-map.ts';
import type { NodeLookup } from '../graph/node-map.ts';
import { sameShape } from '../graph/shape.ts';
import type { Cluster, Clusters } from './cluster.ts';
import { chooseKept } from './keep.ts';
import type { Needs } from './keep.ts';
import { append, bytesOf, isCore, isFree, isStored, workOf } from './nodes.ts';

/** What one more dispatch costs, in bytes of traffic: about 20 us at 8 GB/s on software drivers. */
const DISPATCH = 160_000;

const NOBODY: readonly Cluster[] = [];

export interface Demand {
  /** Which cluster stores a node. */
  storedBy: NodeLookup<Cluster>;
  /** Loose nodes worth a kernel of their own. */
  worthy: Set<Node>;
}

export interface DemandOptions {
  /** Nodes that must be stored whatever it costs. */
  forced: ReadonlySet<Node>;
  /** Nodes that no other cluster stores on its way. */
  alone: ReadonlySet<Node>;
  /** Without it nothing but what is forced decides. */
  fuse: boolean;
}

/** `order` has operands before users and holds all that the outputs need; `roots` are the nodes of the graph's outputs. */
export function demand(order: readonly Node[], roots: readonly Node[], clusters: Clusters, options: DemandOptions): Demand {
  return new Demanding(roots, clusters, options).run(order);
}

class Demanding {
  /** Clusters that need a node's value, in registers or from memory. */
  private readonly wanted = new NodeMap<Cluster[]>();
  private readonly storedBy = new NodeMap<Cluster>();
  private readonly worthy = new Set<Node>();
  private readonly walk: Needs['walk'] = { met: new NodeMap(), number: 0 };
  private readonly outputs: ReadonlySet<Node>;
  private readonly clusters: Clusters;
  private readonly options: DemandOptions;

  constructor(roots: readonly Node[], clusters: Clusters, options: DemandOptions) {
    this.clusters = clusters;
    this.options = options;
    this.outputs = new Set(roots);
  }

  run(order: readonly Node[]): Demand {
    const { home, available, list } = this.clusters;
    const loose = new Map<number, Node[]>();
    const members = new Map<Cluster, Node[]>(list.map((one) => [one, []]));
    for (const node of order) {
      const own = home.get(node);
      const at = available.get(node) ?? -1;
      if (own) members.get(own)?.push(node);
      else if (!isStored(node) && !isFree(node)) append(loose, at, node);
    }
    // Loose nodes are read by later clusters only, so those that depend on a cluster are settled before its own.
    for (let i = list.length - 1; i >= -1; i--) {
      for (const node of (loose.get(i) ?? []).reverse()) this.settleLoose(node);
      if (i >= 0) this.settleCluster(list[i], members.get(list[i]) ?? []);
    }
    return { storedBy: this.storedBy, worthy: this.worthy };
  }

  private settleLoose(node: Node): void {
    const by = this.wantedBy(node);
    if (by.length === 0) return;
    const host = by.length > 1 && this.options.fuse ? this.hostOfLoose(node, by) : undefined;
    if (host) this.storedBy.set(node, host);
    this.pass(node, host ? [host] : by);
  }

  private settleCluster(own: Cluster, members: readonly Node[]): void {
    const needed = members.filter((node) => this.wantedBy(node).some((cluster) => cluster !== own));
    const needs: Needs = {
      own,
      needed,
      wanted: (node) => this.wantedBy(node),
      home: (node) => this.clusters.home.get(node),
      forced: (node) => this.options.forced.has(node),
      walk: this.walk,
    };
    const kept = this.options.fuse ? chooseKept(needs) : new Set(needed);
    for (const node of [...members].reverse()) {
      const by = this.wantedBy(node);
      const others = by.some((cluster) => cluster !== own);
      const must = this.options.forced.has(node) && (others || this.outputs.has(node));
      const stores = must || (others && (isCore(node) || kept.has(node)));
      if (stores) this.storedBy.set(node, own);
      this.pass(node, stores ? [own] : by);
    }
  }

  private pass(node: Node, to: readonly Cluster[]): void {
    for (const x of node.inputs) {
      const by = this.wanted.get(x);
      if (!by) this.wanted.set(x, [...to]);
      else for (const cluster of to) if (!by.includes(cluster)) by.push(cluster);
    }
  }

  private wantedBy(node: Node): readonly Cluster[] {
    return this.wanted.get(node) ?? NOBODY;
  }

  /** For a loose node that several clusters need: the first of them that can store it on the way, or none. */
  private hostOfLoose(node: Node, others: readonly Cluster[]): Cluster | undefined {
    if (node.dtype === 'bool' || ['reshape', 'permute', 'slice', 'expand'].includes(node.op.kind)) return undefined;
    const { loads, work } = this.reach(node);
    if (loads.size === 0) return undefined;
    const size = bytesOf(node);
    const load = (cluster: Cluster): number =>
      [...loads].reduce((sum, [x, bytes]) => sum + (this.wantedBy(x).includes(cluster) ? 0 : bytes), 0);
    const inline = others.reduce((sum, cluster) => sum + load(cluster) + work, 0);
    const first = others.reduce((a, b) => (a.index < b.index ? a : b));
    const canHost = ['map', 'rows', 'product'].includes(first.kind) && sameShape(first.space, node.shape);
    if (canHost && !this.options.alone.has(node)) return load(first) + work + size * others.length <= inline ? first : undefined;
    const all = [...loads.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (all + work + size * (1 + others.length) + DISPATCH < inline) this.worthy.add(node);
    return undefined;
  }

  /** What computing a loose node loads, in bytes by tensor, and the arithmetic on the way. */
  private reach(node: Node): { loads: Map<Node, number>; work: number } {
    const loads = new Map<Node, number>();
    const seen = new Set<Node>();
    let work = 0;
    const visit = (x: Node, bytes: number): void => {
      if (isFree(x)) return;
      const least = Math.min(bytes, bytesOf(x));
      const inMemory = isStored(x) || (this.clusters.home.has(x) && x.dtype !== 'bool' && !['reshape', 'expand'].includes(x.op.kind));
      if (inMemory) {
        loads.set(x, Math.max(loads.get(x) ?? 0, least));
      } else if (!seen.has(x)) {
        seen.add(x);
        work += workOf(x);
        for (const input of x.inputs) visit(input, least);
      }
    };
    visit(node, bytesOf(node));
    return { loads, work };
  }
}
