/** The buffers of a layout on a device, and the bindings of its tensors within them. */
import type { Layout, Slot } from './layout.ts';
import { ALIGNMENT, BufferUsage, alignUp } from './usage.ts';

const { COPY_DST, COPY_SRC, STORAGE, UNIFORM } = BufferUsage;

export interface Memory {
  state: number;
  scratch: number;
  inputs: number;
  outputs: number;
}

export class Buffers {
  readonly #byKind: Record<Slot['kind'], GPUBuffer[]>;
  readonly scalars: GPUBuffer;

  /** All zeros, as WebGPU promises. */
  constructor(device: GPUDevice, layout: Layout) {
    const make = (label: string, sizes: number[]): GPUBuffer[] =>
      sizes.map((size, i) =>
        device.createBuffer({ label: `${label} ${i}`, size: Math.max(size, ALIGNMENT), usage: STORAGE | COPY_SRC | COPY_DST }),
      );
    this.#byKind = {
      state: make('state', layout.stateSlabs),
      scratch: make('scratch', layout.scratchSlabs),
      input: make('inputs', [layout.inputBytes]),
      output: make('outputs', [layout.outputBytes]),
    };
    this.scalars = device.createBuffer({ label: 'scalars', size: Math.max(layout.scalarBytes, 16), usage: UNIFORM | COPY_DST });
  }

  of(slot: Slot): GPUBuffer {
    return this.#byKind[slot.kind][slot.buffer];
  }

  get inputs(): GPUBuffer {
    return this.#byKind.input[0];
  }

  get outputs(): GPUBuffer {
    return this.#byKind.output[0];
  }

  /** Rounded up to 16 bytes, so that kernels may address any tensor as vec4; what lies beyond its end belongs to no tensor. */
  binding(slot: Slot): GPUBufferBinding {
    return { buffer: this.of(slot), offset: slot.offset, size: Math.max(alignUp(slot.bytes, 16), 16) };
  }

  memory(): Memory {
    const sum = (buffers: GPUBuffer[]): number => buffers.reduce((bytes, buffer) => bytes + buffer.size, 0);
    const { state, scratch, input, output } = this.#byKind;
    return { state: sum(state), scratch: sum(scratch), inputs: sum(input) + this.scalars.size, outputs: sum(output) };
  }

  destroy(): void {
    for (const buffers of Object.values(this.#byKind)) for (const buffer of buffers) buffer.destroy();
    this.scalars.destroy();
  }
}
