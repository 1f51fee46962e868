/**
 * The storage buffers of one kernel. A buffer is declared as `array<vec4<T>>` if every access in the kernel is an aligned
 * run of four, else as `array<T>`. That is known only at the end, so a kernel is written again without the vector
 * declarations that did not hold (see `build` in module.ts). Tensors of 16-bit floats are arrays of `u32`, or of `vec2<u32>` for a run of four.
 */
import type { Half, StoredDtype } from '../../plan/dtypes.ts';
import { elements, storageBytes } from '../../plan/dtypes.ts';
import { GraphFault } from '../graph/errors.ts';
import { halfOf } from '../graph/graph.ts';
import type { Node } from '../graph/graph.ts';
import { arrayType } from './half.ts';
import { isDerived, isScratch } from './kernel.ts';
import type { Binding } from './kernel.ts';

export interface Slot {
  binding: Binding;
  dtype: StoredDtype;
  size: number;
  /** Loads are of 16-bit floats, to be widened. */
  half?: Half;
  /** Name of the variable in WGSL. */
  name: string;
  /** Declared as vectors in this writing. */
  vector: boolean;
  written: boolean;
  /** Keys of the positions that were loaded and stored. */
  loads: Set<string>;
  stores: Set<string>;
}

export class Bindings {
  readonly slots: Slot[] = [];
  /** Names of bindings that some access could not use as vectors. */
  readonly refused = new Set<string>();
  private readonly byKey = new Map<string, Slot>();
  private readonly inPlace: ReadonlyMap<Node, Node>;
  private readonly scalarOnly: ReadonlySet<string>;

  /** `scalarOnly`: what an earlier writing refused. */
  constructor(inPlace: ReadonlyMap<Node, Node>, scalarOnly: ReadonlySet<string>) {
    this.inPlace = inPlace;
    this.scalarOnly = scalarOnly;
  }

  slot(given: Binding): Slot {
    const binding = !isScratch(given) && !isDerived(given) ? (this.inPlace.get(given) ?? given) : given;
    const key = keyOf(binding);
    const known = this.byKey.get(key);
    if (known) return known;
    const { dtype, size, half } = typeOf(binding);
    const slot: Slot = {
      binding,
      dtype,
      size,
      ...(half ? { half } : {}),
      name: `b${this.slots.length}`,
      vector: size % 4 === 0 && !this.scalarOnly.has(key),
      written: false,
      loads: new Set(),
      stores: new Set(),
    };
    this.slots.push(slot);
    this.byKey.set(key, slot);
    return slot;
  }

  /** Notes that the binding has to be an array of single values. */
  refuse(slot: Slot): void {
    if (slot.vector) this.refused.add(keyOf(slot.binding));
  }

  declarations(): string[] {
    return this.slots.map(
      ({ name, dtype, vector, half }, i) =>
        `@group(0) @binding(${i}) var<storage, read_write> ${name}: array<${half ? arrayType(vector) : vector ? `vec4<${dtype}>` : dtype}>;`,
    );
  }

  bytes(): number {
    return this.slots.reduce((sum, slot) => sum + storageBytes({ ...slot, shape: [slot.size] }), 0);
  }

  /** Nodes that are loaded only where something of the same size is stored by the same thread. */
  aligned(): Node[] {
    const stores = this.slots.filter((slot) => slot.written);
    const nodes: Node[] = [];
    for (const { binding, loads, size, written } of this.slots) {
      if (written || isScratch(binding) || isDerived(binding) || loads.size === 0) continue;
      if (stores.some((store) => store.size === size && [...loads].every((key) => store.stores.has(key)))) nodes.push(binding);
    }
    return nodes;
  }
}

function keyOf(binding: Binding): string {
  if (isScratch(binding)) return `scratch:${binding.scratch}`;
  if (isDerived(binding)) return `${binding.derived}:${binding.index.id}`;
  return `node:${binding.id}`;
}

function typeOf(binding: Binding): { dtype: StoredDtype; size: number; half?: Half } {
  if (isDerived(binding)) return { dtype: 'u32', size: binding.derived === 'offsets' ? binding.rows + 1 : elements(binding.index.shape) };
  const { dtype, shape } = binding;
  if (dtype === 'bool') throw new GraphFault('a bool tensor has no memory: it is computed where it is used');
  return { dtype, size: elements(shape), ...(isScratch(binding) ? {} : { half: halfOf(binding) }) };
}
