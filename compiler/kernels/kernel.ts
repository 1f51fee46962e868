/**
 * What a generator hands to the lowering: one WGSL compute shader (entry point `main`), what it binds, and how large a
 * grid it needs. Memory is not decided here; bindings name graph nodes, and the lowering places them.
 */
import type { StoredDtype } from '../../plan/dtypes.ts';
import type { Node } from '../graph/graph.ts';

/** What a generator must know of the device. */
export interface KernelTarget {
  /** `software`: exact subgroups and cheap broadcasts. `gpu`: workgroup memory and many workgroups. `portable`: neither is assumed. */
  name: 'portable' | 'software' | 'gpu';
  /** Exact size of a subgroup; required by `software`, unused by the others. */
  subgroup?: 4 | 8 | 16;
  /** Storage buffers that one kernel may bind. */
  maxBindings: number;
  maxWorkgroupsPerDimension: number;
}

/** A tensor that lives between the kernels of one group; the name is unique within the group. */
export interface ScratchBinding {
  scratch: string;
  shape: readonly number[];
  dtype: StoredDtype;
}

/**
 * Which positions of an index tensor hold which value, made by the host (`Derivation` of kind `group`): `offsets`
 * [rows + 1] and `order` [elements of `index`], both u32.
 */
export interface DerivedBinding {
  derived: 'offsets' | 'order';
  index: Node;
  rows: number;
}

export type Binding = Node | ScratchBinding | DerivedBinding;

export interface Kernel {
  wgsl: string;
  /** In the order of the binding numbers; each is a `var<storage, read_write>` that spans its tensor exactly. */
  bindings: Binding[];
  /** Positions in `bindings` that it stores to. */
  writes: number[];
  /** Whether it binds the uniform block of scalars at binding number `bindings.length`. */
  scalars: boolean;
  workgroups: [number, number, number];
  label: string;
  /** Floating-point operations; a multiply-add counts two. */
  flops: number;
  /** Bytes of the bound tensors, each counted once. */
  bytes: number;
  /**
   * Nodes that it loads only at the very position that the same thread stores to afterwards. Such a tensor may give its
   * memory to an output of its shape: ask for the group again with `inPlace`, since no two bindings may overlap.
   */
  aligned: Node[];
}

export interface GenerateOptions {
  /** Position of a scalar in the uniform block `array<vec4<f32>, n>`, counted in f32. */
  scalarIndex(name: string): number;
  /** Outputs that are stored over a tensor that the group reads; the binding is then listed once, as the read node. */
  inPlace?: ReadonlyMap<Node, Node>;
}

export function isScratch(binding: Binding): binding is ScratchBinding {
  return 'scratch' in binding;
}

export function isDerived(binding: Binding): binding is DerivedBinding {
  return 'derived' in binding;
}
