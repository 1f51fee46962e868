/** Every checkpoint of the recorded set: its config is read, and names all that its files hold. Of the large set where that is there, else of the small one. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../cli/host.ts';
import { readArchitecture } from '../../formats/config/config.ts';
import { readProcessor } from '../../formats/processor/read.ts';
import { strangers, tensorsOf } from '../../compiler/checkpoints/tensors.ts';
import { readCheckpoint, readWeight } from '../../runtime/node/safetensors/checkpoint.ts';

const LARGE = join(packageRoot(), '..', 'shared', 'fixtures', 'models');
const SET = existsSync(LARGE) ? LARGE : join(packageRoot(), 'test', 'fixtures', 'models');
const FOLDERS = readdirSync(SET).filter((name) => existsSync(join(SET, name, 'config.json')));

/** What a checkpoint of its architecture may be without: a tied head, and what pretraining alone reads. */
const MAY_LACK = /(^|\.)(lm_head\.weight|mask_token|pooler\.dense\.(weight|bias)|visual_projection\.weight)$|^decoder\./;

describe.each(FOLDERS)('%s', (name) => {
  const folder = join(SET, name);

  test('its tensors are those that its config asks for', async () => {
    const { architecture, warnings } = readArchitecture(readFileSync(join(folder, 'config.json')), join(folder, 'config.json'));
    const checkpoint = readCheckpoint(folder);
    const found = new Map(checkpoint?.tensors.map((tensor) => [tensor.name, tensor]));
    expect([...warnings, ...(checkpoint?.warnings ?? ['there are no weights']), ...strangers(architecture, found.keys())]).toEqual([]);
    const all = tensorsOf(architecture, found.keys());
    expect(new Set(all.map((tensor) => tensor.name)).size).toBe(all.length);
    const passedOver = [...found.keys()].filter((one) => !all.some((tensor) => tensor.name === one));
    expect(passedOver.filter((one) => !one.endsWith('position_ids'))).toEqual([]);
    for (const { name: one, shape } of all) {
      const own = found.get(one);
      if (own === undefined) {
        expect(one).toMatch(MAY_LACK);
        continue;
      }
      expect([one, own.shape]).toEqual([one, shape]);
      const { data } = await readWeight(join(folder, own.file), one);
      expect(data).toHaveLength(shape.reduce((n, extent) => n * extent, 1));
    }
  });

  const processor = join(folder, 'preprocessor_config.json');
  if (existsSync(processor)) {
    test('its pictures have the size of its encoder', () => {
      const model = { file: 'config.json', content: readFileSync(join(folder, 'config.json')) };
      const { architecture } = readArchitecture(model.content, model.file);
      const vision = 'vision' in architecture ? architecture.vision : architecture;
      const read = readProcessor(
        { own: { file: processor, content: readFileSync(processor) }, model },
        'image' in vision ? { side: vision.image } : undefined,
      );
      expect(read?.recipe.factor).toBeCloseTo(1 / 255, 12);
      expect(read?.recipe.resize).toBeDefined();
    });
  }
});
