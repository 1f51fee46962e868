/**
 * Parity with transformers: every checkpoint of a folder that has a recording (test/parity/models/recording.ts has the layout), loaded by
 * `pretrained(..)` and run through the compiler's graphs and kernels on a device.
 */
import type { Bench } from '../bench.ts';
import type { Check } from '../check.ts';
import { checkDecoder } from './decoder.ts';
import { checkEncoder } from './encoder.ts';
import { checkPreferenceLosses, hasLosses } from './losses.ts';
import { checkTraining, hasTraining } from './training.ts';
import { readModel, recordedModels } from './recording.ts';

const ENCODERS = ['siglip', 'siglip2', 'clip', 'dinov2', 'dinov2_with_registers', 'vit', 'vit-in21k', 'vit_mae', 'mocov3', 'timm'];
const DECODERS = ['qwen2', 'llama', 'llava'];

export async function modelParity(bench: Bench, folder: string, onGroup: (checks: Check[]) => void = () => undefined): Promise<Check[]> {
  const all: Check[] = [];
  for (const name of recordedModels(folder)) {
    const recording = await readModel(folder, name);
    const checks = DECODERS.includes(recording.family)
      ? await checkDecoder(bench, recording)
      : ENCODERS.includes(recording.family)
        ? await checkEncoder(bench, recording)
        : [];
    all.push(...checks);
    onGroup(checks);
  }
  if (hasLosses(folder)) {
    const checks = await checkPreferenceLosses(bench, folder);
    all.push(...checks);
    onGroup(checks);
  }
  if (hasTraining(folder)) {
    const checks = await checkTraining(bench, folder);
    all.push(...checks);
    onGroup(checks);
  }
  return all;
}
