/**
 * Which rows make up a step. Each epoch has its own permutation, drawn from (seed, epoch) alone, so the rows follow
 * from the step: a resumed run reads what an uninterrupted one would have. Training batches are full; the few rows
 * that an epoch leaves over are left out of it, other rows each time.
 */
import { keyOf, Random } from '../random.ts';
import { dataError } from './codes.ts';

export interface Order {
  count: number;
  batch: number;
  seed: number;
}

/** Batches in an epoch. Throws R0517 where the rows do not fill one. */
export function batchesPerEpoch({ count, batch }: Pick<Order, 'count' | 'batch'>): number {
  if (count < batch) {
    throw dataError('R0517', `there are ${count} rows, and a batch takes ${batch}`, { cure: 'use a smaller batch, or more rows' });
  }
  return Math.floor(count / batch);
}

/** Rows of step `step` (from 0), in order. */
export function rowsOfStep(step: number, order: Order): number[] {
  const perEpoch = batchesPerEpoch(order);
  const permutation = permutationOf(order.count, order.seed, Math.floor(step / perEpoch));
  const start = (step % perEpoch) * order.batch;
  return Array.from(permutation.subarray(start, start + order.batch));
}

/** Rows 0 to count - 1 in batches; the last may be smaller. For evaluation. */
export function batchesInOrder(count: number, batch: number): number[][] {
  const batches: number[][] = [];
  for (let start = 0; start < count; start += batch) {
    batches.push(Array.from({ length: Math.min(batch, count - start) }, (_, i) => start + i));
  }
  return batches;
}

/** Steps of an epoch ask for the same permutation one after the other, and two tasks may take turns. */
const recent: { key: string; permutation: Uint32Array }[] = [];
const KEPT = 4;

/** All numbers below `count` in an order drawn from (seed, epoch); Fisher and Yates. */
export function permutationOf(count: number, seed: number, epoch: number): Uint32Array {
  const key = `${count} ${seed} ${epoch}`;
  const known = recent.find((entry) => entry.key === key);
  if (known !== undefined) return known.permutation;
  const random = new Random(keyOf('order', seed), epoch);
  const permutation = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const moved = permutation[i];
    permutation[i] = permutation[j];
    permutation[j] = moved;
  }
  recent.push({ key, permutation });
  if (recent.length > KEPT) recent.shift();
  return permutation;
}
