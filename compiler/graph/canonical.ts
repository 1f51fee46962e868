/**
 * A text that says exactly what a graph computes and nothing else: independent of labels, of node ids and of the order in
 * which nodes were made. Equal texts mean equal computations; the hash of a task is taken over it.
 */
import { hashOf } from '../../plan/hash.ts';
import type { Graph, Node, Op } from './graph.ts';
import { NodeMap } from './node-map.ts';
import type { NodeLookup } from './node-map.ts';

/** Graphs are asked for their text by whoever names them: the hash of a task, the programs that are shared. */
const TEXTS = new WeakMap<Graph, string>();

/** One line a node, numbered in the order of a depth-first walk from the outputs, then one line an output. */
export function canonical(graph: Graph): string {
  const known = TEXTS.get(graph);
  if (known !== undefined) return known;
  const text = textOf(graph);
  TEXTS.set(graph, text);
  return text;
}

const HASHES = new WeakMap<Graph, string>();

/** The hash of the text: seeds and targets ask for it again and again, and of a deep model it takes a while. */
export function canonicalHash(graph: Graph): string {
  const known = HASHES.get(graph);
  if (known !== undefined) return known;
  const hash = hashOf(canonical(graph));
  HASHES.set(graph, hash);
  return hash;
}

function textOf(graph: Graph): string {
  const numbers = new NodeMap<number>();
  let count = 0;
  const lines: string[] = [];
  for (const output of graph.outputs) {
    const stack: { node: Node; next: number }[] = [{ node: output.node, next: 0 }];
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      if (numbers.has(top.node)) {
        stack.pop();
      } else if (top.next < top.node.inputs.length) {
        stack.push({ node: top.node.inputs[top.next++], next: 0 });
      } else {
        lines.push(line(top.node, numbers));
        numbers.set(top.node, count++);
        stack.pop();
      }
    }
  }
  for (const output of graph.outputs) lines.push(`${output.kind} ${JSON.stringify(output.name)} ${numbers.get(output.node)}`);
  return lines.join('\n');
}

function line(node: Node, numbers: NodeLookup<number>): string {
  return `${opText(node.op)} (${node.inputs.map((x) => numbers.get(x)).join(' ')}) ${node.dtype}[${node.shape.join(' ')}]`;
}

function opText(op: Op): string {
  switch (op.kind) {
    case 'constant':
      return `constant ${Object.is(op.value, -0) ? '-0' : op.value}`;
    case 'composite':
      return `composite ${JSON.stringify(op.name)} {${canonical(op.body)}}`;
    default: {
      // Fields in the order of their names, so that the way an object was written does not matter.
      const fields = Object.entries(op)
        .filter(([field]) => field !== 'kind')
        .sort(([a], [b]) => (a < b ? -1 : 1));
      return [op.kind, ...fields.map(([field, value]) => `${field}=${JSON.stringify(value)}`)].join(' ');
    }
  }
}
