/** Pictures, preprocessing and rows against what Python's libraries recorded, where the recordings lie beside the repository. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { packageRoot } from '../../cli/host.ts';
import { table } from './check.ts';
import type { RowCheck } from './check.ts';
import { checkPictures, checkPreprocessing } from './pictures.ts';
import { checkClasses, checkMasks, checkRows } from './rows.ts';

const folder = join(packageRoot(), '..', 'shared', 'fixtures', 'data');
const recorded = existsSync(folder) ? describe : describe.skip;

recorded('recordings', () => {
  const parts: [string, (at: string) => Promise<RowCheck[]>][] = [
    ['pictures', checkPictures],
    ['preprocessing', checkPreprocessing],
    ['rows', checkRows],
    ['classes', checkClasses],
    ['masks and boxes', checkMasks],
  ];
  test.each(parts)('%s', async (_name, part) => {
    const checks = await part(folder);
    expect(checks.length).toBeGreaterThan(0);
    expect(checks.flatMap(({ misses }) => misses)).toEqual([]);
  });
});

test('the table shows a miss, and a kind without cases as one', () => {
  expect(table([{ what: 'a', cases: 2, misses: [] }])).toMatch(/^what +cases +misses\na +2 +0 +pass$/);
  expect(table([{ what: 'b', cases: 1, misses: ['x'] }])).toMatch(/MISS$/);
  expect(table([{ what: 'c', cases: 0, misses: [] }])).toMatch(/MISS$/);
});
