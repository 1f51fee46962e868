/**
 * What a cluster stores for others. Several of its values may be needed outside; each can be stored and loaded, or its
 * readers compute it from something else that is stored: one pre-activation in place of three parts of a slope. The choice
 * is made for all of them together, by bytes of traffic with a word for arithmetic (`workOf`): from two extremes, values are
 * moved in or out one at a time as long as that helps.
 */
import type { Node } from '../graph/graph.ts';
import type { NodeMap } from '../graph/node-map.ts';
import type { Cluster } from './cluster.ts';
import { append, bytesOf, isCore, isFree, isStored, workOf } from './nodes.ts';

/** Cost of one more buffer bound, in bytes of traffic: among equals the fewer. */
const BINDING = 1024;
/** Candidates beyond which only what is needed outside is considered, and beyond which of these the two extremes alone are. */
const MANY = 48;
const TOO_MANY = 64;

export interface Needs {
  own: Cluster;
  /** Nodes of the cluster that others need as things stand, operands first. */
  needed: readonly Node[];
  wanted(node: Node): readonly Cluster[];
  home(node: Node): Cluster | undefined;
  forced(node: Node): boolean;
  /** For walks over nodes: the number of the last that met each, and of the one under way. */
  walk: { met: NodeMap<number>; number: number };
}

/** The nodes to store, beyond those that have no choice (forced, products, reductions). */
export function chooseKept(needs: Needs): Set<Node> {
  const optional = needs.needed.filter((node) => !isFixed(node, needs) && canStore(node));
  if (optional.length === 0) return new Set();
  const weighing = new Weighing(needs);
  const within = candidates(needs);
  const flips = within.length <= MANY ? within : optional.length <= TOO_MANY ? optional : [];
  let best = new Set(optional);
  let least = weighing.cost(best);
  const none = weighing.cost(new Set());
  if (none < least) [best, least] = [new Set(), none];
  for (let round = 0; round < flips.length; round++) {
    let better: Node | undefined;
    for (const node of flips) {
      flip(best, node);
      const total = weighing.cost(best);
      if (total < least) [better, least] = [node, total];
      flip(best, node);
    }
    if (!better) break;
    flip(best, better);
  }
  return best;
}

function flip(kept: Set<Node>, node: Node): void {
  if (!kept.delete(node)) kept.add(node);
}

/** No choice about it: it is in memory if anybody needs it. */
function isFixed(node: Node, needs: Needs): boolean {
  return isCore(node) || needs.forced(node);
}

function canStore(node: Node): boolean {
  return node.dtype !== 'bool' && node.op.kind !== 'reshape' && node.op.kind !== 'expand';
}

function readersOf({ own, needed, wanted }: Needs): Map<Cluster, Node[]> {
  const readers = new Map<Cluster, Node[]>();
  for (const node of needed) for (const one of wanted(node)) if (one !== own) append(readers, one, node);
  return readers;
}

/** What could be stored in place of what is needed: all that it is computed from within the cluster. */
function candidates(needs: Needs): Node[] {
  const found = new Set<Node>();
  const stack = [...needs.needed];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (found.has(node) || needs.home(node) !== needs.own) continue;
    found.add(node);
    if (!isFixed(node, needs)) stack.push(...node.inputs);
  }
  return [...found].filter((node) => !isFixed(node, needs) && canStore(node));
}

/** What a choice costs. Walked over and over, so nothing is made on the way. */
class Weighing {
  private readonly needs: Needs;
  private readonly readers: ReadonlyMap<Cluster, readonly Node[]>;
  private total = 0;
  private stored: Node[] = [];

  constructor(needs: Needs) {
    this.needs = needs;
    this.readers = readersOf(needs);
  }

  /** Traffic and arithmetic if exactly `kept` (and what is fixed) is stored. */
  cost(kept: ReadonlySet<Node>): number {
    this.total = 0;
    this.stored = [];
    this.readers.forEach((nodes, reader) => {
      this.needs.walk.number++;
      for (const node of nodes) this.visit(node, bytesOf(node), reader, kept);
    });
    for (const node of this.stored) this.total += bytesOf(node) + BINDING;
    return this.total;
  }

  private visit(node: Node, bytes: number, reader: Cluster, kept: ReadonlySet<Node>): void {
    const { needs } = this;
    const { walk } = needs;
    if (isFree(node) || walk.met.get(node) === walk.number) return;
    walk.met.set(node, walk.number);
    const home = needs.home(node);
    const ours = home === needs.own;
    const stops = ours ? kept.has(node) || isFixed(node, needs) : isStored(node) || (home !== undefined && canStore(node));
    const own = bytesOf(node);
    const least = own < bytes ? own : bytes;
    if (!stops) {
      this.total += workOf(node);
      for (let i = 0; i < node.inputs.length; i++) this.visit(node.inputs[i], least, reader, kept);
      return;
    }
    const wanted = needs.wanted(node);
    if (ours || !wanted.includes(reader)) this.total += least + BINDING;
    // A tensor of an earlier cluster that nobody else has asked for would be stored for this.
    const there = isStored(node) || (!ours && (needs.forced(node) || wanted.some((one) => one !== home)));
    if (!there && !(ours && needs.forced(node)) && !this.stored.includes(node)) this.stored.push(node);
  }
}
