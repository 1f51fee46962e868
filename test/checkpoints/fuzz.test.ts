/** Configs with a value or two replaced by others: read as something that has tensors, or refused with a sentence; never anything else. */
import { expect, test } from '@jest/globals';
import { readArchitecture } from '../../formats/config/config.ts';
import { tensorsOf } from '../../compiler/checkpoints/tensors.ts';
import { PivotError } from '../../plan/errors.ts';
import { Random } from '../support/random.ts';

const VISION = {
  model_type: 'siglip_vision_model',
  hidden_size: 24,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  image_size: 32,
  patch_size: 8,
  hidden_act: 'gelu',
  layer_norm_eps: 1e-6,
  vision_use_head: false,
};
const ROPE = {
  rope_type: 'llama3',
  factor: 8,
  high_freq_factor: 4,
  low_freq_factor: 1,
  original_max_position_embeddings: 64,
  rope_theta: 5e5,
};
const LLAMA = {
  model_type: 'llama',
  vocab_size: 64,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 10,
  rope_parameters: ROPE,
  tie_word_embeddings: false,
};
const CONFIGS: Record<string, unknown>[] = [
  {
    model_type: 'llava',
    vision_config: VISION,
    text_config: LLAMA,
    image_token_index: 63,
    vision_feature_layer: -2,
    vision_feature_select_strategy: 'full',
  },
  {
    model_type: 'dinov2_with_registers',
    architectures: ['Dinov2WithRegistersModel'],
    hidden_size: 36,
    num_attention_heads: 3,
    mlp_ratio: 4,
    num_register_tokens: 4,
    num_hidden_layers: 1,
    use_swiglu_ffn: true,
  },
  {
    architecture: 'vit_small_patch16_224',
    num_classes: 5,
    model_args: { img_size: 24, patch_size: 8, embed_dim: 48, depth: 1, num_heads: 4, mlp_ratio: 2.625 },
  },
];
const ODD = [
  'null',
  '-1',
  '0',
  '1.5',
  '"x"',
  '""',
  '[]',
  '{}',
  'true',
  '1e300',
  '2147483648',
  '[1,2]',
  '{"a":1}',
  '"constructor"',
  '["a"]',
  '1e-320',
  '3',
  '9007199254740993',
];

test.each(CONFIGS.map((config, i): [number, Record<string, unknown>] => [i, config]))('config %i', (seed, config) => {
  const random = new Random(seed);
  const text = JSON.stringify(config);
  // Every value that is no list or object stands behind a colon or in a list, up to the next mark.
  const values = [...text.matchAll(/(?<=[:[,])("[^"]*"|[^"{}[\],:]+)(?=[,}\]])/g)];
  let read = 0;
  for (let round = 0; round < 2000; round++) {
    let damaged = text;
    for (const at of [random.below(values.length), random.below(values.length)].sort((a, b) => b - a).slice(round % 2)) {
      const { index, 0: old } = values[at];
      damaged = damaged.slice(0, index) + ODD[random.below(ODD.length)] + damaged.slice(index + old.length);
    }
    try {
      const { architecture } = readArchitecture(damaged, 'config.json');
      expect(tensorsOf(architecture).every(({ shape }) => shape.every((extent) => Number.isSafeInteger(extent) && extent > 0))).toBe(true);
      read++;
    } catch (error) {
      if (!(error instanceof PivotError)) throw new Error(damaged, { cause: error });
    }
  }
  expect(read).toBeGreaterThan(20);
});
