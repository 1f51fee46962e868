/** What the command line prints where nobody reads it, or where it may not be written. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { ROOT } from './pivot.ts';

const folder = mkdtempSync(join(tmpdir(), 'pivot-output-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const TEXT = join(folder, 'tiny.pivot');
copyFileSync(join(ROOT, 'test', 'cli', 'tiny.pivot'), TEXT);
const pivot = ['--no-warnings', '--import', join(ROOT, 'test', 'support', 'typescript.mjs'), join(ROOT, 'cli', 'main.ts')];

/** Runs a line of the shell in which `$P` is the program; what was written to standard error, and the exit code. */
function shell(line: string): { code: number | null; stderr: string; stdout: string } {
  const words = pivot.map((word) => `'${word}'`).join(' ');
  const { status, stderr, stdout } = spawnSync('sh', ['-c', line.replaceAll('$P', `'${process.execPath}' ${words}`)], { encoding: 'utf8' });
  return { code: status, stderr, stdout };
}

test('a reader that has gone ends a command in silence', () => {
  const { stderr } = shell(`$P explain P0301 | true`);
  expect(stderr).toBe('');
});

(existsSync('/dev/full') ? test : test.skip)('output that cannot be written is told in a sentence', () => {
  const { code, stderr } = shell(`$P explain P0301 >/dev/full`);
  expect(stderr).toMatch(/^standard output cannot be written: ENOSPC[^\n]*\n$/);
  expect(code).toBe(1);
});

describe('a folder that cannot be made', () => {
  // A file where a folder would have to be: the same for root and for others.
  const under = join(TEXT, 'below');
  test.each([
    ['compile', `compile '${TEXT}' --target portable -o '${under}'`],
    ['data export', `data export '${TEXT}' pairs -o '${under}'`],
  ])('%s', (_, words) => {
    const { code, stderr } = shell(`$P ${words}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error [A-Z]\d+: [^\n]+\n {2}help: /);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

test('an option that is a list takes one value each time, and leaves the file alone', () => {
  const out = execFileSync(process.execPath, [...pivot, 'check', '--set', 'rate=2e-3', '--set', 'count=32', TEXT], { encoding: 'utf8' });
  expect(out).toContain('sound');
});
