/** What every contestant starts from: the same weights and the same batch, drawn on the host and keyed by name. */
import { elements } from '../../plan/dtypes.ts';
import { normal } from '../../runtime/core/random.ts';
import type { BlockSize, TransformerStep } from '../transformer-block.ts';

/** Standard deviation of the matrices' first values. */
const STD = 0.02;

/** Scalars of AdamW at step `t`, counted from 1: the rate, and what corrects the bias of the two moments. */
export interface StepScalars {
  rate: number;
  /** rate / (1 - beta1^t) */
  size: number;
  /** sqrt(1 - beta2^t) */
  root: number;
}

export function scalarsAt(t: number, rate = 1e-3): StepScalars {
  return { rate, size: rate / (1 - 0.9 ** t), root: Math.sqrt(1 - 0.999 ** t) };
}

/** First values of the weights by name. */
export function firstWeights(weights: TransformerStep['weights']): Map<string, Float32Array> {
  return new Map(
    [...weights].map(([name, { shape, kind }]): [string, Float32Array] => {
      const count = elements(shape);
      return [name, kind === 'normal' ? normal(name, 0, count, STD) : new Float32Array(count).fill(kind === 'ones' ? 1 : 0)];
    }),
  );
}

/** `x` and `target` [batch, tokens, width], standard normal. */
export function firstBatch({ batch, tokens, width }: BlockSize): Map<'x' | 'target', Float32Array<ArrayBuffer>> {
  const count = batch * tokens * width;
  return new Map((['x', 'target'] as const).map((name) => [name, Float32Array.from(normal(`batch.${name}`, 0, count, 1))]));
}
