/** Every example is sound as it stands, and rests on what the committed lock names. */
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { compile } from '../../compiler/compile.ts';
import { nodeHost } from '../../cli/host.ts';
import { holdLock } from '../../cli/lock.ts';
import { EXAMPLES, FOLDERS, examples } from './run-example.ts';

const folder = mkdtempSync(join(tmpdir(), 'pivot-lock-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('all examples are run by a test', () => {
  const texts = readdirSync(examples).filter((name) => name.endsWith('.pivot'));
  expect(texts.sort()).toEqual([...Object.keys(EXAMPLES), ...FOLDERS].sort());
});

test.each(Object.keys(EXAMPLES))('%s is sound, and the lock is in step', (name) => {
  const { plan, texts, diagnostics } = compile(name, nodeHost(examples), { targets: [] });
  expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
  if (!plan) throw new Error('there is no plan');
  const lock = join(folder, 'pivot.lock');
  cpSync(join(examples, 'pivot.lock'), lock);
  holdLock(join(folder, name), plan, texts, false);
  expect(readFileSync(lock, 'utf8')).toBe(readFileSync(join(examples, 'pivot.lock'), 'utf8'));
});
