/**
 * The executor: runs the programs of one task on a device. In come programs and kernels (plan/program.ts), and for each run the
 * inputs and scalars; out go the outputs, whenever they are asked for, and the state when a checkpoint wants it.
 *
 * All that a run needs is made once, in `create`: the layout (layout.ts), buffers (buffers.ts), pipelines (kernels.ts) and bind groups
 * (prepared.ts). A run is two uploads, one pass and one submit; several runs may be in flight, since uploads are ordered with
 * submits. It leaves to others which rows and which values of scalars belong to a step, what to do about a halt, and how to find a device.
 */
import type { TypedArrayOf } from '../../../plan/dtypes.ts';
import type { Program } from '../../../plan/program.ts';
import { deviceError } from '../device/errors.ts';
import type { Wait } from '../device/wait.ts';
import { Buffers, type Memory } from './buffers.ts';
import { Faults, scoped } from './faults.ts';
import { packHalves } from './halves.ts';
import { checkData, packInputs, packScalars } from './inputs.ts';
import { compileKernels, type Progress } from './kernels.ts';
import { layOut, type Layout, type NamedSlot } from './layout.ts';
import { Pending } from './pending.ts';
import { encodeSteps, prepare, type Prepared } from './prepared.ts';
import { Staging } from './staging.ts';
import { sumByLabel, timeByClock, timeByStamps, type Timing } from './timings.ts';
import { alone, inspect, type Traced } from './trace.ts';
import { alignUp } from './usage.ts';

export interface ExecutorOptions {
  device: GPUDevice;
  wait: Wait;
  /** By role: `step`, `forward`, `forward.rest`, ... */
  programs: Record<string, Program>;
  /** WGSL by hash; may hold more than the programs use. */
  kernels: Record<string, string>;
  onProgress?: Progress;
}

/** What one run is given. */
export interface Values {
  inputs: ReadonlyMap<string, TypedArrayOf>;
  scalars: Readonly<Record<string, number>>;
}

/** How many bytes of state are read through one staging buffer, unless a single tensor is larger. */
const READ_BYTES = 64 * 2 ** 20;

interface Parts {
  device: GPUDevice;
  wait: Wait;
  faults: Faults;
  layout: Layout;
  buffers: Buffers;
  prepared: Map<string, Prepared>;
  staging: Staging;
}

export class Executor {
  readonly #parts: Parts;
  #destroyed = false;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Compiles the kernels and allocates all memory; state is zero until it is written. Throws R0110 to R0113 for what the device
   * refuses, R0125 to R0127 for programs that do not fit each other or the device.
   */
  static async create(options: ExecutorOptions): Promise<Executor> {
    const { device, wait, programs } = options;
    const faults = new Faults(device);
    let buffers: Buffers | undefined;
    try {
      const layout = layOut(programs, Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize));
      const kernels = await wait(faults.guard(compileKernels(device, programs, options.kernels, options.onProgress)));
      const made = (buffers = await wait(faults.guard(scoped(device, () => new Buffers(device, layout)))));
      const prepared = await wait(
        faults.guard(
          scoped(device, () => {
            const entries = Object.entries(programs).map(([role, program]): [string, Prepared] => {
              const laid = layout.programs.get(role);
              if (!laid) throw unknownRole(role, Object.keys(programs));
              return [role, prepare(device, role, program, laid, made, kernels)];
            });
            return new Map(entries);
          }),
        ),
      );
      return new Executor({ device, wait, faults, layout, buffers, prepared, staging: new Staging(device, wait, faults) });
    } catch (error) {
      buffers?.destroy();
      faults.close();
      throw error;
    }
  }

  /** Names of all state tensors. */
  get stateNames(): string[] {
    return [...this.#parts.layout.state.keys()];
  }

  /** Takes effect before the next run. Throws R0121, R0125. */
  writeState(name: string, data: TypedArrayOf): void {
    const { device, buffers } = this.#alive();
    const slot = this.#state(name);
    checkData(`the state tensor ${name}`, slot, data);
    const held = slot.half === undefined ? data : packHalves(data, slot.half, slot.name);
    device.queue.writeBuffer(buffers.of(slot), slot.offset, held.buffer, held.byteOffset, held.byteLength);
  }

  zeroState(name: string): void {
    const { device, buffers } = this.#alive();
    const slot = this.#state(name);
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(buffers.of(slot), slot.offset, slot.bytes);
    device.queue.submit([encoder.finish()]);
  }

  /** The values after all runs submitted so far; all tensors where no names are given. Throws R0125. */
  async readState(names: Iterable<string> = this.stateNames): Promise<Map<string, TypedArrayOf>> {
    const { device, buffers, staging } = this.#alive();
    const values = new Map<string, TypedArrayOf>();
    for (const batch of batches([...names].map((name) => this.#state(name)))) {
      const encoder = device.createCommandEncoder({ label: 'read state' });
      let bytes = 0;
      const copies = batch.map((slot) => {
        const copy = { ...slot, offset: bytes };
        bytes += alignUp(slot.bytes);
        return copy;
      });
      const buffer = staging.take(bytes);
      try {
        batch.forEach((slot, i) => encoder.copyBufferToBuffer(buffers.of(slot), slot.offset, buffer, copies[i].offset, slot.bytes));
        device.queue.submit([encoder.finish()]);
        for (const [name, value] of await staging.read(buffer, bytes, copies)) values.set(name, value);
      } finally {
        staging.drop(buffer);
      }
    }
    return values;
  }

  /**
   * Submits one run and returns at once. Each `Pending` of a program with outputs is to be read or discarded. Throws R0120 to R0124 for
   * what it was given, and what went wrong on the device before.
   */
  run(role: string, values: Values): Pending {
    const { device, buffers, staging } = this.#alive();
    const prepared = this.#upload(role, values);
    const { outputs, outputBytes } = prepared.layout;
    const encoder = device.createCommandEncoder({ label: role });
    const pass = encoder.beginComputePass({ label: role });
    encodeSteps(pass, prepared.steps);
    pass.end();
    const buffer = outputBytes > 0 ? staging.take(outputBytes) : undefined;
    if (buffer) encoder.copyBufferToBuffer(buffers.outputs, 0, buffer, 0, outputBytes);
    device.queue.submit([encoder.finish()]);
    return new Pending(staging, buffer, outputBytes, [...outputs.values()]);
  }

  /** Waits until the device has done all that was submitted. */
  async flush(): Promise<void> {
    const { device, wait, faults } = this.#alive();
    await wait(faults.guard(device.queue.onSubmittedWorkDone()));
  }

  /** Runs a program one dispatch at a time and tells what each wrote. State changes as in a run; the caller may stop early. */
  async *trace(role: string, values: Values): AsyncGenerator<Traced> {
    const { device, buffers, staging } = this.#alive();
    const { program, layout, steps } = this.#upload(role, values);
    for (const [at, dispatch] of program.dispatches.entries()) {
      const encoder = device.createCommandEncoder({ label: dispatch.label });
      const pass = encoder.beginComputePass();
      encodeSteps(pass, steps, at, at + 1);
      pass.end();
      device.queue.submit([encoder.finish()]);
      for (const position of dispatch.writes) {
        const index = dispatch.bindings[position];
        const tensor = program.tensors[index];
        const slot = layout.tensors[index];
        const buffer = staging.take(slot.bytes);
        try {
          const copy = device.createCommandEncoder();
          copy.copyBufferToBuffer(buffers.of(slot), slot.offset, buffer, 0, slot.bytes);
          device.queue.submit([copy.finish()]);
          const [read] = (await staging.read(buffer, slot.bytes, [alone(slot, tensor)])).values();
          yield { dispatch: at, label: dispatch.label, name: tensor.name, ...inspect(read) };
        } finally {
          staging.drop(buffer);
        }
      }
    }
  }

  /** Times of one run by kernel label, the most expensive first. State changes as in a run. */
  async timings(role: string, values: Values): Promise<Timing[]> {
    const { device, wait, faults } = this.#alive();
    const prepared = this.#upload(role, values);
    const time = device.features.has('timestamp-query') ? timeByStamps : timeByClock;
    return sumByLabel(prepared, await time(device, wait, faults, prepared));
  }

  /** Bytes allocated on the device. */
  memory(): Memory {
    return this.#parts.buffers.memory();
  }

  /** Destroys every buffer; the device stays open. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#parts.staging.destroy();
    this.#parts.buffers.destroy();
    this.#parts.faults.close();
  }

  #alive(): Parts {
    if (this.#destroyed) throw deviceError('R0128', 'this executor was destroyed', 'make a new one for the next task.');
    this.#parts.faults.check();
    return this.#parts;
  }

  #state(name: string): NamedSlot {
    const slot = this.#parts.layout.state.get(name);
    if (!slot)
      throw deviceError('R0125', `no program of this task has the state tensor ${name}`, 'see `stateNames` for those that there are.');
    return slot;
  }

  #upload(role: string, { inputs, scalars }: Values): Prepared {
    const { device, buffers, prepared } = this.#parts;
    const found = prepared.get(role);
    if (!found) throw unknownRole(role, [...prepared.keys()]);
    const arena = packInputs(role, found.program, found.layout, inputs);
    const block = packScalars(role, found.program, scalars);
    if (arena.byteLength > 0) device.queue.writeBuffer(buffers.inputs, 0, arena);
    if (block.byteLength > 0) device.queue.writeBuffer(buffers.scalars, 0, block);
    return found;
  }
}

/** Consecutive slots whose sum stays below READ_BYTES, at least one in each batch. */
function batches(slots: NamedSlot[]): NamedSlot[][] {
  const found: NamedSlot[][] = [];
  let room = 0;
  for (const slot of slots) {
    const bytes = alignUp(slot.bytes);
    if (found.length === 0 || bytes > room) {
      found.push([]);
      room = READ_BYTES;
    }
    found[found.length - 1].push(slot);
    room -= bytes;
  }
  return found;
}

function unknownRole(role: string, roles: string[]): Error {
  return deviceError(
    'R0124',
    `there is no program for the role ${role}; there is ${roles.join(', ') || 'none'}`,
    'compile the plan again with this version of Pivot.',
  );
}
