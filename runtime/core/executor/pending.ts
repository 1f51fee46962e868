/** A run that was submitted: its outputs may be read whenever the caller likes, also after later runs were submitted. */
import type { TypedArrayOf } from '../../../plan/dtypes.ts';
import type { NamedSlot } from './layout.ts';
import type { Staging } from './staging.ts';

export class Pending {
  readonly #staging: Staging;
  readonly #slots: NamedSlot[];
  readonly #bytes: number;
  #buffer: GPUBuffer | undefined;
  #values: Promise<Map<string, TypedArrayOf>> | undefined;

  /** `buffer` holds the outputs once the run has ended; undefined where the program has none. */
  constructor(staging: Staging, buffer: GPUBuffer | undefined, bytes: number, slots: NamedSlot[]) {
    this.#staging = staging;
    this.#buffer = buffer;
    this.#bytes = bytes;
    this.#slots = slots;
  }

  /**
   * Waits for the run and returns its outputs by name; empty, and at once, where the program has none. Throws R0110 when the device was
   * lost, R0111 when it refused the run. May be called again: the values are the same.
   */
  outputs(): Promise<Map<string, TypedArrayOf>> {
    this.#values ??= this.#read();
    return this.#values;
  }

  /** Gives the buffer back where nobody will read the outputs. */
  discard(): void {
    if (this.#values || !this.#buffer) return;
    this.#values = Promise.resolve(new Map());
    this.#staging.release(this.#buffer);
    this.#buffer = undefined;
  }

  async #read(): Promise<Map<string, TypedArrayOf>> {
    const buffer = this.#buffer;
    if (!buffer) return new Map();
    this.#buffer = undefined;
    const values = await this.#staging.read(buffer, this.#bytes, this.#slots);
    this.#staging.release(buffer);
    return values;
  }
}
