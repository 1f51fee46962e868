/**
 * Writing a kernel takes longer than anything else in the compiler, and most groups of a deep model are the same work on
 * other tensors. Groups of equal structure therefore share one writing: the kernels of the first, with the nodes that they
 * bind exchanged for those in the same position of the other.
 */
import type { Group } from '../fuse/group.ts';
import type { Node } from '../graph/graph.ts';
import { labelOf } from '../kernels/cost.ts';
import { generate } from '../kernels/generate.ts';
import { isDerived, isScratch } from '../kernels/kernel.ts';
import type { Binding, GenerateOptions, Kernel, KernelTarget } from '../kernels/kernel.ts';

export class KernelWriter {
  private readonly target: KernelTarget;
  private readonly scalarIndex: GenerateOptions['scalarIndex'];
  private readonly known = new Map<string, { group: Group; nodes: Node[]; kernels: Kernel[] }>();

  constructor(target: KernelTarget, scalarIndex: GenerateOptions['scalarIndex']) {
    this.target = target;
    this.scalarIndex = scalarIndex;
  }

  /** The kernels of a group (see `generate`), with outputs stored over tensors it reads where `inPlace` says so. */
  write(group: Group, inPlace: ReadonlyMap<Node, Node> = new Map()): Kernel[] {
    const { key, nodes } = structureOf(group, inPlace);
    const known = this.known.get(key);
    if (known) return known.kernels.map((kernel) => exchanged(kernel, known, group, nodes));
    const kernels = generate(group, this.target, { scalarIndex: this.scalarIndex, inPlace });
    this.known.set(key, { group, nodes, kernels });
    return kernels;
  }
}

/** A text that is equal for groups of equal structure, and the nodes in the order in which it mentions them. */
function structureOf(group: Group, inPlace: ReadonlyMap<Node, Node>): { key: string; nodes: Node[] } {
  const numbers = new Map<Node, number>();
  const lines: string[] = [];
  const reads = new Set(group.reads);
  const visit = (node: Node): number => {
    const seen = numbers.get(node);
    if (seen !== undefined) return seen;
    const what = reads.has(node) ? 'read' : `${JSON.stringify(node.op)} ${node.inputs.map(visit).join(' ')}`;
    const number = numbers.size;
    numbers.set(node, number);
    lines.push(`${what} ${node.dtype} ${node.shape.join(' ')}`);
    return number;
  };
  const list = (nodes: readonly Node[]): string => nodes.map(visit).join(' ');
  const form = `${group.kind} ${group.space.join(' ')} / ${group.reduced}`;
  const ends = [list(group.outputs), list(group.core ? [group.core] : []), list(group.reduces), list(group.reads)];
  const places = [...inPlace].map(([output, read]) => `${visit(output)}=${visit(read)}`);
  return { key: [form, ...lines, ...ends, ...places].join('\n'), nodes: [...numbers.keys()] };
}

function exchanged(kernel: Kernel, from: { group: Group; nodes: readonly Node[] }, group: Group, nodes: readonly Node[]): Kernel {
  const other = (node: Node): Node => nodes[from.nodes.indexOf(node)];
  const bindings = kernel.bindings.map((binding): Binding => {
    if (isScratch(binding)) return binding;
    return isDerived(binding) ? { ...binding, index: other(binding.index) } : other(binding);
  });
  return { ...kernel, bindings, aligned: kernel.aligned.map(other), label: kernel.label.replace(labelOf(from.group), labelOf(group)) };
}
