/** NaN and infinities in weights. The container is sound then; a model that starts from such weights is not. */
import { PivotError } from '../../../plan/errors.ts';
import type { Tensor } from './format.ts';

/** Throws R0505 where a value is not finite, with its flat index from 0. */
export function checkFinite(tensor: Tensor, file: string): void {
  if (tensor.dtype === 'i32' || tensor.dtype === 'u32') return;
  const { data, name } = tensor;
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (!Number.isFinite(value)) {
      throw new PivotError('R0505', `tensor ${name} of ${file}: element ${i} is ${value}`, {
        cure: 'fetch the weights again, or take those of an earlier step',
        place: { file },
      });
    }
  }
}
