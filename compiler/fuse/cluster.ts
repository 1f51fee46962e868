/**
 * Clusters: which kernel may compute which node. A cluster begins with a node that gives a kernel its form, or with a
 * value that must be stored; elementwise nodes of the same space join the latest cluster that they depend on, as far as
 * everything else they read is there before it begins. Clusters are numbered as they begin, and a cluster reads only from
 * clusters of lower numbers, so no cycle can arise.
 *
 * Nodes that join no cluster are loose: they are computed inside whatever reads them. What is in fact stored, and what is
 * computed again by its readers, is decided afterwards (`demand.ts`).
 */
import type { Node } from '../graph/graph.ts';
import { NodeMap } from '../graph/node-map.ts';
import type { NodeLookup } from '../graph/node-map.ts';
import { elements, sameShape } from '../graph/shape.ts';
import type { GroupKind } from './group.ts';
import { append, isCore, isElementwise, isFree, isStored, rootOf } from './nodes.ts';

/** Elements below which saving a dispatch is worth more than the order in which tensors are freed. */
const SMALL = 2 ** 18;

export interface Cluster {
  index: number;
  kind: GroupKind;
  space: readonly number[];
  reduced: number;
  core?: Node;
  /** The node that a map cluster began with. */
  first?: Node;
  reduces: Node[];
}

export interface Clusters {
  /** The cluster that a node may be computed in; absent for loose nodes and leaves. */
  home: NodeLookup<Cluster>;
  /** By node the number of the latest cluster that its value depends on, its own included; -1 where it depends on leaves only. */
  available: NodeLookup<number>;
  /** By number. */
  list: Cluster[];
}

export interface ClusterOptions {
  /** Loose nodes in this set begin a cluster of their own. */
  forced: ReadonlySet<Node>;
  /** Clusters that begin with one of these are joined by nobody: they were cut off a kernel that bound too much. */
  sealed: ReadonlySet<Node>;
  /** Reductions that one kernel may hold, by the first of it, where more bound too many tensors. */
  full: ReadonlyMap<Node, number>;
  /** Nodes in this set join no cluster that exists. */
  alone: ReadonlySet<Node>;
  fuse: boolean;
  /** States by the nodes that give them their new values, where the old ones are read. */
  replaces: ReadonlyMap<Node, Node>;
  /** Most storage buffers of one kernel; values that only happen to have one shape share a kernel up to this. */
  maxBindings: number;
}

export function cluster(order: readonly Node[], options: ClusterOptions): Clusters {
  return new Clustering(options).run(order);
}

class Clustering {
  private readonly home = new NodeMap<Cluster>();
  private readonly list: Cluster[] = [];
  private readonly available = new NodeMap<number>();
  private readonly options: ClusterOptions;
  /** Clusters of kind map, rows and columns by space, the latest last. */
  private readonly bySpace = new Map<string, Cluster[]>();
  /** Stored tensors that a cluster binds, as far as known: for sharing kernels among unrelated values. */
  private readonly bound = new Map<Cluster, Set<Node>>();
  /** What the node at hand loads; by node the last that met it on this walk, and that counted its tensor. */
  private loaded: { by: Node; tensors: readonly Node[] } | undefined;
  private readonly met = new NodeMap<Node>();
  private readonly counted = new NodeMap<Node>();

  constructor(options: ClusterOptions) {
    this.options = options;
  }

  run(order: readonly Node[]): Clusters {
    for (const node of order) {
      if (isStored(node) || isFree(node)) {
        this.available.set(node, -1);
        continue;
      }
      const latest = node.inputs.reduce((most, x) => Math.max(most, this.availableAt(x)), -1);
      const home = this.place(node, latest);
      if (home) {
        const bound = this.boundBy(home);
        for (const x of this.loads(node)) if (this.home.get(x) !== home) bound.add(x);
        if (isCore(node) || this.options.forced.has(node)) bound.add(node);
        this.home.set(node, home);
      }
      this.available.set(node, home ? home.index : latest);
    }
    return { home: this.home, available: this.available, list: this.list };
  }

  private place(node: Node, latest: number): Cluster | undefined {
    const { kind } = node.op;
    if (kind === 'contract' || kind === 'scatter_add') {
      return this.begin(kind === 'contract' ? 'product' : 'scatter', { space: node.shape, core: node });
    }
    if (kind === 'reduce') return this.placeReduce(node, latest);
    const joins = this.options.fuse && !this.options.alone.has(node);
    if (joins && latest >= 0 && this.accepts(this.list[latest], node) && this.reads(this.list[latest], node)) return this.list[latest];
    if (!this.options.forced.has(node)) return undefined;
    const shared = joins ? this.sharing('map', node.shape, 0, node, latest) : undefined;
    return shared ?? this.begin('map', { space: node.shape, first: node });
  }

  private placeReduce(node: Node, latest: number): Cluster {
    const [input] = node.inputs;
    const axes = node.op.kind === 'reduce' ? node.op.axes : [];
    const kind = axes[axes.length - 1] === input.shape.length - 1 ? 'rows' : 'columns';
    const current = latest >= 0 ? this.list[latest] : undefined;
    let home: Cluster | undefined;
    if (this.options.fuse && !this.options.alone.has(node)) {
      const same = current?.kind === kind && current.reduced === axes.length && sameShape(current.space, input.shape);
      const follows = current && (this.home.get(input) === current || !this.isFull(current));
      home = current && same && follows && this.reads(current, node) ? current : this.sharing(kind, input.shape, axes.length, node, latest);
    }
    home ??= this.begin(kind, { space: input.shape, reduced: axes.length });
    home.reduces.push(node);
    return home;
  }

  /** Whether the form of a cluster lets it compute this node. */
  private accepts(home: Cluster, node: Node): boolean {
    if (home.first && this.options.sealed.has(home.first)) return false;
    if (isElementwise(node) && sameShape(node.shape, home.space))
      return home.kind === 'map' || home.kind === 'product' || home.kind === 'rows';
    if (home.kind !== 'rows') return false;
    if (node.op.kind === 'expand') return sameShape(node.shape, home.space) && isPerRow(node.inputs[0].shape, home, true);
    return (isElementwise(node) || node.op.kind === 'reshape') && (isPerRow(node.shape, home, false) || isPerRow(node.shape, home, true));
  }

  /** Whether everything that a node reads is computed in this cluster, or there before it begins. */
  private reads(home: Cluster, node: Node): boolean {
    return node.inputs.every((x) => this.home.get(x) === home || this.availableAt(x) < home.index);
  }

  /**
   * An existing cluster of the same form that begins late enough, has bindings to spare, and reads a tensor in common (or others of the same
   * kernel: what is stored of these is not settled yet);
   * where the tensors are small, what counts is one dispatch less, and nothing need be in common.
   */
  private sharing(kind: GroupKind, space: readonly number[], reduced: number, node: Node, latest: number): Cluster | undefined {
    const candidates = this.bySpace.get(spaceKey(kind, space, reduced)) ?? [];
    const wanted = this.loads(node);
    const small = elements(space) <= SMALL;
    for (let i = candidates.length - 1; i >= 0 && candidates[i].index >= latest; i--) {
      const candidate = candidates[i];
      if ((candidate.first && this.options.sealed.has(candidate.first)) || this.isFull(candidate)) continue;
      if (!this.reads(candidate, node) || !(small || this.hasCommon(candidate, wanted))) continue;
      if (this.binds(candidate, node, wanted)) return candidate;
    }
    return undefined;
  }

  /** Whether a cluster computes or binds one of these tensors, or binds another of the same kernel. */
  private hasCommon(home: Cluster, wanted: readonly Node[]): boolean {
    const bound = this.boundBy(home);
    const makers = wanted.map((x) => this.home.get(x));
    if (makers.includes(home) || wanted.some((x) => bound.has(x))) return true;
    for (const x of bound) {
      const maker = this.home.get(x);
      if (maker && makers.includes(maker)) return true;
    }
    return false;
  }

  private isFull(home: Cluster): boolean {
    const [first] = home.reduces;
    return first !== undefined && home.reduces.length >= (this.options.full.get(first) ?? Infinity);
  }

  private begin(kind: GroupKind, more: { space: readonly number[]; core?: Node; first?: Node; reduced?: number }): Cluster {
    const made: Cluster = { index: this.list.length, kind, reduced: 0, reduces: [], ...more };
    this.list.push(made);
    append(this.bySpace, spaceKey(kind, made.space, made.reduced), made);
    this.bound.set(made, new Set());
    return made;
  }

  /** Tensors in memory that computing a node loads, if nothing of other clusters is computed again. */
  private loads(node: Node): readonly Node[] {
    const { loaded, met, counted } = this;
    if (loaded?.by === node) return loaded.tensors;
    const tensors: Node[] = [];
    const visit = (x: Node): void => {
      if (isFree(x) || met.get(x) === node) return;
      met.set(x, node);
      if (!isStored(x) && (x.dtype === 'bool' || !this.home.has(x))) return x.inputs.forEach(visit);
      const root = rootOf(x);
      if (counted.get(root) !== node) tensors.push(root);
      counted.set(root, node);
    };
    node.inputs.forEach(visit);
    this.loaded = { by: node, tensors };
    return tensors;
  }

  /** Whether a cluster may bind one more stored value; a state that is replaced gives its binding to the new value. */
  private binds(home: Cluster, node: Node, loads: readonly Node[]): boolean {
    const { maxBindings, replaces } = this.options;
    const bound = this.boundBy(home);
    const isNew = (x: Node): boolean => this.home.get(x) !== home && !bound.has(x);
    let count = bound.size + (bound.has(node) ? 0 : 1);
    for (const x of loads) if (isNew(x)) count++;
    if (count <= maxBindings) return true;
    const replaced = (x: Node): boolean => {
      const state = replaces.get(x);
      return state !== undefined && (bound.has(state) || loads.includes(state));
    };
    for (const x of bound) if (replaced(x)) count--;
    for (const x of loads) if (isNew(x) && replaced(x)) count--;
    return count - (!bound.has(node) && replaced(node) ? 1 : 0) <= maxBindings;
  }

  private boundBy(home: Cluster): Set<Node> {
    return this.bound.get(home) ?? new Set();
  }

  private availableAt(node: Node): number {
    return this.available.get(node) ?? -1;
  }
}

/** Whether a shape has one value a row of a cluster: that of the axes that are kept, `ones` for those that are reduced or nothing. */
function isPerRow(shape: readonly number[], { space, reduced }: Cluster, ones: boolean): boolean {
  const rank = space.length - reduced;
  if (shape.length !== (ones ? space.length : rank)) return false;
  for (let axis = 0; axis < shape.length; axis++) if (shape[axis] !== (axis < rank ? space[axis] : 1)) return false;
  return true;
}

function spaceKey(kind: GroupKind, space: readonly number[], reduced: number): string {
  return `${kind} ${reduced} ${space.join(' ')}`;
}
