/** Checks on groups: a fault here is the fuser's, and would otherwise show as a wrong number far away. */
import { GraphFault } from '../graph/errors.ts';
import type { Node } from '../graph/graph.ts';
import { sameShape } from '../graph/shape.ts';
import type { Group } from './group.ts';
import { isCore, isFree, isStored } from './nodes.ts';

/** Throws a GraphFault unless the groups can run in this order and each is of the form that its kind allows. */
export function verifyGroups(groups: readonly Group[], outputs: readonly Node[]): void {
  const stored = new Set<Node>();
  for (const group of groups) {
    for (const node of group.reads) {
      if (!isStored(node) && !stored.has(node)) fault(group, `reads node ${node.id} (${node.op.kind}) before it is stored`);
    }
    for (const node of group.outputs) {
      if (stored.has(node)) fault(group, `stores node ${node.id}, which is stored already`);
      if (node.dtype === 'bool') fault(group, `stores node ${node.id}, which is bool`);
      if (!group.inside.has(node)) fault(group, `stores node ${node.id}, which it does not compute`);
    }
    for (const node of group.inside) {
      for (const x of node.inputs) {
        if (!group.inside.has(x) && !group.reads.includes(x) && !isFree(x))
          fault(group, `computes node ${node.id} without node ${x.id} (${x.op.kind})`);
      }
    }
    verifyForm(group);
    group.outputs.forEach((node) => stored.add(node));
  }
  for (const node of outputs) if (!stored.has(node)) throw new GraphFault(`no kernel stores output node ${node.id} (${node.op.kind})`);
}

function verifyForm(group: Group): void {
  const cores = [...group.inside].filter(isCore);
  const expected = group.kind === 'rows' || group.kind === 'columns' ? group.reduces : group.core ? [group.core] : [];
  if (cores.length !== expected.length || !cores.every((node) => expected.includes(node))) {
    fault(
      group,
      `computes ${cores.map((node) => `${node.op.kind} ${node.id}`).join(', ') || 'no reduction or product'} where ${expected.length} were meant`,
    );
  }
  const kept = group.kind === 'columns' ? group.space.slice(group.reduced) : group.space.slice(0, group.space.length - group.reduced);
  const ones = [...kept, ...new Array<number>(group.reduced).fill(1)];
  for (const node of group.outputs) {
    const perRow = group.kind === 'rows' && (sameShape(node.shape, kept) || sameShape(node.shape, ones));
    const fits = group.kind === 'columns' ? group.reduces.includes(node) : perRow || sameShape(node.shape, group.space);
    if (!fits) fault(group, `stores node ${node.id} of shape [${node.shape.join(', ')}], which is not its space`);
  }
  for (const node of group.reduces) {
    if (!sameShape(node.inputs[0].shape, group.space)) fault(group, `reduces node ${node.inputs[0].id}, whose shape is not its space`);
  }
}

function fault(group: Group, what: string): never {
  throw new GraphFault(`a ${group.kind} group over [${group.space.join(', ')}] ${what}`);
}
