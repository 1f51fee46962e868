/** A graph as text for people: debugging output and snapshots in tests. For machines there is `canonical`. */
import type { Graph, Node, Op } from './graph.ts';
import { nodesOf } from './walk.ts';

/** A line a node in order of dependence, then a line an output; definitions of composites are indented. Labels follow `#`. */
export function printGraph(graph: Graph): string {
  const numbers = new Map(nodesOf(graph).map((node, i) => [node, i]));
  const lines = [...numbers].map(([node, i]) => `%${i} = ${printNode(node, (x) => `%${numbers.get(x)}`)}`);
  const outputs = graph.outputs.map(({ kind, name, node }) => `${kind} ${name} = %${numbers.get(node)}`);
  return [...lines, ...outputs].join('\n');
}

/** One node, such as `add %1 %2: f32[2, 3]  # eyes.blocks.0.residual`. */
export function printNode(node: Node, nameOf: (input: Node) => string = (x) => `%${x.id}`): string {
  const inputs = node.inputs.map((x) => ` ${nameOf(x)}`).join('');
  const label = node.label === undefined ? '' : `  # ${node.label}`;
  const body = node.op.kind === 'composite' ? `\n${indent(printGraph(node.op.body))}` : '';
  return `${printOp(node.op)}${inputs}: ${node.dtype}[${node.shape.join(', ')}]${label}${body}`;
}

/** The operation with its parameters, without operands. */
export function printOp(op: Op): string {
  switch (op.kind) {
    case 'input':
    case 'state':
    case 'scalar':
    case 'composite':
      return `${op.kind} ${op.name}`;
    case 'constant':
      return `constant ${op.value}`;
    case 'iota':
      return `iota axis ${op.axis}`;
    case 'unary':
    case 'binary':
      return op.fn;
    case 'reduce':
      return `${op.fn} over [${op.axes.join(' ')}]`;
    case 'contract':
      return `contract ${letters(op.a)},${letters(op.b)}->${letters(op.out)}`;
    case 'permute':
      return `permute [${op.order.join(' ')}]`;
    case 'slice':
      return `slice from [${op.start.join(' ')}]`;
    case 'pad':
      return `pad before [${op.before.join(' ')}]`;
    case 'concat':
      return `concat axis ${op.axis}`;
    case 'reshape':
      return op.again === undefined ? op.kind : `reshape, again in ${op.again}`;
    case 'select':
    case 'cast':
    case 'expand':
    case 'gather':
    case 'scatter_add':
      return op.kind;
  }
}

function letters(labels: readonly number[]): string {
  return labels.map((label) => String.fromCharCode('a'.charCodeAt(0) + label)).join('');
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ');
}
