import { expect, test } from '@jest/globals';
import { firstBatch, firstWeights, scalarsAt } from '../../bench/peers/values.ts';

test('the scalars of AdamW correct the bias of both moments', () => {
  expect(scalarsAt(1, 0.5).size).toBeCloseTo(5, 12);
  expect(scalarsAt(1).root).toBeCloseTo(Math.sqrt(0.001), 12);
  expect(scalarsAt(1e5).size).toBeCloseTo(1e-3, 12);
});

test('weights and rows are the same for all that ask, and different by name', () => {
  const shapes = new Map([
    ['a.w', { shape: [64, 64], kind: 'normal' as const }],
    ['b.w', { shape: [64, 64], kind: 'normal' as const }],
    ['scale', { shape: [4], kind: 'ones' as const }],
  ]);
  const weights = firstWeights(shapes);
  expect(firstWeights(shapes)).toEqual(weights);
  const a = weights.get('a.w') ?? new Float32Array();
  expect(a).not.toEqual(weights.get('b.w'));
  expect(Math.sqrt(a.reduce((sum, x) => sum + x * x, 0) / a.length)).toBeCloseTo(0.02, 2);
  expect([...(weights.get('scale') ?? [])]).toEqual([1, 1, 1, 1]);
  const batch = firstBatch({ batch: 2, tokens: 3, width: 8, heads: 1, inner: 8 });
  expect(batch.get('x')).toHaveLength(48);
  expect(batch.get('x')).not.toEqual(batch.get('target'));
});
