/**
 * Puts a program together: every tensor that kernels bind gets its memory, every kernel becomes a dispatch. A new value of a
 * state is the state's tensor, an output is the host's; the rest is scratch, laid out by the dispatches between which it
 * is alive.
 */
import type { StoredDtype } from '../../plan/dtypes.ts';
import { elements, storageBytes } from '../../plan/dtypes.ts';
import { hashText } from '../../plan/hash.ts';
import type { Dispatch, Memory, Program, ProgramInput, ProgramTensor, Target } from '../../plan/program.ts';
import { GraphFault } from '../graph/errors.ts';
import { halfOf } from '../graph/graph.ts';
import type { Graph, Node } from '../graph/graph.ts';
import { hostInput } from '../graph/primitives/indexed.ts';
import { nodesOf } from '../graph/walk.ts';
import type { Group } from '../fuse/group.ts';
import { rootOf } from '../fuse/nodes.ts';
import { isDerived, isScratch } from '../kernels/kernel.ts';
import type { Binding, DerivedBinding, Kernel } from '../kernels/kernel.ts';
import { layout, tooLarge, verifyLayout } from '../memory/layout.ts';
import type { Tenant } from '../memory/layout.ts';
import type { Lowered } from './lower.ts';

export interface Assembly {
  graph: Graph;
  /** Kernels of the groups in the order in which they run. */
  work: readonly { group: Group; kernels: readonly Kernel[] }[];
  /** Nodes stored in the memory of states. */
  states: ReadonlyMap<string, Node>;
  scalars: readonly string[];
  target: Target;
  name: string;
}

/** Hashes of kernels: those of one layer come again in every other. */
const HASHES = new Map<string, string>();

export function assemble(assembly: Assembly): Lowered {
  const tensors = new Tensors(assembly);
  const kernels: Record<string, string> = {};
  const dispatches: Dispatch[] = [];
  let flops = 0;
  let traffic = 0;
  assembly.work.forEach(({ group, kernels: ofGroup }, number) => {
    for (const kernel of ofGroup) {
      const hash = HASHES.get(kernel.wgsl) ?? hashText(kernel.wgsl);
      HASHES.set(kernel.wgsl, hash);
      kernels[hash] = kernel.wgsl;
      const bindings = kernel.bindings.map((binding) => tensors.use(binding, number, dispatches.length));
      checkBindings(kernel, bindings, assembly.target);
      dispatches.push({
        kernel: hash,
        bindings,
        scalars: kernel.scalars,
        workgroups: kernel.workgroups,
        label: tensors.updates(group) ?? kernel.label,
        writes: kernel.writes,
      });
      flops += kernel.flops;
      traffic += kernel.bytes;
    }
  });
  const slabs = tensors.placeScratch();
  const program: Program = {
    target: assembly.target.name,
    tensors: tensors.list,
    inputs: tensors.inputs(),
    outputs: assembly.graph.outputs
      .filter((o) => o.kind === 'output')
      .map(({ name, node }) => ({ name, dtype: stored(node), shape: [...node.shape] })),
    scalars: [...assembly.scalars],
    slabs,
    dispatches,
    flops,
    traffic,
  };
  return { program, kernels };
}

function checkBindings(kernel: Kernel, bindings: readonly number[], target: Target): void {
  if (new Set(bindings).size !== bindings.length) throw new GraphFault(`the kernel ${kernel.label} binds a tensor twice`);
  const most = target.limits.maxStorageBuffersPerShaderStage;
  if (bindings.length > most)
    throw new GraphFault(`the kernel ${kernel.label} binds ${bindings.length} buffers; ${target.name} allows ${most}`);
  kernel.workgroups.forEach((count) => {
    if (count > 65535) throw new GraphFault(`the kernel ${kernel.label} needs ${count} workgroups in one dimension`);
  });
}

/** The tensors of a program as they come up, each once. */
class Tensors {
  readonly list: ProgramTensor[] = [];
  private readonly index = new Map<string, number>();
  private readonly derived = new Map<string, ProgramInput>();
  /** By index: first and last dispatch that binds it. */
  private readonly lives: { first: number; last: number }[] = [];
  /** Nodes with a place that others look for by name. */
  private readonly named = new Map<Node, { memory: Memory; shape: readonly number[] }>();
  private readonly assembly: Assembly;

  constructor(assembly: Assembly) {
    this.assembly = assembly;
    for (const { kind, name, node } of assembly.graph.outputs) {
      if (kind === 'output') this.named.set(rootOf(node), { memory: { kind, name }, shape: node.shape });
      const keeper = kind === 'state' ? assembly.states.get(name) : undefined;
      if (keeper) this.named.set(keeper, { memory: { kind: 'state', name }, shape: node.shape });
    }
  }

  /** Index of what a kernel binds; notes that `dispatch` uses it. `group` tells apart scratch tensors of one name. */
  use(binding: Binding, group: number, dispatch: number): number {
    const { key, make } = this.describe(binding, group);
    let at = this.index.get(key);
    if (at === undefined) {
      const tensor = make();
      const bytes = storageBytes(tensor);
      const limit = this.assembly.target.limits.maxStorageBufferBindingSize;
      if (bytes > limit) throw tooLarge(tensor.name, bytes, limit);
      at = this.list.push(tensor) - 1;
      this.index.set(key, at);
      this.lives.push({ first: dispatch, last: dispatch });
    }
    this.lives[at].last = dispatch;
    return at;
  }

  private describe(binding: Binding, group: number): { key: string; make: () => ProgramTensor } {
    if (isScratch(binding)) {
      const { scratch, dtype, shape } = binding;
      return { key: `within ${group} ${scratch}`, make: () => ({ name: scratch, dtype, shape: [...shape], memory: SOMEWHERE }) };
    }
    if (isDerived(binding)) {
      const input = derivedInput(binding);
      this.derived.set(input.name, input);
      return {
        key: `input ${input.name}`,
        make: () => ({ name: input.name, dtype: input.dtype, shape: input.shape, memory: { kind: 'input', name: input.name } }),
      };
    }
    const { op } = binding;
    const place =
      this.named.get(binding) ??
      (op.kind === 'input' || op.kind === 'state' ? { memory: { kind: op.kind, name: op.name }, shape: binding.shape } : undefined);
    const dtype = stored(binding);
    if (place && place.memory.kind !== 'scratch') {
      const { memory, shape } = place;
      const half = halfOf(binding);
      return {
        key: `${memory.kind} ${memory.name}`,
        make: () => ({ name: memory.name, dtype, shape: [...shape], memory, ...(half ? { half } : {}) }),
      };
    }
    const name = binding.label ?? `${binding.op.kind} ${binding.id}`;
    return { key: `node ${binding.id}`, make: () => ({ name, dtype, shape: [...binding.shape], memory: SOMEWHERE }) };
  }

  /** What a group is called that stores new values of states and nothing else. */
  updates(group: Group): string | undefined {
    const names = group.outputs
      .map((node) => this.named.get(node)?.memory)
      .map((memory) => (memory?.kind === 'state' ? memory.name : undefined));
    return names.includes(undefined) ? undefined : `update of ${names[names.length - 1]} (${group.kind})`;
  }

  /** Gives every scratch tensor its memory; returns the sizes of the slabs. */
  placeScratch(): number[] {
    const scratch = this.list.map((_, i) => i).filter((i) => this.list[i].memory.kind === 'scratch');
    const tenants: Tenant[] = scratch.map((i) => ({
      name: this.list[i].name,
      bytes: storageBytes(this.list[i]),
      ...this.lives[i],
    }));
    const laid = layout(tenants, this.assembly.target.limits.maxStorageBufferBindingSize);
    verifyLayout(tenants, laid);
    scratch.forEach((i, n) => (this.list[i].memory = { kind: 'scratch', ...laid.berths[n] }));
    return laid.slabs;
  }

  /** What the host writes: the inputs of the graph in the order of their names, then what it derives from them. */
  inputs(): ProgramInput[] {
    const plain = new Map<string, ProgramInput>();
    for (const node of nodesOf(this.assembly.graph)) {
      if (node.op.kind === 'input') plain.set(node.op.name, { name: node.op.name, dtype: stored(node), shape: [...node.shape] });
    }
    const sorted = [...plain.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return [...sorted, ...this.derived.values()];
  }
}

/** Stands in until the lives of all tensors are known. */
const SOMEWHERE: Memory = { kind: 'scratch', slab: 0, offset: 0 };

function derivedInput({ derived, index, rows }: DerivedBinding): ProgramInput {
  const input = hostInput(index);
  if (input?.op.kind !== 'input') throw new GraphFault(`the index of a scatter is ${index.op.kind}, not an input`);
  const of = input.op.name;
  const shape = derived === 'offsets' ? [rows + 1] : [elements(index.shape)];
  return { name: `${of}.${derived}.${rows}`, dtype: 'u32', shape, derive: { kind: 'group', of, rows, part: derived } };
}

function stored(node: Node): StoredDtype {
  if (node.dtype === 'bool') throw new GraphFault(`node ${node.id} (${node.op.kind}) is bool, which is never stored`);
  return node.dtype;
}
