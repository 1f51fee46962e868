/** Every checkpoint of the recorded set: its config is read, and names all that its files hold. Of the large set where that is there, else of the small one. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../cli/host.ts';
import { readArchitecture } from '../../compiler/checkpoints/config.ts';
import { readProcessor, viewerOf } from '../../compiler/checkpoints/processor.ts';
import { checkTensors, tensorsOf } from '../../compiler/checkpoints/tensors.ts';
import { openCheckpoint } from '../../runtime/node/safetensors/checkpoint.ts';

const LARGE = join(packageRoot(), '..', 'shared', 'fixtures', 'models');
const SET = existsSync(LARGE) ? LARGE : join(packageRoot(), 'test', 'fixtures', 'models');
const FOLDERS = readdirSync(SET).filter((name) => existsSync(join(SET, name, 'config.json')));

describe.each(FOLDERS)('%s', (name) => {
  const folder = join(SET, name);

  test('its tensors are those that its config asks for', async () => {
    const { architecture, warnings } = readArchitecture(readFileSync(join(folder, 'config.json')), join(folder, 'config.json'));
    const checkpoint = await openCheckpoint(folder);
    const found = Array.from(checkpoint.tensors, ([tensor, { shape }]) => ({ name: tensor, shape }));
    const checked = checkTensors(architecture, found, folder);
    expect([...warnings, ...checkpoint.warnings, ...checked.warnings]).toEqual([]);
    const passedOver = found.filter(({ name: one }) => !checked.tensors.some((tensor) => tensor.name === one));
    expect(passedOver.every(({ name: one }) => one.endsWith('position_ids'))).toBe(true);
    const all = tensorsOf(architecture, checkpoint.tensors.keys());
    expect(new Set(all.map((tensor) => tensor.name)).size).toBe(all.length);
    for (const tensor of checked.tensors) {
      const { data } = await checkpoint.read(tensor.name);
      expect(data).toHaveLength(tensor.shape.reduce((n, extent) => n * extent, 1));
    }
    await checkpoint.close();
  });

  const processor = join(folder, 'preprocessor_config.json');
  if (existsSync(processor)) {
    test('its pictures have the size of its encoder', () => {
      const { architecture } = readArchitecture(readFileSync(join(folder, 'config.json')), 'config.json');
      const read = readProcessor(readFileSync(processor), processor, viewerOf(architecture));
      expect(read.factor).toBeCloseTo(1 / 255, 12);
      expect(read.resize).toBeDefined();
    });
  }
});
