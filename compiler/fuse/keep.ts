/**
 * What a cluster stores for others. Several of its values may be needed outside; each can be stored and loaded, or its
 * readers compute it from something else that is stored: one pre-activation in place of three parts of a slope. The choice
 * is made for all of them together, by bytes of traffic with a word for arithmetic (`workOf`): from two extremes, values are
 * moved in or out one at a time as long as that helps.
 */
import type { Node } from '../graph/graph.ts';
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
  wanted(node: Node): ReadonlySet<Cluster>;
  home(node: Node): Cluster | undefined;
  forced(node: Node): boolean;
}

/** The nodes to store, beyond those that have no choice (forced, products, reductions). */
export function chooseKept(needs: Needs): Set<Node> {
  const optional = needs.needed.filter((node) => !isFixed(node, needs) && canStore(node));
  if (optional.length === 0) return new Set();
  const readers = readersOf(needs);
  const within = candidates(needs);
  const flips = within.length <= MANY ? within : optional.length <= TOO_MANY ? optional : [];
  let best = new Set(optional);
  let least = cost(best, readers, needs);
  const none = cost(new Set(), readers, needs);
  if (none < least) [best, least] = [new Set(), none];
  for (let round = 0; round < flips.length; round++) {
    let better: Set<Node> | undefined;
    for (const node of flips) {
      const other = new Set(best);
      if (!other.delete(node)) other.add(node);
      const total = cost(other, readers, needs);
      if (total < least) [better, least] = [other, total];
    }
    if (!better) break;
    best = better;
  }
  return best;
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

/** Traffic and arithmetic if exactly `kept` (and what is fixed) is stored. */
function cost(kept: ReadonlySet<Node>, readers: ReadonlyMap<Cluster, readonly Node[]>, needs: Needs): number {
  let total = 0;
  const stored = new Set<Node>();
  for (const [reader, nodes] of readers) {
    const seen = new Set<Node>();
    const visit = (node: Node, bytes: number): void => {
      if (isFree(node) || seen.has(node)) return;
      seen.add(node);
      const home = needs.home(node);
      const ours = home === needs.own;
      const stops = ours ? kept.has(node) || isFixed(node, needs) : isStored(node) || (home !== undefined && canStore(node));
      const least = Math.min(bytes, bytesOf(node));
      if (!stops) {
        total += workOf(node);
        for (const x of node.inputs) visit(x, least);
        return;
      }
      const wanted = needs.wanted(node);
      if (ours || !wanted.has(reader)) total += least + BINDING;
      // A tensor of an earlier cluster that nobody else has asked for would be stored for this.
      const there = isStored(node) || (!ours && (needs.forced(node) || [...wanted].some((one) => one !== home)));
      if (!there && !(ours && needs.forced(node))) stored.add(node);
    };
    for (const node of nodes) visit(node, bytesOf(node));
  }
  for (const node of stored) total += bytesOf(node) + BINDING;
  return total;
}
