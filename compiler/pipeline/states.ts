/**
 * Weights of a graph as state tensors of a task. A weight that the task only reads, and that still lies in its checkpoint as 16-bit floats, is
 * held on the device as these: half the memory, and every value the same.
 */
import type { StateTensor } from '../../plan/plan.ts';
import type { WeightInfo } from '../elaborate/context.ts';
import type { Halves } from '../passes/passes.ts';

export function weightState(weight: WeightInfo, source: StateTensor['source'], keep: StateTensor['keep'], trained = false): StateTensor {
  const { path, shape, stored } = weight;
  const half = trained || !isUntouched(weight, source) ? undefined : stored?.half;
  return { name: path, dtype: 'f32', shape, source, keep, trained, ...(half ? { half } : {}) };
}

/** A state that begins as zeros and that no later task reads. */
export function zeroState({ name, shape }: { name: string; shape: readonly number[] }): StateTensor {
  const source: StateTensor['source'] = { from: 'init', init: { kind: 'constant', value: 0 } };
  return { name, dtype: 'f32', shape: [...shape], source, keep: 'working', trained: false };
}

/** Whether a weight is still the tensor of its checkpoint. */
export function isUntouched({ stored }: Pick<WeightInfo, 'stored'>, source: StateTensor['source']): boolean {
  return source.from === 'file' && source.file === stored?.file && source.name === stored.name;
}

/** What the programs of a task must know of its states. */
export function halvesOf(state: readonly StateTensor[]): Halves {
  return new Map(state.flatMap(({ name, half }) => (half ? [[name, half] as const] : [])));
}
