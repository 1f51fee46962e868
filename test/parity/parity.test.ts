/** Everything that PyTorch recorded, recomputed from text on the device; the committed recording, and a larger one where it lies. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { packageRoot } from '../../cli/host.ts';
import { testDevice } from '../support/device.ts';
import { targetOf } from '../support/run-graph.ts';
import { check, passes, table } from './check.ts';
import type { Check } from './check.ts';
import { parity } from './parity.ts';

const open = testDevice();
const FOLDERS = [join('test', 'fixtures', 'core'), join('..', 'shared', 'fixtures', 'core')];

for (const folder of FOLDERS.filter((one) => existsSync(join(packageRoot(), one)))) {
  describe(`recording ${folder}`, () => {
    let checks: Check[] = [];
    beforeAll(async () => {
      checks = await parity({ open: open(), target: targetOf(open()) }, join(packageRoot(), folder));
    }, 900_000);
    for (const group of ['forward', 'backward', 'sft', 'dpo', 'loss', 'optimizer', 'schedule']) {
      test(group, () => {
        const own = checks.filter(({ quantity }) => new RegExp(`^${group}\\b`).test(quantity));
        expect(own.length).toBeGreaterThan(3);
        expect(table(own.filter((c) => !passes(c)))).toBe(table([]));
      });
    }
  });
}

describe('a comparison', () => {
  const of = (found: number[] | undefined, wanted: number[]): Check => check('x', 1e-3, 'of the largest', [{ name: 'x', found, wanted }]);

  test('passes within the tolerance of the largest value', () => {
    expect(passes(of([10.009, 0], [10, 0]))).toBe(true);
    expect(passes(of([10.011, 0], [10, 0]))).toBe(false);
    expect(passes(of([10, 0.011], [10, 0]))).toBe(false);
  });

  test('fails where a value is missing, not a number, or none is compared', () => {
    expect(passes(of(undefined, [1]))).toBe(false);
    expect(passes(of([1], [1, 2]))).toBe(false);
    expect(passes(of([1, NaN], [1, 2]))).toBe(false);
    expect(passes(of([], []))).toBe(false);
    expect(passes(check('x', 1, 'absolute', []))).toBe(false);
  });

  test('names the worst of several', () => {
    const both = check('x', 1e-3, 'absolute', [
      { name: 'a', found: [1], wanted: [1] },
      { name: 'b', found: [2], wanted: [1] },
      { name: 'c', found: [1.5], wanted: [1] },
    ]);
    expect([both.worst, both.error, both.values]).toEqual(['b', 1, 3]);
  });
});
