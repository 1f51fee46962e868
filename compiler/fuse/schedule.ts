/**
 * The order in which groups run, and where new values of states go.
 *
 * In come groups with their dependences; out goes an order that frees memory early, and for each state whether its new
 * value is stored in its own memory. That needs that nobody reads the old value afterwards. Where it cannot be (another
 * state's new value reads it, and the reverse), the new value goes to scratch memory and a copy ends the program.
 */
import type { Graph, Node, Output } from '../graph/graph.ts';
import { append, bytesOf, isStored, rootOf } from './nodes.ts';
import type { Group } from './group.ts';

export interface Schedule {
  groups: Group[];
  /** Node whose values are stored in the memory of a state, by the state's name. Includes the copies at the end. */
  states: Map<string, Node>;
  /** States whose new values are copied at the end. */
  copied: Set<string>;
}

export interface ScheduleOptions {
  /** Makes a group store this node over the state's old value, which it reads itself; false if it cannot. */
  replace(group: Group, node: Node, state: Node): boolean;
}

export function schedule(graph: Graph, groups: readonly Group[], options: ScheduleOptions): Schedule {
  const all = [...groups];
  const maker = new Map(all.flatMap((group) => group.outputs.map((node) => [node, group] as const)));
  const readers = new Map<string, Group[]>();
  for (const group of all) for (const { op } of group.reads) if (op.kind === 'state') append(readers, op.name, group);
  const before = dependences(all, maker);
  const states = new Map<string, Node>();
  const copies: Group[] = [];
  const copied = new Set<string>();
  for (const output of graph.outputs) {
    if (output.kind !== 'state') continue;
    const node = rootOf(output.node);
    const by = maker.get(node);
    const others = (readers.get(output.name) ?? []).filter((group) => group !== by);
    const own = by?.reads.find((x) => x.op.kind === 'state' && x.op.name === output.name);
    const free = by && !others.some((group) => reaches(before, by, group));
    const inPlace = free && (!own || options.replace(by, node, own));
    if (inPlace) {
      others.forEach((group) => before.get(by)?.add(group));
      states.set(output.name, node);
    } else {
      const group = copyGroup(output);
      states.set(output.name, group.outputs[0]);
      copies.push(group);
      copied.add(output.name);
    }
  }
  // A copy overwrites the old value, so it runs when all else is done.
  return { groups: [...inOrder(all, before), ...copies], states, copied };
}

/** For each group the groups that must run before it. */
function dependences(groups: readonly Group[], maker: ReadonlyMap<Node, Group>): Map<Group, Set<Group>> {
  return new Map(
    groups.map((group) => [
      group,
      new Set(
        group.reads.flatMap((node) => {
          const by = maker.get(node);
          return by ? [by] : [];
        }),
      ),
    ]),
  );
}

/** Whether `to` has to run after `from`. */
function reaches(before: ReadonlyMap<Group, ReadonlySet<Group>>, from: Group, to: Group): boolean {
  const seen = new Set<Group>([to]);
  const stack = [to];
  for (let group = stack.pop(); group; group = stack.pop()) {
    if (group === from) return true;
    for (const earlier of before.get(group) ?? []) {
      if (!seen.has(earlier)) {
        seen.add(earlier);
        stack.push(earlier);
      }
    }
  }
  return false;
}

function copyGroup(output: Output): Group {
  const from = rootOf(output.node);
  // A node outside of the graph: it exists only to name the state's memory as what the copy stores.
  const node: Node = {
    ...from,
    id: -1 - from.id,
    op: { kind: 'slice', start: from.shape.map(() => 0) },
    inputs: [from],
    label: output.name,
  };
  return { kind: 'map', outputs: [node], inside: new Set([node]), reads: [from], reduces: [], space: from.shape, reduced: 0 };
}

/**
 * List scheduling: of the groups that can run, the one that leaves the least scratch memory behind (what it stores less
 * what nobody reads after it); among equals the earliest of fusion's order, which is depth first. What is computed again (`again` in
 * the graph) waits until nothing else can run: then a gradient needs it, and the first of its copies in the order of the graph is what it needs.
 */
function inOrder(groups: readonly Group[], before: ReadonlyMap<Group, ReadonlySet<Group>>): Group[] {
  const waiting = new Map(groups.map((group) => [group, before.get(group)?.size ?? 0]));
  const after = new Map<Group, Group[]>(groups.map((group) => [group, []]));
  for (const [group, earlier] of before) for (const one of earlier) after.get(one)?.push(group);
  const readers = new Map<Node, number>();
  for (const group of groups) for (const node of group.reads) readers.set(node, (readers.get(node) ?? 0) + 1);
  const growth = (group: Group): number =>
    group.outputs.reduce((sum, node) => sum + bytesOf(node), 0) -
    group.reads.reduce((sum, node) => sum + (!isStored(node) && readers.get(node) === 1 ? bytesOf(node) : 0), 0);
  const late = computedAgain(groups);
  const place = (group: Group): number => (late.has(group) ? 1 + Math.max(...group.outputs.map(({ id }) => id)) : 0);
  const ready = groups.filter((group) => waiting.get(group) === 0);
  const order: Group[] = [];
  const position = new Map(groups.map((group, i) => [group, i]));
  while (ready.length > 0) {
    let best = 0;
    let [first, least] = [place(ready[0]), growth(ready[0])];
    for (let i = 1; i < ready.length; i++) {
      const [at, grows] = [place(ready[i]), growth(ready[i])];
      const earlier = (position.get(ready[i]) ?? 0) < (position.get(ready[best]) ?? 0);
      if (at < first || (at === first && (grows < least || (grows === least && earlier)))) [best, first, least] = [i, at, grows];
    }
    const [group] = ready.splice(best, 1);
    order.push(group);
    for (const node of group.reads) readers.set(node, (readers.get(node) ?? 1) - 1);
    for (const next of after.get(group) ?? []) {
      const left = (waiting.get(next) ?? 1) - 1;
      waiting.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  return order;
}

/** Groups that do nothing but compute again: they read what is marked, or what others of them made, and what was there before. */
function computedAgain(groups: readonly Group[]): Set<Group> {
  const late = new Set<Group>();
  const made = new Map(groups.flatMap((group) => group.outputs.map((node) => [node, group] as const)));
  // In fusion's order a group stands behind those it reads.
  for (const group of groups) {
    const marked = [...group.inside].some(({ op }) => op.kind === 'reshape' && op.again !== undefined);
    const others = group.reads.flatMap((node) => made.get(node) ?? []);
    if (marked || (others.length > 0 && others.every((other) => late.has(other)))) late.add(group);
  }
  return late;
}
