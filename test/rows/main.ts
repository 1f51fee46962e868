/** `rows DIR`: reads pictures, preprocessing and rows of a folder of recordings, and prints how many are as recorded; exit code 1 on a miss. */
import { PivotError } from '../../plan/errors.ts';
import { table } from './check.ts';
import type { RowCheck } from './check.ts';
import { checkPictures, checkPreprocessing } from './pictures.ts';
import { checkClasses, checkMasks, checkRows } from './rows.ts';
import { checkTokens } from './tokens.ts';

const SHOWN = 20;

async function main(): Promise<number> {
  const [folder, ...rest] = process.argv.slice(2);
  if (folder === undefined || rest.length > 0)
    throw new PivotError('T0103', 'one folder with recordings is expected', { cure: 'npm run rows -- DIR' });
  const checks: RowCheck[] = [];
  for (const part of [checkPictures, checkPreprocessing, checkRows, checkClasses, checkMasks, checkTokens])
    checks.push(...(await part(folder)));
  console.log(table(checks));
  const misses = checks.flatMap(({ what, misses: sentences }) => sentences.map((sentence) => `${what}: ${sentence}`));
  for (const miss of misses.slice(0, SHOWN)) console.log(miss.slice(0, 600));
  if (misses.length > SHOWN) console.log(`and ${misses.length - SHOWN} more`);
  return misses.length === 0 && checks.every(({ cases }) => cases > 0) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof PivotError)) throw error;
  console.error(error.format());
  process.exitCode = 2;
}
