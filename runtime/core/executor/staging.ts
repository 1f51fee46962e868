/**
 * The way back to the host: buffers that can be mapped, reused as soon as they have been read. A pool and not a ring of
 * fixed length, since how many runs are in flight is the caller's choice; it grows to that number and stays.
 */
import type { TypedArrayOf } from '../../../plan/dtypes.ts';
import type { Wait } from '../device/wait.ts';
import type { Faults } from './faults.ts';
import type { NamedSlot } from './layout.ts';
import { unpackHalves } from './halves.ts';
import { BufferUsage, MapMode } from './usage.ts';

export class Staging {
  readonly #device: GPUDevice;
  readonly #wait: Wait;
  readonly #faults: Faults;
  readonly #all = new Set<GPUBuffer>();
  readonly #free: GPUBuffer[] = [];

  constructor(device: GPUDevice, wait: Wait, faults: Faults) {
    this.#device = device;
    this.#wait = wait;
    this.#faults = faults;
  }

  /** A buffer of at least `bytes`, to be given to `read` or `release`. */
  take(bytes: number): GPUBuffer {
    const at = this.#free.findIndex((buffer) => buffer.size >= bytes && buffer.size <= Math.max(4096, 4 * bytes));
    if (at >= 0) return this.#free.splice(at, 1)[0];
    const buffer = this.#device.createBuffer({ label: 'staging', size: bytes, usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST });
    this.#all.add(buffer);
    return buffer;
  }

  release(buffer: GPUBuffer): void {
    if (this.#all.has(buffer)) this.#free.push(buffer);
  }

  /** Ends the life of a buffer that will hardly be of use again. */
  drop(buffer: GPUBuffer): void {
    this.#all.delete(buffer);
    buffer.destroy();
  }

  /** Waits for what was copied into `buffer`, and returns copies of the slots in it. The buffer stays taken. */
  async read(buffer: GPUBuffer, bytes: number, slots: readonly NamedSlot[]): Promise<Map<string, TypedArrayOf>> {
    await this.#wait(this.#faults.guard(buffer.mapAsync(MapMode.READ, 0, bytes)));
    const mapped = buffer.getMappedRange(0, bytes);
    const values = new Map(slots.map((slot) => [slot.name, copyOf(slot, mapped)]));
    buffer.unmap();
    return values;
  }

  destroy(): void {
    for (const buffer of this.#all) buffer.destroy();
    this.#all.clear();
    this.#free.length = 0;
  }
}

function copyOf(slot: NamedSlot, mapped: ArrayBuffer): TypedArrayOf {
  if (slot.half !== undefined) return unpackHalves(new Uint16Array(mapped, slot.offset, slot.length), slot.half);
  const make = slot.dtype === 'f32' ? Float32Array : slot.dtype === 'i32' ? Int32Array : Uint32Array;
  return new make(mapped, slot.offset, slot.length).slice();
}
