import { describe, expect, test } from '@jest/globals';
import { layout, verifyLayout } from '../../compiler/memory/layout.ts';
import type { Tenant } from '../../compiler/memory/layout.ts';
import { PivotError } from '../../plan/errors.ts';
import { Random } from '../support/random.ts';

function tenants(seed: number, count: number): Tenant[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) => {
    const first = random.below(count);
    return {
      name: `t${i}`,
      bytes: 4 * (1 + random.below(random.chance(0.3) ? 5000 : 200)),
      first,
      last: first + random.below(random.chance(0.2) ? count : 6),
    };
  });
}

/** Bytes of what is alive in the busiest dispatch: no layout needs less. */
function peak(all: readonly Tenant[]): number {
  const at = (dispatch: number): number =>
    all
      .filter(({ first, last }) => first <= dispatch && dispatch <= last)
      .reduce((sum, { bytes }) => sum + Math.ceil(bytes / 256) * 256, 0);
  return Math.max(...all.map(({ first }) => at(first)));
}

describe('layout of scratch memory', () => {
  test('never gives one place to two tensors alive together, and wastes little', () => {
    let waste = 0;
    for (let seed = 0; seed < 40; seed++) {
      const all = tenants(seed, 80);
      const laid = layout(all, 1 << 30);
      verifyLayout(all, laid);
      expect(laid.slabs).toHaveLength(1);
      waste += laid.slabs[0] / peak(all) - 1;
    }
    expect(waste / 40).toBeLessThan(0.1);
  });

  test('fills several slabs where one would be larger than a binding', () => {
    for (let seed = 0; seed < 20; seed++) {
      const all = tenants(seed, 80);
      const laid = layout(all, 20_480);
      verifyLayout(all, laid);
      expect(Math.max(...laid.slabs)).toBeLessThanOrEqual(20_480);
      expect(laid.slabs.length).toBeGreaterThan(1);
    }
  });

  test('tensors that follow one another share memory', () => {
    const chain = [0, 1, 2, 3].map((i) => ({ name: `t${i}`, bytes: 1000, first: i, last: i + 1 }));
    expect(layout(chain, 1 << 20).slabs).toEqual([2048]);
  });

  test('a tensor larger than a binding is an error that names it', () => {
    const attempt = (): unknown => layout([{ name: 'logits', bytes: 300 * 2 ** 20, first: 0, last: 1 }], 128 * 2 ** 20);
    expect(attempt).toThrow(PivotError);
    expect(attempt).toThrow('tensor logits takes 300 MiB, and the device binds at most 128 MiB at once');
  });

  test('the check sees an overlap', () => {
    const all = [0, 1].map((i) => ({ name: `t${i}`, bytes: 512, first: 0, last: 1 }));
    const berths = [
      { slab: 0, offset: 0 },
      { slab: 0, offset: 256 },
    ];
    expect(() => verifyLayout(all, { berths, slabs: [1024] })).toThrow('t1 and t0 share memory');
    expect(() =>
      verifyLayout(all, {
        berths: [
          { slab: 0, offset: 0 },
          { slab: 0, offset: 768 },
        ],
        slabs: [1024],
      }),
    ).toThrow('t1 lies at 768');
  });
});
