import { expect, test } from '@jest/globals';
import { dpoCosts } from '../../bench/dpo-cost.ts';
import { targetNamed } from '../../compiler/lower/targets.ts';

test('a step with packed pairs and a cached reference takes at most half of the usual operations', () => {
  const costs = dpoCosts(targetNamed('software-8'));
  expect(costs).toHaveLength(2);
  for (const { share, shareSpread, shareOneEpoch, usual, packedCached, separateLive, reference } of costs) {
    expect(share).toBeLessThanOrEqual(0.5);
    expect([share, shareSpread, shareOneEpoch]).toEqual([share, shareSpread, shareOneEpoch].sort((a, b) => a - b));
    // A forward pass is a third of forward and backward; one sequence for both answers is never dearer than two.
    expect(reference / packedCached).toBeCloseTo(1 / 3, 1);
    expect(separateLive).toBeGreaterThan(packedCached);
    expect(usual).toBeGreaterThan(separateLive);
  }
});
