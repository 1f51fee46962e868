/** Checkpoints as transformers computes them: the committed ones, and all of the larger set where it lies. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { packageRoot } from '../../../cli/host.ts';
import { testDevice } from '../../support/device.ts';
import { targetOf } from '../../support/run-graph.ts';
import { passes, table } from '../check.ts';
import type { Check } from '../check.ts';
import { modelParity } from './models.ts';
import { recordedModels } from './recording.ts';
import { hasTraining } from './training.ts';

const open = testDevice();
const FOLDERS = [join('test', 'fixtures', 'models'), join('..', 'shared', 'fixtures', 'models')];

for (const folder of FOLDERS.map((one) => join(packageRoot(), one)).filter(existsSync)) {
  describe(`checkpoints of ${folder.replace(packageRoot(), '.')}`, () => {
    let checks: Check[] = [];
    beforeAll(async () => {
      checks = await modelParity({ open: open(), target: targetOf(open()) }, folder);
    }, 900_000);
    const groups = [...recordedModels(folder), ...(hasTraining(folder) ? ['train-sft', 'train-dpo', 'train-lora'] : [])];
    test.each(groups)('%s', (name) => {
      const own = checks.filter(({ quantity }) => quantity.startsWith(`${name}:`) || quantity.startsWith(`${name} `));
      expect(own.length).toBeGreaterThan(2);
      expect(table(own.filter((c) => !passes(c)))).toBe(table([]));
    });
  });
}
