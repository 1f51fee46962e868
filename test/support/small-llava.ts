/** The least LLaVA folder: a SigLIP tower of two layers, a projector, a Qwen2 of one; bf16 weights drawn by their names. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { elements } from '../../plan/dtypes.ts';
import { normal } from '../../runtime/core/random.ts';
import { encodeRawHeader, floatBytes } from '../../runtime/core/safetensors/raw.ts';
import type { RawTensor } from '../../runtime/core/safetensors/raw.ts';

export const SMALL_LLAVA = {
  architectures: ['LlavaForConditionalGeneration'],
  model_type: 'llava',
  image_token_index: 19,
  projector_hidden_act: 'gelu',
  vision_feature_layer: -2,
  vision_feature_select_strategy: 'full',
  vision_config: {
    model_type: 'siglip_vision_model',
    hidden_size: 8,
    intermediate_size: 12,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    image_size: 12,
    patch_size: 4,
    vision_use_head: false,
  },
  text_config: {
    model_type: 'qwen2',
    hidden_size: 16,
    intermediate_size: 20,
    num_hidden_layers: 1,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    vocab_size: 20,
    tie_word_embeddings: true,
    max_position_embeddings: 64,
  },
} as const;

export async function smallLlava(folder: string, config: typeof SMALL_LLAVA = SMALL_LLAVA): Promise<void> {
  const { vision_config: v, text_config: t } = config;
  const tensors: (RawTensor & { bytes: Uint8Array })[] = [];
  const add = (name: string, ...shape: number[]): void => {
    const values = normal(name, 0, elements(shape), 0.3);
    const bytes = floatBytes('BF16', name.includes('norm') && name.endsWith('weight') ? values.map((x) => 1 + x / 10) : values);
    if (bytes) tensors.push({ name, dtype: 'BF16', shape, bytes });
  };
  const map = (name: string, width: number, from: number): void => {
    add(`${name}.weight`, width, from);
    add(`${name}.bias`, width);
  };
  const norm = (name: string): void => {
    add(`${name}.weight`, v.hidden_size);
    add(`${name}.bias`, v.hidden_size);
  };
  const tower = 'vision_tower.vision_model';
  add(`${tower}.embeddings.patch_embedding.weight`, v.hidden_size, 3, v.patch_size, v.patch_size);
  add(`${tower}.embeddings.patch_embedding.bias`, v.hidden_size);
  add(`${tower}.embeddings.position_embedding.weight`, (v.image_size / v.patch_size) ** 2, v.hidden_size);
  for (let i = 0; i < v.num_hidden_layers; i++) {
    const at = `${tower}.encoder.layers.${i}`;
    norm(`${at}.layer_norm1`);
    for (const part of ['q_proj', 'k_proj', 'v_proj', 'out_proj']) map(`${at}.self_attn.${part}`, v.hidden_size, v.hidden_size);
    norm(`${at}.layer_norm2`);
    map(`${at}.mlp.fc1`, v.intermediate_size, v.hidden_size);
    map(`${at}.mlp.fc2`, v.hidden_size, v.intermediate_size);
  }
  norm(`${tower}.post_layernorm`);
  map('multi_modal_projector.linear_1', t.hidden_size, v.hidden_size);
  map('multi_modal_projector.linear_2', t.hidden_size, t.hidden_size);
  const text = 'language_model.model';
  const keys = (t.hidden_size / t.num_attention_heads) * t.num_key_value_heads;
  add(`${text}.embed_tokens.weight`, t.vocab_size, t.hidden_size);
  for (let i = 0; i < t.num_hidden_layers; i++) {
    const at = `${text}.layers.${i}`;
    add(`${at}.input_layernorm.weight`, t.hidden_size);
    map(`${at}.self_attn.q_proj`, t.hidden_size, t.hidden_size);
    map(`${at}.self_attn.k_proj`, keys, t.hidden_size);
    map(`${at}.self_attn.v_proj`, keys, t.hidden_size);
    add(`${at}.self_attn.o_proj.weight`, t.hidden_size, t.hidden_size);
    add(`${at}.post_attention_layernorm.weight`, t.hidden_size);
    for (const part of ['gate_proj', 'up_proj']) add(`${at}.mlp.${part}.weight`, t.intermediate_size, t.hidden_size);
    add(`${at}.mlp.down_proj.weight`, t.hidden_size, t.intermediate_size);
  }
  add(`${text}.norm.weight`, t.hidden_size);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
  writeFileSync(
    join(folder, 'model.safetensors'),
    Buffer.concat([encodeRawHeader(tensors, { format: 'pt' }), ...tensors.map((t2) => t2.bytes)]),
  );
}
