/** Weights as stages left them: read from where they are, with the low-rank changes that were trained of them. */
import type { LeftTensor } from '../../../plan/plan.ts';
import type { Tensor } from '../../core/safetensors/format.ts';
import { initialValue } from '../../core/train/start.ts';
import type { WeightSource } from '../../core/train/storage.ts';

/** W, or W + scale B A (Hu et al. 2022), in f32. */
export async function leftTensor({ name, shape, source, merge }: LeftTensor, seed: number, weights: WeightSource): Promise<Tensor> {
  const value = async (of: LeftTensor['source'], size: number[], as: string): Promise<Float32Array> =>
    Float32Array.from(
      await initialValue({ name: as, dtype: 'f32', shape: size, source: of, keep: 'weight', trained: false }, seed, weights),
    );
  const data = await value(source, shape, name);
  if (!merge) return { name, dtype: 'f32', shape, data };
  const [rows, columns] = shape;
  const { rank, scale } = merge;
  const down = await value(merge.down, [rank, columns], `${name} down`);
  const up = await value(merge.up, [rows, rank], `${name} up`);
  const change = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    change.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = up[i * rank + r];
      for (let j = 0; j < columns; j++) change[j] += factor * down[r * columns + j];
    }
    for (let j = 0; j < columns; j++) data[i * columns + j] += scale * change[j];
  }
  return { name, dtype: 'f32', shape, data };
}
