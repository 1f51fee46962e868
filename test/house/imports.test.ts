import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pivot-imports-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Exit code and lines of the check on the sources below `root`. */
function check(root: string): Promise<{ code: number; lines: string[] }> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [join(ROOT, 'scripts', 'imports.mjs'), root], (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, lines: `${stdout}${stderr}`.trim().split('\n') });
    });
  });
}

/** What the check says of files of these paths and texts. */
async function faults(files: Record<string, string>): Promise<string[]> {
  const root = await mkdtemp(join(folder, 'root-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const { code, lines } = await check(root);
  expect(code).toBe(lines.some((line) => /^imports: \d+ files/.test(line)) ? 0 : 1);
  return code === 0 ? [] : lines;
}

test('every file of ours imports what its room may', async () => {
  const { code, lines } = await check(ROOT);
  expect(lines).toEqual([expect.stringMatching(/^imports: \d{3,} files, each imports what its room may$/)]);
  expect(code).toBe(0);
});

test('what a room may not import is told with its line, whatever the form of the import', async () => {
  const found = await faults({
    'plan/a.ts': "import { a } from '../grammar/a.ts';\nimport { b } from '../planning/b.ts';",
    'grammar/a.ts': "import { a } from '../compiler/a.ts';\nimport yargs from 'yargs';",
    'compiler/a.ts': "import { a } from '../runtime/core/a.ts';\nimport { readFileSync } from 'node:fs';",
    'compiler/long.ts': 'export const a = 1;\n'.repeat(401),
    'runtime/core/a.ts':
      "import { a } from '../node/a.ts';\nimport sharp from 'sharp';\nexport const b = process.env.B ?? Buffer.alloc(1);",
    'runtime/node/a.ts': [
      "import type { Graph } from '../../compiler/graph/graph.ts';",
      "export { compile } from '../../compiler/compile.ts';",
      "export const later = (): Promise<unknown> => import('../../grammar/index.ts');",
      "export let graph: import('../../compiler/graph/graph.ts').Graph;",
    ].join('\n'),
  });
  expect(found).toEqual([
    'plan/a.ts:1: plan may not import grammar/a.ts',
    'plan/a.ts:2: plan may not import planning/b.ts',
    'grammar/a.ts:1: grammar may not import compiler/a.ts',
    'grammar/a.ts:2: grammar may not import the package yargs',
    'compiler/a.ts:1: compiler may not import runtime/core/a.ts',
    'compiler/a.ts:2: compiler may not import node:fs',
    'compiler/long.ts: 401 lines, more than 400',
    'runtime/core/a.ts:1: runtime/core may not import runtime/node/a.ts',
    'runtime/core/a.ts:2: runtime/core may not import the package sharp',
    'runtime/core/a.ts:3: `process` is of Node, and runtime/core runs anywhere',
    'runtime/core/a.ts:3: `Buffer` is of Node, and runtime/core runs anywhere',
    'runtime/node/a.ts:1: runtime/node may not import compiler/graph/graph.ts',
    'runtime/node/a.ts:2: runtime/node may not import compiler/compile.ts',
    'runtime/node/a.ts:3: runtime/node may not import grammar/index.ts',
    'runtime/node/a.ts:4: runtime/node may not import compiler/graph/graph.ts',
  ]);
});

test('what a room may import is let pass', async () => {
  const found = await faults({
    'grammar/generated/a.ts': 'export const a = 1;\n'.repeat(401),
    'compiler/a.ts': "import { a } from '../grammar/a.ts';\nimport { b } from '../plan/b.ts';\nexport const c = { process: a.global };",
    'runtime/core/a.ts': "import { a } from '../../plan/a.ts';\nexport const b = (x: { Buffer: number }) => x.Buffer;",
    'runtime/node/a.ts':
      "import sharp from 'sharp';\nimport { join } from 'node:path';\nimport { a } from '../core/a.ts';\nexport const b = process.env;",
    'cli/a.ts': "import { a } from '../compiler/a.ts';\nimport { b } from '../runtime/node/b.ts';",
    'test/a.ts': "import { a } from '../bench/a.ts';",
  });
  expect(found).toEqual([]);
});
