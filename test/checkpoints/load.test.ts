/** Checkpoints as a text loads them: which prefix their names have, and what is told of those that do not fit. */
import { afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArchitecture } from '../../formats/config/config.ts';
import { tensorsOf } from '../../compiler/checkpoints/tensors.ts';
import type { Tensor } from '../../runtime/core/safetensors/format.ts';
import { writeSafetensors } from '../../runtime/node/safetensors/files.ts';
import { loadEncoder } from '../support/load-encoder.ts';

const CONFIG = JSON.stringify({
  model_type: 'siglip_vision_model',
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  image_size: 8,
  patch_size: 4,
});

const root = mkdtempSync(join(tmpdir(), 'pivot-load-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const zeros = (name: string, shape: readonly number[]): Tensor => ({
  name,
  dtype: 'f32',
  shape: [...shape],
  data: new Float32Array(shape.reduce((n, extent) => n * extent, 1)),
});

/** Its tensors under this prefix, changed by `change`. */
async function folder(name: string, prefix: string, change: (tensors: Tensor[]) => Tensor[]): Promise<string> {
  const tensors = tensorsOf(readArchitecture(CONFIG, 'config.json').architecture).map((t) =>
    zeros(t.name.replace(/^vision_model\./, prefix), t.shape),
  );
  await writeSafetensors(join(root, name, 'model.safetensors'), change(tensors));
  writeFileSync(join(root, name, 'config.json'), CONFIG);
  return name;
}

test.each(['', 'vision_model.'])('names with the prefix %j are found, whatever else has another', async (prefix) => {
  const name = await folder(`prefix-${prefix.length}`, prefix, (all) => [
    ...all,
    zeros('vision_model.strange', [1]),
    zeros('other.strange', [1]),
  ]);
  const [warning, ...more] = loadEncoder(root, name);
  expect(warning).toMatch(/has 2 tensors that its architecture has no place for, which are not read: vision_model.strange, other.strange/);
  expect(more).toEqual([]);
});

test('what is missing and what has another shape is told together', async () => {
  const name = await folder('odd', '', (all) =>
    all.flatMap((t) =>
      t.name === 'post_layernorm.weight'
        ? []
        : [t.name.endsWith('fc1.weight') && t.name.startsWith('encoder') ? zeros(t.name, [8, 12]) : t],
    ),
  );
  expect(() => loadEncoder(root, name)).toThrow(
    expect.objectContaining({
      code: 'P0612',
      message: expect.stringMatching(
        /encoder.layers.0.mlp.fc1.weight is \[8, 12\], and the config makes it \[12, 8\]; post_layernorm.weight is not there/,
      ),
    }),
  );
});
