/**
 * Runs a program one dispatch at a time and looks at all that each one writes. Slow, and only for finding out where a bad
 * number was made after a run has halted.
 */
import { elements, type TypedArrayOf } from '../../../plan/dtypes.ts';
import type { NamedSlot, Slot } from './layout.ts';

/** What one dispatch wrote into one tensor. */
export interface Traced {
  /** Index and label of the dispatch. */
  dispatch: number;
  label: string;
  /** Name of the tensor. */
  name: string;
  /** The first value that is NaN or infinite, by its flat index; absent where all are finite, and for integers. */
  firstBad?: { index: number; value: number };
  /** Of the finite values; NaN where there is none. */
  min: number;
  max: number;
}

/** Summary of a tensor's values. */
export function inspect(values: TypedArrayOf): Pick<Traced, 'firstBad' | 'min' | 'max'> {
  let min = Infinity;
  let max = -Infinity;
  let firstBad: Traced['firstBad'];
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    if (!Number.isFinite(value)) {
      firstBad ??= { index, value };
      continue;
    }
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min > max) min = max = Number.NaN;
  return firstBad ? { firstBad, min, max } : { min, max };
}

/** A slot named for reading it alone from the beginning of a staging buffer. */
export function alone(slot: Slot, tensor: Pick<NamedSlot, 'name' | 'dtype' | 'shape'>): NamedSlot {
  return {
    kind: slot.kind,
    buffer: slot.buffer,
    offset: 0,
    bytes: slot.bytes,
    name: tensor.name,
    dtype: tensor.dtype,
    shape: tensor.shape,
    length: elements(tensor.shape),
  };
}
