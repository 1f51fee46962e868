/**
 * Writing a kernel takes longer than anything else in the compiler, and most groups of a deep model are the same work on
 * other tensors. Groups of equal structure therefore share one writing: what is kept of a kernel names the tensors it binds
 * by their position in the group, and holds on to no graph. Kernels depend on nothing but structure and target, so the
 * programs of a plan share them as well.
 */
import type { Group } from '../fuse/group.ts';
import { halfOf } from '../graph/graph.ts';
import type { Node } from '../graph/graph.ts';
import { labelOf } from '../kernels/cost.ts';
import { generate } from '../kernels/generate.ts';
import { isDerived, isScratch } from '../kernels/kernel.ts';
import type { Binding, DerivedBinding, GenerateOptions, Kernel, KernelTarget, ScratchBinding } from '../kernels/kernel.ts';

/** A kernel with positions for nodes. */
interface Written extends Omit<Kernel, 'bindings' | 'aligned' | 'label'> {
  bindings: (number | ScratchBinding | (Omit<DerivedBinding, 'index'> & { index: number }))[];
  aligned: number[];
  label: { group: string; own: string };
}

/** By target, then by structure. */
const WRITTEN = new Map<string, Map<string, Written[]>>();

export class KernelWriter {
  private readonly target: KernelTarget;
  private readonly scalarIndex: GenerateOptions['scalarIndex'];
  private readonly known: Map<string, Written[]>;

  constructor(target: KernelTarget, scalarIndex: GenerateOptions['scalarIndex']) {
    this.target = target;
    this.scalarIndex = scalarIndex;
    const key = JSON.stringify(target);
    this.known = WRITTEN.get(key) ?? new Map<string, Written[]>();
    WRITTEN.set(key, this.known);
  }

  /** The kernels of a group (see `generate`), with outputs stored over tensors it reads where `inPlace` says so. */
  write(group: Group, inPlace: ReadonlyMap<Node, Node> = new Map()): Kernel[] {
    const { key, nodes } = this.structureOf(group, inPlace);
    const known = this.known.get(key);
    if (known) return known.map((kernel) => restored(kernel, group, nodes));
    const kernels = generate(group, this.target, { scalarIndex: this.scalarIndex, inPlace });
    this.known.set(
      key,
      kernels.map((kernel) => kept(kernel, group, nodes)),
    );
    return kernels;
  }

  private opText({ op }: Node): string {
    if (op.kind === 'scalar') return `scalar ${this.scalarIndex(op.name)}`;
    // JSON has one word for all that is not finite, and no negative zero.
    if (op.kind === 'constant') return `constant ${Object.is(op.value, -0) ? '-0' : op.value}`;
    return JSON.stringify(op);
  }

  /** A text that is equal for groups of equal structure, and the nodes in the order in which it mentions them. */
  private structureOf(group: Group, inPlace: ReadonlyMap<Node, Node>): { key: string; nodes: Node[] } {
    const numbers = new Map<Node, number>();
    const lines: string[] = [];
    const reads = new Set(group.reads);
    const visit = (node: Node): number => {
      const seen = numbers.get(node);
      if (seen !== undefined) return seen;
      const op = this.opText(node);
      const what = reads.has(node) ? `read${halfOf(node) ?? ''}` : `${op} ${node.inputs.map(visit).join(' ')}`;
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
}

function kept(kernel: Kernel, group: Group, nodes: readonly Node[]): Written {
  const position = (node: Node): number => nodes.indexOf(node);
  const bindings = kernel.bindings.map((binding) => {
    if (isScratch(binding)) return binding;
    return isDerived(binding) ? { ...binding, index: position(binding.index) } : position(binding);
  });
  return { ...kernel, bindings, aligned: kernel.aligned.map(position), label: { group: labelOf(group), own: kernel.label } };
}

function restored(kernel: Written, group: Group, nodes: readonly Node[]): Kernel {
  const bindings = kernel.bindings.map((binding): Binding => {
    if (typeof binding === 'number') return nodes[binding];
    return 'derived' in binding ? { ...binding, index: nodes[binding.index] } : binding;
  });
  const label = kernel.label.own.replace(kernel.label.group, labelOf(group));
  return { ...kernel, bindings, aligned: kernel.aligned.map((position) => nodes[position]), label };
}
