/** `parity DIR [--adapter NAME]`: prints every quantity's error beside its tolerance; exit code 1 where one misses it. */
import { parseArgs } from 'node:util';
import { PivotError } from '../../plan/errors.ts';
import { openDevice } from '../../runtime/node/device/open.ts';
import { passes, table } from './check.ts';
import { parity } from './parity.ts';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { adapter: { type: 'string' } } });
try {
  if (positionals.length !== 1) throw new PivotError('T0103', 'one folder with a recording is expected', { cure: 'npm run parity -- DIR [--adapter NAME]' });
  const open = await openDevice({ adapter: values.adapter });
  console.log(`adapter ${open.info.name} (${open.info.driver})\n`);
  const checks = await parity(open, positionals[0]);
  console.log(table(checks));
  const missed = checks.filter((c) => !passes(c)).length;
  console.log(`\n${checks.length - missed} of ${checks.length} within tolerance`);
  process.exit(missed === 0 ? 0 : 1);
} catch (error) {
  if (!(error instanceof PivotError)) throw error;
  console.error(error.format());
  process.exit(2);
}
