/** Plans are data: what runs them needs neither the grammar nor the compiler. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ROOT, pivot, pivotChild } from '../cli/pivot.ts';
import { folderOf } from '../support/run-folder.ts';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pivot-plan-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A copy of the package without grammar, compiler and standard library. */
async function packageWithoutCompiler(): Promise<string> {
  const root = join(folder, 'package');
  await mkdir(root);
  for (const part of ['plan', 'formats', 'runtime', 'cli', 'package.json'])
    await cp(join(ROOT, part), join(root, part), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'), 'dir');
  return root;
}

test('a compiled plan runs where grammar and compiler are absent', async () => {
  const text = join(folder, 'tiny.pivot');
  await writeFile(text, await readFile(join(ROOT, 'test', 'cli', 'tiny.pivot')));
  const plan = join(folder, 'plan');
  expect(await pivot('compile', text, '-o', plan, '--target', 'portable')).toMatchObject({ code: 0, stderr: '' });

  const root = await packageWithoutCompiler();
  const alone = await pivotChild(['check', text], root);
  expect(alone.code).toBe(1);
  expect(alone.stderr).toContain('Cannot find module');

  const out = join(folder, 'run');
  const { code, stderr } = await pivotChild(['run', plan, '-o', out, '--base', folder], root);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('error')]);
  const losses = (await readFile(join(folderOf(out, 'tune@0'), 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { loss: number }).loss);
  expect(losses).toHaveLength(4);
  expect(losses.every((loss) => Number.isFinite(loss))).toBe(true);
  const weights = await readFile(join(folder, 'eyes.safetensors'));
  expect(weights.length).toBeGreaterThan(1000);
});
