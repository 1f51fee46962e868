/** `--set NAME=VALUE`: expressions, and texts that need no quotes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { nodeHost, packageRoot } from '../../cli/host.ts';
import { compile } from '../../compiler/compile.ts';
import type { Compiled } from '../../compiler/compile.ts';

const TINY = readFileSync(join(packageRoot(), 'test', 'cli', 'tiny.pivot'), 'utf8').replace(
  'pivot 1',
  'pivot 1\nparam part: string = "train"\nparam rows: int = 16',
);
const TEXT = TINY.replace(/^data pairs = .*$/m, 'data pairs = scenes.preferences(split: part, count: rows)');

function withSet(set: Record<string, string>): Compiled {
  const real = nodeHost(packageRoot());
  const host = { ...real, read: (path: string) => (path === 'set.pivot' ? TEXT : real.read(path)) };
  return compile('set.pivot', host, { targets: [], set });
}

const dataOf = ({ plan }: Compiled) => plan?.tasks.flatMap((task) => (task.kind === 'train' ? [task.data] : []))[0];

test('a param of text takes a text with and without quotes', () => {
  for (const given of ['held-out', '"held-out"']) expect(dataOf(withSet({ part: given }))?.params.split).toBe('held-out');
  expect(dataOf(withSet({}))?.params.split).toBe('train');
});

test('other params take expressions, and what is none is told where it was written', () => {
  expect(dataOf(withSet({ rows: '2 * 16' }))?.count).toBe(32);
  const [fault] = withSet({ rows: 'many' }).diagnostics;
  expect([fault.code, fault.span?.file]).toEqual(['P0201', '--set rows']);
});

test('a name that is no param is refused', () => {
  expect(withSet({ row: '3' }).diagnostics.map(({ code }) => code)).toEqual(['P0521']);
});
