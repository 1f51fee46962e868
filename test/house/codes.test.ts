/** Every code that is raised has one meaning, which `pivot explain` knows, and every code that is explained is raised. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ERROR_CODES } from '../../cli/codes.ts';
import { registry } from '../../grammar/index.ts';
import { ROOT, pivot } from '../cli/pivot.ts';

/** Codes as they stand in quotes in the sources: those that are raised. In registries they are keys, without quotes. */
function raised(): Set<string> {
  const found = new Set<string>();
  for (const part of ['plan', 'formats', 'grammar', 'compiler', 'runtime', 'cli']) {
    for (const name of readdirSync(join(ROOT, part), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      for (const [, code] of readFileSync(join(ROOT, part, name), 'utf8').matchAll(/'([A-Z]\d{4})'/g)) found.add(code);
    }
  }
  return found;
}

const registries = [registry as Readonly<Record<string, unknown>>, ...ERROR_CODES];
const known = registries.flatMap((codes) => Object.keys(codes));

test('each code has one meaning', () => {
  expect(known.filter((code, i) => known.indexOf(code) !== i)).toEqual([]);
});

test('each code that is raised is explained, and each that is explained is raised', () => {
  const all = raised();
  expect([...all].filter((code) => !known.includes(code))).toEqual([]);
  expect(known.filter((code) => !all.has(code))).toEqual([]);
});

test('explain knows codes of all folders, and those near by', async () => {
  expect((await pivot('explain', 'r0601')).stdout).toBe('R0601 (error)\n\nAnother process works in this run folder.\n');
  expect((await pivot('explain', 'P0301')).stdout).toContain('A text that yields it:');
  const { code, stderr } = await pivot('explain', 'R060');
  expect(code).toBe(1);
  expect(stderr).toMatch(/error C0106: there is no diagnostic R060\n {2}help: did you mean R06/);
});
