/**
 * `hostile DIR [--only PART] [--verbose]`: reads every file of a set of hostile files through the reader of its folder, each bounded in time and
 * memory, and prints what was not as `expect.json` of the set asks: the file, the verdict asked for, what was said, time and peak memory.
 * Exit code 1 where there is a miss. The set is read in a copy, with links kept, and made again where a copy of the set had turned them into texts.
 */
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, readdir, rm, symlink, unlink } from 'node:fs/promises';

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PivotError } from '../../plan/errors.ts';
import { judge } from './judge.ts';
import { runPool } from './pool.ts';
import type { Measured } from './pool.ts';
import type { Case } from './result.ts';

const USAGE = 'npm run hostile -- DIR [--only PART] [--verbose]';
const BOUNDS = { milliseconds: 5000, bytes: 300e6 };
const PROCESSES = 2;

function readArguments(): { folder: string; only?: string; verbose?: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { only: { type: 'string' }, verbose: { type: 'boolean' } },
    });
    if (positionals.length === 1) return { folder: positionals[0], ...values };
  } catch (cause) {
    throw new PivotError('T0104', cause instanceof Error ? cause.message : String(cause), { cure: USAGE });
  }
  throw new PivotError('T0104', 'one folder with a set of hostile files is expected', { cure: USAGE });
}

async function main(): Promise<number> {
  const { folder, only, verbose } = readArguments();
  const all = JSON.parse(await readFile(join(folder, 'expect.json'), 'utf8')) as Case[];
  const cases = all.filter(({ file }) => only === undefined || file.includes(only));
  const copy = await mkdtemp(join(tmpdir(), 'pivot-hostile-'));
  const counts = new Map<string, { right: number; of: number; skipped: number }>();
  let missed = 0;
  try {
    await cp(folder, copy, { recursive: true, verbatimSymlinks: true });
    await restoreLinks(join(copy, 'rows', 'linked', 'images'));
    await runPool(copy, cases, BOUNDS, PROCESSES, (measured) => {
      const { one, outcome } = measured;
      const part = one.file.split('/')[0];
      const count = counts.get(part) ?? { right: 0, of: 0, skipped: 0 };
      counts.set(part, count);
      count.of++;
      const miss = judge(one, outcome);
      if (outcome.kind === 'skipped') count.skipped++;
      else if (miss === undefined) count.right++;
      else missed++;
      if (miss !== undefined || (verbose === true && outcome.kind !== 'skipped')) print(measured, miss, copy);
    });
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
  for (const [part, { right, of, skipped }] of counts) {
    console.log(skipped === of ? `${part}: skipped, there is no reader yet` : `${part}: ${right} of ${of} as expected`);
  }
  console.log(missed === 0 ? 'no miss' : `${missed} missed`);
  return missed === 0 ? 0 : 1;
}

/** Copies without links hold their targets as texts, as git writes them where the system has none. */
async function restoreLinks(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (!entry.isFile()) continue;
    const target = await readFile(path, 'latin1');
    if (!/^[\w./-]+$/.test(target)) continue;
    await unlink(path);
    await symlink(target, path);
  }
}

function print({ one, outcome, milliseconds, bytes }: Measured, miss: string | undefined, copy: string): void {
  console.log(`${miss === undefined ? 'right' : 'MISS'}  ${one.file}  (${one.verdict}: ${one.wrong})`);
  if (miss !== undefined) console.log(`  ${miss}`);
  const said = outcome.kind === 'read' ? ['read', ...outcome.result.warnings].join('\n') : outcome.kind === 'skipped' ? '' : outcome.said;
  console.log(`  ${outcome.kind}: ${said.replaceAll(`${copy}/`, '').slice(0, 1200).replaceAll('\n', '\n    ')}`);
  console.log(`  ${Math.round(milliseconds)} ms, ${Math.round(bytes / 1e6)} MB`);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof PivotError)) throw error;
  console.error(error.format());
  process.exitCode = 2;
}
