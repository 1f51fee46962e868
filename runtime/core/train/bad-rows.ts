/** Numbers that are not finite in what a forward program gives: where they come from, by tensor and row. */
import type { TypedArrayOf } from '../../../plan/dtypes.ts';
import { elements } from '../../../plan/dtypes.ts';
import type { Program } from '../../../plan/program.ts';
import type { Executor } from '../executor/executor.ts';
import type { Inputs } from './batches.ts';

/** The index of the first value that is NaN or infinite, or -1. */
export function firstNotFinite(data: ArrayLike<number>): number {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return i;
  return -1;
}

export function areFinite(outputs: ReadonlyMap<string, TypedArrayOf>): boolean {
  return [...outputs.values()].every((data) => firstNotFinite(data) < 0);
}

/** One run of a forward program. */
export interface ForwardBatch {
  role: string;
  program: Program;
  inputs: Inputs;
  scalars: Record<string, number>;
  /** Numbers of the rows in it. */
  indices: readonly number[];
}

/** Runs a batch again, one dispatch at a time, and says which number is the first that is not finite: `NaN in head.norm, row 17`. */
export async function whereNotFinite(executor: Executor, { role, program, inputs, scalars, indices }: ForwardBatch): Promise<string> {
  const told = (value: number, tensor: string, shape: readonly number[], index: number): string => {
    // Tensors of one entry a row, or several, have the rows first.
    const width = elements(shape) / indices.length;
    const byRow = shape.length > 0 && shape[0] % indices.length === 0 && Number.isInteger(width);
    const rows = byRow ? `row ${indices[Math.floor(index / width)]}` : `rows ${indices[0]} to ${indices[indices.length - 1]}`;
    return `${value} in ${tensor}, ${rows}`;
  };
  for (const { name, shape } of program.inputs) {
    const values = inputs.get(name) ?? [];
    const at = firstNotFinite(values);
    if (at >= 0) return told(values[at], `the input ${name}`, shape, at);
  }
  for await (const { name, firstBad } of executor.trace(role, { inputs, scalars })) {
    if (firstBad === undefined) continue;
    const shape = program.tensors.find((tensor) => tensor.name === name)?.shape ?? [];
    return told(firstBad.value, name, shape, firstBad.index);
  }
  return `a number that is not finite, rows ${indices[0]} to ${indices[indices.length - 1]}`;
}
