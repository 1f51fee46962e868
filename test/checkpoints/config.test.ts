import { describe, expect, test } from '@jest/globals';
import { readArchitecture } from '../../formats/config/config.ts';
import { strangers, tensorsOf } from '../../compiler/checkpoints/tensors.ts';
import { storedWeight } from '../../compiler/elaborate/stored.ts';

const read = (config: unknown) => readArchitecture(JSON.stringify(config, null, 1), 'config.json');
const architecture = (config: unknown) => read(config).architecture;

const VISION = {
  model_type: 'siglip_vision_model',
  hidden_size: 24,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  image_size: 32,
  patch_size: 8,
};
const QWEN = {
  model_type: 'qwen2',
  vocab_size: 64,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};

describe('config.json', () => {
  test('missing keys have the defaults of their class', () => {
    expect(architecture({ model_type: 'siglip_vision_model' })).toEqual({
      family: 'siglip_vision',
      width: 768,
      inner: 3072,
      layers: 12,
      heads: 12,
      headSize: 64,
      activation: 'gelu_tanh',
      epsilon: 1e-6,
      channels: 3,
      image: 224,
      patch: 16,
      grid: 14,
      tokens: 196,
      head: true,
    });
    expect(architecture({ architectures: ['ViTModel'], model_type: 'vit' })).toMatchObject({
      epsilon: 1e-12,
      activation: 'gelu',
      tokens: 197,
      pooler: true,
    });
    expect(architecture({ model_type: 'clip_vision_model' })).toMatchObject({
      activation: 'quick_gelu',
      epsilon: 1e-5,
      patch: 32,
      tokens: 50,
    });
    expect(architecture({ model_type: 'llama', num_attention_heads: 8 })).toMatchObject({
      keyHeads: 8,
      headSize: 512,
      rope: { kind: 'default', theta: 1e4 },
    });
  });

  test('both ages of rotary settings', () => {
    expect(architecture({ ...QWEN, rope_theta: 1e6 })).toMatchObject({ rope: { kind: 'default', theta: 1e6 } });
    expect(architecture({ ...QWEN, rope_parameters: { rope_theta: 1e6, rope_type: 'default' } })).toMatchObject({
      rope: { kind: 'default', theta: 1e6 },
    });
    const scaling = { factor: 8, high_freq_factor: 4, low_freq_factor: 1, original_max_position_embeddings: 64 };
    const rope = { kind: 'llama3', theta: 5e5, factor: 8, low: 1, high: 4, original: 64 };
    expect(architecture({ ...QWEN, rope_theta: 5e5, rope_scaling: { ...scaling, type: 'llama3' } })).toMatchObject({ rope });
    expect(architecture({ ...QWEN, rope_parameters: { ...scaling, rope_type: 'llama3', rope_theta: 5e5 } })).toMatchObject({ rope });
  });

  test('a gate of DINOv2 is rounded up to a multiple of 8', () => {
    expect(architecture({ model_type: 'dinov2', use_swiglu_ffn: true, hidden_size: 1536, num_attention_heads: 24 })).toMatchObject({
      inner: 4096,
    });
  });

  test('LLaVA counts the input of the first layer', () => {
    const llava = { model_type: 'llava', vision_config: VISION, text_config: QWEN, image_token_index: 63 };
    const at = (layer: number) => architecture({ ...llava, vision_feature_layer: layer, vision_feature_select_strategy: 'full' });
    expect(at(-2)).toMatchObject({ featureLayers: 1, imageTokens: 16 });
    expect(at(-1)).toMatchObject({ featureLayers: 2 });
    expect(at(0)).toMatchObject({ featureLayers: 0 });
    expect(() => at(-4)).toThrow(/vision_feature_layer: expected -3 to 2/);
    expect(architecture({ ...llava, vision_config: { ...VISION, model_type: 'clip_vision_model' } })).toMatchObject({
      imageTokens: 16,
      dropClass: true,
    });
    expect(() => architecture({ ...llava, image_token_index: 64 })).toThrow(
      /image_token_index: expected an id below vocab_size 64, found 64/,
    );
    expect(() => architecture({ ...llava, vision_config: { ...VISION, patch_size: 0 } })).toThrow(
      /vision_config.patch_size: expected a positive whole number, found 0/,
    );
  });

  test.each<[string, unknown, RegExp]>([
    ['a slip in a name', { ...VISION, model_type: 'siglip_vison_model' }, /did you mean siglip_vision_model, found siglip_vison_model/],
    ['no name', {}, /model_type: expected one of/],
    ['code', { model_type: 'my_vit', auto_map: { AutoModel: 'mine.MyViT' } }, /auto_map: .*found mine.MyViT/],
    ['a class of another model', { ...VISION, architectures: ['Qwen2ForCausalLM'] }, /architectures: .*found Qwen2ForCausalLM/],
    [
      'several faults at once',
      { ...VISION, num_attention_heads: 5, hidden_act: 'gelulu' },
      /num_attention_heads: expected a divisor of hidden_size 24, found 5; hidden_act: .*found gelulu|num_attention_heads.*hidden_act/,
    ],
    ['no number', { ...VISION, hidden_size: '24' }, /hidden_size: expected a number, positive and whole, found "24"/],
    ['a width that nothing holds', { ...VISION, hidden_size: 24e8 }, /hidden_size: expected at most 262144, found 2400000000.*GB/],
    ['key heads', { ...QWEN, num_key_value_heads: 3 }, /num_key_value_heads: expected a divisor of num_attention_heads 4, found 3/],
    ['an odd head', { ...QWEN, hidden_size: 20 }, /hidden_size: expected an even size per head, for rotary positions, found 5/],
    ['windows', { ...QWEN, use_sliding_window: true, sliding_window: 8, max_window_layers: 0 }, /use_sliding_window/],
    [
      'unknown scaling',
      { ...QWEN, rope_scaling: { rope_type: 'yarn', factor: 2 } },
      /rope_scaling.rope_type: expected default, llama3, found "yarn"/,
    ],
    ['quantised weights', { ...QWEN, quantization_config: { quant_method: 'gptq' } }, /quantization_config.quant_method: .*found gptq/],
    [
      'arguments of timm that change the model',
      { architecture: 'vit_small_patch16_224', model_args: { init_values: 1 } },
      /model_args.init_values/,
    ],
  ])('%s: refused', (_, config, message) => {
    expect(() => read(config)).toThrow(expect.objectContaining({ code: 'C0201', message: expect.stringMatching(message) }));
  });

  test('faults have a place', () => {
    expect(() => read({ ...VISION, patch_size: -8 })).toThrow(
      expect.objectContaining({ place: { file: 'config.json', line: 8, column: 16 } }),
    );
  });
});

describe('tensors on disk', () => {
  const vision = architecture(VISION);
  const found = (prefix: string) => tensorsOf(vision).map(({ name, shape }) => ({ name: name.replace('vision_model.', prefix), shape }));

  test('both prefixes are known', () => {
    for (const prefix of ['vision_model.', '']) {
      const names = found(prefix).map(({ name }) => name);
      expect(tensorsOf(vision, names).map(({ name }) => name)).toContain(`${prefix}encoder.layers.1.mlp.fc1.weight`);
      expect(strangers(vision, names)).toEqual([]);
    }
  });

  test('odd ones are told, tables that follow from the config are not', () => {
    const names = [...found('').map(({ name }) => name), 'strange', 'embeddings.position_ids'];
    expect(strangers(vision, names)).toEqual(['strange']);
  });

  test('missing and odd ones are named together', () => {
    const tensors = new Map(
      found('')
        .filter(({ name }) => name !== 'post_layernorm.weight')
        .map(({ name, shape }) => [name, { file: 'a', shape: name === 'head.probe' ? [1, 24] : shape }]),
    );
    const stored = {
      checkpoint: { folder: 'a', tensors, copies: new Map<string, string[]>(), faults: new Map<string, string>() },
      prefix: '',
    };
    for (const { name, shape } of found('')) storedWeight(stored, name, shape);
    expect([...stored.checkpoint.faults.values()]).toEqual([
      'post_layernorm.weight is not there',
      'head.probe is [1, 24], and the config makes it [1, 1, 24]',
    ]);
  });

  test('a tied head may be there or not', () => {
    const tied = architecture({ ...QWEN, tie_word_embeddings: true });
    const names = tensorsOf(tied).map(({ name }) => name);
    expect(names).toContain('lm_head.weight');
    expect(strangers(tied, names)).toEqual([]);
  });
});
