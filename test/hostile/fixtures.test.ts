/** The parts of the hostile set that end by themselves, each file as `npm run hostile` judges it. Runs where the set is there. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../cli/host.ts';
import { PivotError } from '../../plan/errors.ts';
import { read as readConfigs } from './configs.ts';
import { judge } from './judge.ts';
import type { Case, Outcome, Read } from './result.ts';
import { read as readSafetensors } from './safetensors.ts';

const SET = join(packageRoot(), '..', 'shared', 'fixtures', 'hostile');
const READERS: Record<string, Read> = { safetensors: readSafetensors, configs: readConfigs };
const all = existsSync(SET) ? (JSON.parse(readFileSync(join(SET, 'expect.json'), 'utf8')) as Case[]) : [];
const cases = all.filter(({ file }) => Object.hasOwn(READERS, file.split('/')[0]));

if (cases.length === 0) test.skip('there are no hostile files here', () => undefined);

(cases.length === 0 ? describe.skip : describe)('hostile files', () => {
  test.each(cases.map((one): [string, Case] => [one.file, one]))('%s', async (file, one) => {
    const outcome: Outcome = await READERS[file.split('/')[0]](join(SET, file), one.result).then(
      (result) => ({ kind: 'read', result }),
      (error: unknown) => ({
        kind: error instanceof PivotError ? 'refused' : 'failed',
        said: error instanceof PivotError ? error.format() : String(error),
      }),
    );
    expect(judge(one, outcome)).toBeUndefined();
  });
});
