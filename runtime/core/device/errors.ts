/**
 * Every error of the device and of the executor, by code. A code stands here once with what it means in general; the
 * place that raises it says what happened in particular and what to do.
 */
import { PivotError } from '../../../plan/errors.ts';

export const DEVICE_CODES = {
  R0101: 'No adapter was found that can run WebGPU.',
  R0102: 'The adapter that was asked for is not on this machine.',
  R0103: 'A driver was found, but Dawn does not accept it.',
  R0104: 'No target of the plan fits the adapter.',
  R0105: 'The software driver that comes with the install could not be unpacked.',
  R0106: 'The adapter did not give a device.',
  R0110: 'The device was lost while work was pending.',
  R0111: 'The device refused a command as invalid.',
  R0112: 'A kernel does not compile on this device.',
  R0113: 'The device ran out of memory.',
  R0120: 'A program has an input that was not given.',
  R0121: 'An input or a state tensor was given in the wrong type or length.',
  R0122: 'An index input holds a value outside of the table it points into.',
  R0123: 'A program reads a scalar that was not given.',
  R0124: 'There is no program of that role.',
  R0125: 'There is no state tensor of that name, or two programs disagree about it.',
  R0126: 'A tensor is larger than the device can bind.',
  R0127: 'A program is inconsistent in itself.',
  R0128: 'The executor was used after it was destroyed.',
  R0129: 'A value of a tensor that is held as 16-bit floats is none.',
} as const;

export type DeviceCode = keyof typeof DEVICE_CODES;

/** A `PivotError` whose code is one of this registry's. */
export function deviceError(code: DeviceCode, message: string, cure: string, cause?: unknown): PivotError {
  return new PivotError(code, message, { cure, cause });
}
