/** `npm run kill -- --count N --seed S`: see kill.ts. Needs a build in dist. Ends with 1 where anything differed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { keyOf, Random } from '../../runtime/core/random.ts';
import { campaign } from './kill.ts';

const { values } = parseArgs({ options: { count: { type: 'string', default: '20' }, seed: { type: 'string', default: '0' } } });
const base = mkdtempSync(join(tmpdir(), 'pivot-kill-'));
let drawn = 0;
const key = keyOf('kill', Number(values.seed));
const random = (): number => new Random(key, drawn++).uniform();
const { kills, ends, faults } = await campaign(base, Number(values.count), random, (text) => console.log(text));
console.log(`${kills} kills, ${ends} runs that went on to their end, ${faults.length} faults`);
rmSync(base, { recursive: true });
process.exitCode = faults.length > 0 ? 1 : 0;
