/** Reads weights as a run would: the container, the shards, the names and shapes that the layers of `config.json` ask for, and every value. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { TypedArrayOf } from '../../plan/dtypes.ts';
import { PivotError } from '../../plan/errors.ts';
import type { StateTensor } from '../../plan/plan.ts';
import type { Tensor } from '../../runtime/core/safetensors/format.ts';
import { initialValue } from '../../runtime/core/train/start.ts';
import { readCheckpoint, readWeight } from '../../runtime/node/safetensors/checkpoint.ts';
import { loadEncoder } from '../support/load-encoder.ts';
import type { Result } from './result.ts';

export async function read(path: string): Promise<Result> {
  const checkpoint = readCheckpoint(path);
  if (!checkpoint) throw new PivotError('R0504', `there are no weights in ${path}`, { place: { file: path } });
  const hasConfig = existsSync(join(path, 'config.json'));
  const warnings = hasConfig ? loadEncoder(dirname(path), basename(path)) : checkpoint.warnings;
  const tensors: Result['tensors'] = [];
  for (const { name, dtype, shape, file } of checkpoint.tensors) {
    const data = await startingFrom(basename(path) === file ? path : join(path, file), name);
    tensors.push([name, dtype, shape, data[0]]);
  }
  return { tensors, warnings };
}

/** What a task that starts from this tensor begins with. */
async function startingFrom(file: string, name: string): Promise<TypedArrayOf> {
  const tensor = await readWeight(file, name);
  const state: StateTensor = { ...tensor, source: { from: 'file', file, name }, keep: 'weight', trained: true };
  const read = (): Promise<Tensor> => Promise.resolve(tensor);
  return initialValue(state, 0, { ofTask: read, ofFile: read });
}
