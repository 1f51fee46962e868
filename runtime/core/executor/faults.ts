/**
 * What goes wrong on a device outside of any call: a lost device, and commands refused after they were submitted. Both are
 * collected here and thrown at the next occasion at which somebody can be told.
 */
import type { PivotError } from '../../../plan/errors.ts';
import { deviceError } from '../device/errors.ts';

export class Faults {
  readonly #device: GPUDevice;
  #lost: PivotError | undefined;
  readonly #refused: PivotError[] = [];
  readonly #onError: (event: GPUUncapturedErrorEvent) => void;
  /** Rejects when the device is lost, and never resolves. */
  readonly whenLost: Promise<never>;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.whenLost = device.lost.then((info) => {
      this.#lost = lostError(info);
      throw this.#lost;
    });
    // It is raced against others; where nobody races, its rejection is no unhandled one.
    this.whenLost.catch(() => undefined);
    this.#onError = (event) => {
      event.preventDefault();
      this.#refused.push(refusedError(event.error));
    };
    device.addEventListener('uncapturederror', this.#onError);
  }

  /** Throws R0110 as long as the device is lost, and each refused command (R0111, R0113) once. */
  check(): void {
    if (this.#lost) throw this.#lost;
    const refused = this.#refused.shift();
    // One mistake makes all that follows invalid as well: only the first says anything.
    this.#refused.length = 0;
    if (refused) throw refused;
  }

  /** The result of `promise`, or R0110 where the device is lost before it settles. */
  async guard<T>(promise: Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await Promise.race([promise, this.whenLost]);
    } catch (error) {
      // A lost device rejects what is pending before it resolves `lost`; the loss is what the user should read.
      await Promise.race([this.whenLost.catch(() => undefined), Promise.resolve()]);
      this.check();
      throw error;
    }
    this.check();
    return result;
  }

  close(): void {
    this.#device.removeEventListener('uncapturederror', this.#onError);
  }
}

function lostError(info: GPUDeviceLostInfo): PivotError {
  return info.reason === 'destroyed'
    ? deviceError('R0110', 'the device was closed while it was still in use', 'close the device after the last result has been read.')
    : deviceError(
        'R0110',
        `the device was lost: ${info.message || 'the driver gave no reason'}`,
        'start the run again, it goes on from its last checkpoint; if it happens again, choose a smaller micro batch or another adapter.',
      );
}

export function refusedError(error: GPUError): PivotError {
  // The classes are no globals on Node; their names are part of the specification.
  return error.constructor.name === 'GPUOutOfMemoryError'
    ? deviceError(
        'R0113',
        `the device ran out of memory: ${firstLine(error.message)}`,
        'choose a smaller micro batch, or close what else uses the device.',
      )
    : deviceError(
        'R0111',
        `the device refused a command: ${firstLine(error.message)}`,
        'this is a fault of Pivot or of the driver: please report it with the output of `pivot doctor`.',
      );
}

function firstLine(message: string): string {
  return message.split('\n').filter(Boolean).slice(0, 2).join(' ').trim();
}

/** Runs `make`, which must not wait for anything, in error scopes, so that what is refused inside of it is thrown from here. */
export async function scoped<T>(device: GPUDevice, make: () => T): Promise<T> {
  device.pushErrorScope('out-of-memory');
  device.pushErrorScope('validation');
  let scopes: Promise<GPUError | null>[] = [];
  let made: T;
  try {
    made = make();
  } finally {
    scopes = [device.popErrorScope(), device.popErrorScope()];
  }
  for (const error of await Promise.all(scopes)) if (error) throw refusedError(error);
  return made;
}
