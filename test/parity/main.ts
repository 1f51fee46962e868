/**
 * `parity DIR [--adapter NAME] [--target NAME]`: prints every quantity's error beside its tolerance; exit code 1 where one misses it.
 * Without `--target` the programs are those that suit the adapter; `--target gpu` runs a GPU's on any adapter that takes them.
 */
import { parseArgs } from 'node:util';
import { targetNamed } from '../../compiler/lower/targets.ts';
import { PivotError } from '../../plan/errors.ts';
import { openDevice } from '../../runtime/node/device/open.ts';
import { targetOf } from '../support/run-graph.ts';
import { passes, table } from './check.ts';
import type { Check } from './check.ts';
import { modelParity } from './models/models.ts';
import { isModelFolder } from './models/recording.ts';
import { parity } from './parity.ts';

const USAGE = 'npm run parity -- DIR [--adapter NAME] [--target NAME]';

function readArguments(): { folder: string; adapter?: string; target?: string } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { adapter: { type: 'string' }, target: { type: 'string' } },
    });
    if (positionals.length === 1) return { folder: positionals[0], ...values };
  } catch (cause) {
    throw new PivotError('T0103', cause instanceof Error ? cause.message : String(cause), { cure: USAGE });
  }
  throw new PivotError('T0103', 'one folder with a recording is expected', { cure: USAGE });
}

async function main(): Promise<number> {
  const { folder, adapter, target: wish } = readArguments();
  const open = await openDevice({ adapter });
  const target = wish === undefined ? targetOf(open) : targetNamed(wish);
  console.log(`adapter ${open.info.name} (${open.info.driver}), programs for ${target.name}`);
  // Groups take a while each on a software driver, so each is shown when it is there.
  const show = (checks: Check[]): void => console.log(`\n${table(checks)}`);
  const checks = isModelFolder(folder) ? await modelParity({ open, target }, folder, show) : await parity({ open, target }, folder, show);
  const missed = checks.filter((c) => !passes(c)).length;
  console.log(`\n${checks.length - missed} of ${checks.length} within tolerance`);
  return missed === 0 ? 0 : 1;
}

try {
  process.exit(await main());
} catch (error) {
  if (!(error instanceof PivotError)) throw error;
  console.error(error.format());
  process.exit(2);
}
