/** Tensors beyond one binding: how they are cut along their first axis. */
import { elements } from '../../plan/dtypes.ts';

/** Bytes that every device binds at once (WebGPU's default limit). A plan's weights are cut alike for all targets, so that they share them. */
export const LARGEST_BINDING = 128 * 2 ** 20;

/** Rows of each part of an f32 tensor: one entry where it fits. All parts but the last have as many, a multiple of 4. */
export function partsOf(shape: readonly number[]): number[] {
  const bytes = elements(shape) * 4;
  if (bytes <= LARGEST_BINDING || shape.length === 0) return [shape[0] ?? 1];
  const [rows] = shape;
  const most = Math.max(1, Math.floor(LARGEST_BINDING / (bytes / rows)));
  const even = Math.ceil(rows / Math.ceil(rows / most));
  const size = Math.min(most, Math.ceil(even / 4) * 4);
  const parts: number[] = [];
  for (let left = rows; left > 0; left -= size) parts.push(Math.min(size, left));
  return parts;
}
