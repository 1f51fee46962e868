/**
 * Which values are stored. Nodes are met users first: by then it is known which clusters need a node's value. If only its
 * own cluster does, it stays in registers. Otherwise it is either stored once and loaded by the others, or computed again
 * by each of them; bytes of traffic decide, with a word for arithmetic (`workOf`).
 *
 * In comes a clustering; out go the outputs of each cluster, and the loose nodes that deserve a kernel of their own, with
 * which the clustering is then done again.
 */
import type { Node } from '../graph/graph.ts';
import { sameShape } from '../graph/shape.ts';
import type { Cluster, Clusters } from './cluster.ts';
import { bytesOf, isCore, isFree, isStored, workOf } from './nodes.ts';

/** What one more dispatch costs, in bytes of traffic: about 20 us at 8 GB/s on software drivers. */
const DISPATCH = 160_000;

export interface Demand {
  /** Which cluster stores a node. */
  storedBy: Map<Node, Cluster>;
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
  return new Demanding(order, clusters, options).run(order, roots);
}

class Demanding {
  private readonly users = new Map<Node, Node[]>();
  /** Clusters that need a node's value. */
  private readonly wanted = new Map<Node, Set<Cluster>>();
  private readonly storedBy = new Map<Node, Cluster>();
  private readonly worthy = new Set<Node>();
  private readonly clusters: Clusters;
  private readonly options: DemandOptions;

  constructor(order: readonly Node[], clusters: Clusters, options: DemandOptions) {
    this.clusters = clusters;
    this.options = options;
    for (const node of order) {
      this.wanted.set(node, new Set());
      this.users.set(node, []);
      for (const x of node.inputs) this.users.get(x)?.push(node);
    }
  }

  run(order: readonly Node[], roots: readonly Node[]): Demand {
    const outputs = new Set(roots);
    for (let i = order.length - 1; i >= 0; i--) {
      const node = order[i];
      const by = this.wanted.get(node) ?? new Set();
      if (isStored(node) || isFree(node) || (by.size === 0 && !outputs.has(node))) continue;
      const keeper = this.keeper(node, by);
      if (keeper) this.storedBy.set(node, keeper);
      for (const cluster of keeper ? [keeper] : by) for (const x of node.inputs) this.wanted.get(x)?.add(cluster);
    }
    return { storedBy: this.storedBy, worthy: this.worthy };
  }

  /** The cluster that should store a node, or undefined where its readers compute it. */
  private keeper(node: Node, by: ReadonlySet<Cluster>): Cluster | undefined {
    const home = this.clusters.home.get(node);
    if (this.options.forced.has(node)) return home;
    if (node.dtype === 'bool' || node.op.kind === 'reshape') return undefined;
    const others = [...by].filter((cluster) => cluster !== home);
    if (home) {
      if (others.length === 0) return undefined;
      return isCore(node) || !this.options.fuse || this.again(node, others) >= bytesOf(node) * (1 + others.length) ? home : undefined;
    }
    return others.length > 1 && this.options.fuse ? this.hostOfLoose(node, others) : undefined;
  }

  /** What it costs that each of `others` computes a node of another cluster for itself. */
  private again(node: Node, others: readonly Cluster[]): number {
    const { loads, work } = this.reach(node);
    let cost = work * others.length;
    for (const [x, bytes] of loads) {
      const wanted = this.wanted.get(x);
      const home = this.clusters.home.get(x);
      cost += bytes * others.filter((cluster) => !wanted?.has(cluster)).length;
      const stored = isStored(x) || this.options.forced.has(x) || [...(wanted ?? [])].some((cluster) => cluster !== home);
      if (!stored) cost += bytesOf(x) / this.sharers(x);
    }
    return cost;
  }

  /** Users of x in its cluster that others need as well: they share the cost of storing x, if that lets them all go unstored. */
  private sharers(x: Node): number {
    const home = this.clusters.home.get(x);
    const users = (this.users.get(x) ?? []).filter(
      (user) => this.clusters.home.get(user) === home && !this.options.forced.has(user) && [...(this.wanted.get(user) ?? [])].some((c) => c !== home),
    );
    return Math.max(1, users.length);
  }

  /** For a loose node that several clusters need: the first of them that can store it on the way, or none. */
  private hostOfLoose(node: Node, others: readonly Cluster[]): Cluster | undefined {
    if (['permute', 'slice', 'expand'].includes(node.op.kind)) return undefined;
    const { loads, work } = this.reach(node);
    if (loads.size === 0) return undefined;
    const size = bytesOf(node);
    const load = (cluster: Cluster): number => [...loads].reduce((sum, [x, bytes]) => sum + (this.wanted.get(x)?.has(cluster) ? 0 : bytes), 0);
    const inline = others.reduce((sum, cluster) => sum + load(cluster) + work, 0);
    const first = others.reduce((a, b) => (a.index < b.index ? a : b));
    const canHost = ['map', 'rows', 'product'].includes(first.kind) && sameShape(first.space, node.shape);
    if (canHost && !this.options.alone.has(node)) return load(first) + work + size * others.length <= inline ? first : undefined;
    const all = [...loads.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (all + work + size * (1 + others.length) + DISPATCH < inline) this.worthy.add(node);
    return undefined;
  }

  /**
   * The stored values (or those that could be) which computing a node takes, with the bytes that it loads of each, and
   * the arithmetic on the way. Loose nodes, bool and reshapes are seen through: they are computed by whoever reads them.
   */
  private reach(node: Node): { loads: Map<Node, number>; work: number } {
    const loads = new Map<Node, number>();
    const seen = new Set<Node>();
    let work = 0;
    const visit = (x: Node, bytes: number): void => {
      if (isFree(x)) return;
      const least = Math.min(bytes, bytesOf(x));
      const { home } = this.clusters;
      const stops = isStored(x) || isCore(x) || this.options.forced.has(x) || (home.has(x) && x.dtype !== 'bool' && !['reshape', 'expand'].includes(x.op.kind));
      if (stops && x !== node) {
        loads.set(x, Math.max(loads.get(x) ?? 0, least));
        return;
      }
      if (seen.has(x)) return;
      seen.add(x);
      work += workOf(x);
      for (const input of x.inputs) visit(input, least);
    };
    visit(node, bytesOf(node));
    return { loads, work };
  }
}
