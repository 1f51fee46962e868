/**
 * The state a task starts from: drawn, or read from a finished task or a file; or all of it from a checkpoint.
 * Moments and weights of a checkpoint are taken as they are, bit for bit. A `working` tensor starts anew each time: at zero, or, where it only
 * lends weights to the task (a live reference, an encoder that is probed), from its source.
 */
import { elements } from '../../../plan/dtypes.ts';
import type { TypedArrayOf } from '../../../plan/dtypes.ts';
import { PivotError } from '../../../plan/errors.ts';
import type { Init, StateTensor } from '../../../plan/plan.ts';
import type { Program } from '../../../plan/program.ts';
import type { Executor } from '../executor/executor.ts';
import { normal, uniform } from '../random.ts';
import type { Tensor } from '../safetensors/format.ts';
import { firstNotFinite } from './bad-rows.ts';
import { runError } from './errors.ts';
import type { TaskStorage, TensorFile, WeightSource } from './storage.ts';

/** The tensors of `state` that some program touches; the others never reach the device and stay what they began as. */
export function onDevice(state: readonly StateTensor[], programs: Readonly<Record<string, Program>>): StateTensor[] {
  const touched = new Set<string>();
  for (const { tensors } of Object.values(programs))
    for (const { memory } of tensors) if (memory.kind === 'state') touched.add(memory.name);
  return state.filter(({ name }) => touched.has(name));
}

/** Writes the first value of every tensor of `state` to the device. Errors: R0611 (a shape differs), R0612 (not finite). */
export async function writeInitialState(
  executor: Executor,
  state: readonly StateTensor[],
  seed: number,
  weights: WeightSource,
): Promise<void> {
  for (const tensor of state) {
    if (startsAtZero(tensor)) executor.zeroState(tensor.name);
    else executor.writeState(tensor.name, await initialValue(tensor, seed, weights));
  }
}

/** Accumulators, totals and flags. */
export function startsAtZero({ keep, source }: StateTensor): boolean {
  return keep === 'working' && source.from === 'init' && source.init.kind === 'constant' && source.init.value === 0;
}

/** The first value of one state tensor, `elements(shape)` numbers. */
export async function initialValue(tensor: StateTensor, seed: number, weights: WeightSource): Promise<TypedArrayOf> {
  const { source, name, shape } = tensor;
  if (source.from === 'init') return drawn(source.key ?? name, seed, elements(shape), source.init, tensor.dtype);
  const found =
    source.from === 'task' ? await weights.ofTask(source.task, source.name) : await weights.ofFile(source.file, source.name, source.rows);
  const where = source.from === 'task' ? `the result of task ${source.task}` : source.file;
  requireLike(found, tensor, where);
  const bad = firstNotFinite(found.data);
  if (bad >= 0) {
    throw runError('R0612', `${source.name} in ${where} holds ${found.data[bad]} at element ${bad}`, 'start from weights that are finite');
  }
  return found.data;
}

function drawn(name: string, seed: number, length: number, init: Init, dtype: StateTensor['dtype']): TypedArrayOf {
  if (init.kind === 'normal') return normal(name, seed, length, init.std);
  if (init.kind === 'uniform') return uniform(name, seed, length, init.bound);
  const array = dtype === 'f32' ? new Float32Array(length) : dtype === 'i32' ? new Int32Array(length) : new Uint32Array(length);
  return array.fill(init.value);
}

/** The tensors that a checkpoint holds: weights and optimizer state. */
export function keptState(state: readonly StateTensor[]): StateTensor[] {
  return state.filter((tensor) => tensor.keep !== 'working');
}

/** Reads the tensors of `state` from the device as they would be stored. */
export async function readTensors(executor: Executor, state: readonly StateTensor[]): Promise<Tensor[]> {
  const values = await executor.readState(state.map((tensor) => tensor.name));
  return state.map(({ name, dtype, shape }) => {
    const data = values.get(name);
    if (data === undefined) throw new Error(`the executor gave back no ${name}`);
    return { name, dtype, shape, data };
  });
}

export interface Resumed {
  step: number;
  metadata: Record<string, string>;
}

/**
 * Writes the newest sound checkpoint to the device. A damaged one, or one that `faultOf` finds something wrong with, is named in the log and
 * the one before it is taken; without any the answer is undefined and the device is untouched.
 */
export async function resume(
  executor: Executor,
  task: { hash: string; seed: number },
  state: readonly StateTensor[],
  storage: TaskStorage,
  weights: WeightSource,
  say: (text: string) => void,
  faultOf: (metadata: Record<string, string>) => Promise<string | undefined> = () => Promise.resolve(undefined),
): Promise<Resumed | undefined> {
  for (const step of await storage.checkpoints()) {
    try {
      const { metadata, tensors } = await storage.readCheckpoint(step);
      const kept = soundTensors(task.hash, step, state, { metadata, tensors });
      const fault = await faultOf(metadata);
      if (fault !== undefined) throw runError('R0613', fault, 'let the steps be done again');
      await writeInitialState(
        executor,
        state.filter(({ keep }) => keep === 'working'),
        task.seed,
        weights,
      );
      for (const tensor of kept) executor.writeState(tensor.name, tensor.data);
      return { step, metadata };
    } catch (error) {
      if (!(error instanceof PivotError) || !/^R0(50|613)/.test(error.code)) throw error;
      say(`the checkpoint of step ${step} is not sound and is passed over: ${error.message}`);
    }
  }
  return undefined;
}

/** The tensors of a checkpoint that `state` keeps. Throws R0613 where it is not this task's, or not whole. */
function soundTensors(hash: string, step: number, state: readonly StateTensor[], { metadata, tensors }: TensorFile): Tensor[] {
  if (metadata.hash !== hash || metadata.step !== String(step)) throw runError('R0613', 'it belongs to another task or step', 'remove it');
  return keptState(state).map((wanted) => {
    const found = tensors.get(wanted.name);
    if (found === undefined || !isLike(found, wanted)) throw runError('R0613', `it has no whole ${wanted.name}`, 'remove it');
    const bad = firstNotFinite(found.data);
    if (bad >= 0) throw runError('R0613', `it holds ${found.data[bad]} in ${wanted.name}, element ${bad}`, 'remove it');
    return found;
  });
}

function isLike(found: Tensor, wanted: StateTensor): boolean {
  return found.dtype === wanted.dtype && found.shape.length === wanted.shape.length && found.shape.every((d, i) => d === wanted.shape[i]);
}

function requireLike(found: Tensor, wanted: StateTensor, where: string): void {
  if (isLike(found, wanted)) return;
  const text = (t: { dtype: string; shape: readonly number[] }): string => `${t.dtype} [${t.shape.join(', ')}]`;
  throw runError(
    'R0611',
    `${found.name} in ${where} is ${text(found)}, and ${wanted.name} is ${text(wanted)}`,
    'declare the same sizes as those of the weights to start from, or start from others',
  );
}
