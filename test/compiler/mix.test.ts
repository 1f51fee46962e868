import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { nodeHost, packageRoot } from '../../cli/host.ts';
import { compile } from '../../compiler/compile.ts';

const TINY = readFileSync(join(packageRoot(), 'test', 'cli', 'tiny.pivot'), 'utf8');

function dataOf(declaration: string) {
  const text = TINY.replace(/^data pairs = .*$/m, declaration);
  const { diagnostics, plan } = compile(
    'mix.pivot',
    { ...nodeHost(packageRoot()), read: (path) => (path === 'mix.pivot' ? text : nodeHost(packageRoot()).read(path)) },
    { targets: [] },
  );
  const task = plan?.tasks.find((t) => t.kind === 'train');
  return { codes: diagnostics.map((d) => d.code), data: task?.kind === 'train' ? task.data : undefined };
}

test('a mix holds the rows of all its parts, mixes within mixes laid open', () => {
  const { codes, data } = dataOf(
    'data pairs = mix(scenes.preferences(count: 8), mix(scenes.preferences(count: 16, seed: 1), scenes.preferences(count: 4).exchanged(100%)))',
  );
  expect(codes).toEqual([]);
  expect(data).toMatchObject({ source: 'mix', count: 28, tokenizer: 'words' });
  expect(data?.mix?.map(({ source, count, params, exchanged }) => [source, count, params.seed, exchanged])).toEqual([
    ['scenes.preferences', 8, 0, undefined],
    ['scenes.preferences', 16, 1, undefined],
    ['scenes.preferences', 4, 0, 1],
  ]);
});

test('rows of different kinds do not mix', () => {
  expect(dataOf('data pairs = mix(scenes.preferences(count: 8), scenes.captions(count: 8))').codes).toEqual(['P0601']);
});
