/** What holds of every graph between two passes. A breach is a fault of the compiler, reported with the pass that made it. */
import { GraphFault } from './errors.ts';
import type { Graph, Node } from './graph.ts';
import { typeOf } from './primitives/table.ts';
import { formatShape, sameShape } from './shape.ts';
import { nodesOf } from './walk.ts';

/**
 * Checks that ids are unique and ascend from operands to users, that each node has the type its primitive's rule gives,
 * that a leaf's name has one type, that outputs are named once and can be stored, and that a state keeps its type.
 */
export function verify(graph: Graph, after = 'the start'): void {
  const fault = (node: Node, what: string): never => {
    throw new GraphFault(`after ${after}: node ${node.id} (${node.op.kind}${node.label ? `, ${node.label}` : ''}) ${what}`);
  };
  const leaves = new Map<string, Node>();
  // The walk itself holds ids to their rules.
  for (const node of nodesOf(graph)) {
    const type = ruleOf(node, fault);
    if (type.dtype !== node.dtype || !sameShape(type.shape, node.shape)) {
      fault(node, `is declared ${node.dtype} ${formatShape(node.shape)}, but its rule gives ${type.dtype} ${formatShape(type.shape)}`);
    }
    if (node.op.kind === 'input' || node.op.kind === 'state') {
      const key = `${node.op.kind} ${node.op.name}`;
      const other = leaves.get(key);
      if (other && !sameType(other, node)) fault(node, `gives ${key} another type than node ${other.id}`);
      leaves.set(key, node);
    }
    if (node.op.kind === 'composite') verify(node.op.body, `${after}, in the definition of '${node.op.name}'`);
  }
  const names = new Set<string>();
  for (const { kind, name, node } of graph.outputs) {
    if (names.has(`${kind} ${name}`)) fault(node, `is a second ${kind} '${name}'`);
    names.add(`${kind} ${name}`);
    const before = leaves.get(`state ${name}`);
    if (kind === 'state' && before && !sameType(before, node)) {
      fault(
        node,
        `gives the state '${name}' ${node.dtype} ${formatShape(node.shape)} instead of ${before.dtype} ${formatShape(before.shape)}`,
      );
    }
  }
}

/** As `verify`, and for whole programs: no output is bool, which cannot be stored. */
export function verifyProgram(graph: Graph, after?: string): void {
  verify(graph, after);
  const output = graph.outputs.find(({ node }) => node.dtype === 'bool');
  if (output) throw new GraphFault(`the output '${output.name}' is bool, which is never stored`);
}

function ruleOf(node: Node, fault: (node: Node, what: string) => never) {
  try {
    return typeOf(node.op, node.inputs, node);
  } catch (error) {
    return fault(node, `breaks its rule: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function sameType(a: Node, b: Node): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}
