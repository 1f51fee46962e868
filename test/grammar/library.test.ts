import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { formatDiagnostics, parse } from '../../grammar/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const files = ['stdlib', 'examples'].flatMap((folder) =>
  readdirSync(`${root}/${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.pivot'))
    .map((name) => `${folder}/${name}`),
);

test('there are texts to read', () => expect(files.length).toBeGreaterThan(10));

test.each(files)('%s', (file) => {
  const text = readFileSync(`${root}/${file}`, 'utf8');
  const { tree, diagnostics } = parse(text, file);
  expect(formatDiagnostics(diagnostics, new Map([[file, text]]))).toBe('');
  expect(tree.declarations.length).toBeGreaterThan(0);
});
