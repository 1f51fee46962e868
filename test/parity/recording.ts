/** A recorded run: `core.json` and `core.safetensors` of one folder, with the names of the weights in our model and theirs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PivotError } from '../../plan/errors.ts';
import type { Tensor } from '../../runtime/core/safetensors/format.ts';
import { readSafetensors } from '../../runtime/node/safetensors/files.ts';

export interface Sizes {
  image: number;
  patch: number;
  width: number;
  depth: number;
  heads: number;
  mlp: number;
  hidden: number;
  dwidth: number;
  ddepth: number;
  dheads: number;
  dmlp: number;
  vocab: number;
  prompt: number;
  answer: number;
  rows: number;
  batch: number;
  steps: number;
}

/** One training step; metrics of preference runs stand beside these. */
export interface RecordedStep {
  rows: number[];
  loss: number;
  grad_norm: number;
  learning_rate: number;
  reference?: Record<'chosen' | 'rejected', number[]>;
  [metric: string]: unknown;
}

export interface Recording {
  sizes: Sizes;
  torch: string;
  forward: { rows: number[]; loss: number };
  /** How far PyTorch's f32 runs are from its f64 runs, weights in parts of each tensor's largest value. */
  f32_against_f64: Record<'sft' | 'dpo', { weights_step1: number }>;
  sft: RecordedStep[];
  dpo: RecordedStep[];
  losses: Record<string, number>;
  schedules: Record<string, number[]>;
  tensors: Map<string, Tensor>;
}

/** @throws PivotError where a file is missing or broken. */
export async function readRecording(folder: string): Promise<Recording> {
  const path = join(folder, 'core.json');
  let json: Omit<Recording, 'tensors'>;
  try {
    json = JSON.parse(readFileSync(path, 'utf8')) as Omit<Recording, 'tensors'>;
  } catch (cause) {
    throw new PivotError('T0101', `${path} cannot be read: ${String(cause)}`, {
      cure: 'name a folder with core.json and core.safetensors',
    });
  }
  const { tensors } = await readSafetensors(join(folder, 'core.safetensors'));
  return { ...json, tensors };
}

/** A tensor of the recording. @throws PivotError for a name that it does not have. */
export function recorded(recording: Recording, name: string): Tensor {
  const found = recording.tensors.get(name);
  if (!found) throw new PivotError('T0102', `the recording has no tensor ${name}`, { cure: 'make it with the make.py that belongs to it' });
  return found;
}

/** Tensors whose names begin with `prefix`, by the rest of their names. */
export function below(recording: Recording, prefix: string): Map<string, Tensor> {
  return new Map([...recording.tensors].flatMap(([name, t]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), t] as const] : [])));
}

/** Image tokens before the prompt. */
export function imageTokens({ image, patch }: Sizes): number {
  return (image / patch) ** 2;
}

/** The path in `core.pivot` of a weight or activation of the recording. */
export function ours(name: string): string {
  return name.replace(/^connector\b/, 'model.connector').replace(/^decoder\b/, 'head');
}

/** The gradient of a key's bias is zero in exact arithmetic, so an optimizer that divides by its size turns rounding into steps. */
export function isKeyBias(name: string): boolean {
  return name.endsWith('.key.b');
}
