/** Walking a syntax tree. */
import { childFields } from './generated/children.ts';
import type { Node } from './generated/tree.ts';

/** The nodes right below a node, in the order of its fields. */
export function children(node: Node): Node[] {
  const fields: ReadonlyMap<string, unknown> = new Map(Object.entries(node));
  return childFields[node.kind].flatMap((name) => [fields.get(name)].flat().filter(isNode));
}

/** Calls `visit` for a node and all below it, parents first; what `visit` answers `false` to is not entered. */
export function walk(node: Node, visit: (node: Node) => boolean | void): void {
  if (visit(node) === false) return;
  for (const child of children(node)) walk(child, visit);
}

/** A node more than `depth` levels below this one, if there is one. Takes no stack, however deep the tree is. */
export function beyond(node: Node, depth: number): Node | undefined {
  let level = [node];
  for (let i = 0; i < depth && level.length > 0; i++) level = level.flatMap(children);
  return level[0];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value;
}
