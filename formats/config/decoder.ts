/** Readers of language models' configs, of both ages: `rope_theta` and `rope_scaling` at the top, or `rope_parameters`. */
import type { Decoder, Rope } from './architecture.ts';
import type { Fields } from '../fields.ts';
import { LARGEST } from '../fields.ts';
import { readBlocks } from './vision.ts';

const DEFAULTS = { width: 4096, layers: 32, heads: 32, activation: 'silu', epsilon: 1e-6 };

export function readDecoder(fields: Fields, family: 'qwen2' | 'llama'): Decoder {
  const ofQwen = family === 'qwen2';
  const blocks = readDecoderBlocks(fields, ofQwen ? 22016 : 11008);
  // Llama without this key has as many key heads as heads; Qwen2's class has a number of its own.
  const keyHeads =
    fields.raw('num_key_value_heads') === null ? blocks.heads : fields.count('num_key_value_heads', ofQwen ? 32 : blocks.heads);
  if (blocks.heads % keyHeads !== 0)
    fields.fault('num_key_value_heads', `a divisor of num_attention_heads ${blocks.heads}`, String(keyHeads));
  refuseWindow(fields, blocks.layers);
  const vocabulary = fields.count('vocab_size', ofQwen ? 151936 : 32000, LARGEST.vocabulary);
  requireIds(fields, vocabulary);
  const bias = !ofQwen && fields.flag('attention_bias', false);
  return {
    family,
    ...blocks,
    vocabulary,
    positions: fields.count('max_position_embeddings', ofQwen ? 32768 : 2048),
    keyHeads,
    rope: readRope(fields),
    tied: fields.flag('tie_word_embeddings', false),
    qkvBias: ofQwen || bias,
    outputBias: bias,
    mlpBias: !ofQwen && fields.flag('mlp_bias', false),
  };
}

function readDecoderBlocks(fields: Fields, inner: number): ReturnType<typeof readBlocks> {
  const given = fields.raw('head_dim');
  const headSize = given === undefined || given === null ? undefined : fields.count('head_dim', 2, LARGEST.width);
  const blocks = readBlocks(fields, { ...DEFAULTS, inner }, headSize, 'rms_norm_eps');
  if (headSize !== undefined && headSize % 2 !== 0) fields.fault('head_dim', 'an even size per head', String(headSize));
  if (headSize === undefined && blocks.width % blocks.heads === 0 && blocks.headSize % 2 !== 0) {
    fields.fault(
      'hidden_size',
      'an even size per head, for rotary positions',
      `${blocks.headSize} (hidden_size ${blocks.width} / num_attention_heads ${blocks.heads})`,
    );
  }
  return blocks;
}

/** Ids of special tokens must have a row of the table. Below 0 they are counted from its end, which stands for none in old files. */
function requireIds(fields: Fields, vocabulary: number): void {
  for (const key of ['bos_token_id', 'eos_token_id', 'pad_token_id']) {
    const value = fields.raw(key);
    for (const id of Array.isArray(value) ? value : [value]) {
      if (id === undefined || id === null) continue;
      if (typeof id !== 'number' || !Number.isSafeInteger(id)) fields.fault(key, 'the id of a token');
      else if (id >= vocabulary) fields.fault(key, `an id below vocab_size ${vocabulary}`, String(id));
    }
  }
}

function refuseWindow(fields: Fields, layers: number): void {
  const slides = fields.flag('use_sliding_window', false) && fields.raw('sliding_window') !== null;
  if (slides && fields.whole('max_window_layers', 28) < layers) {
    fields.fault('use_sliding_window', 'false, since sliding windows are not supported');
  }
  const kinds = fields.raw('layer_types');
  if (Array.isArray(kinds) && kinds.some((kind) => kind !== 'full_attention')) fields.fault('layer_types', 'full_attention in every layer');
}

function readRope(fields: Fields): Rope {
  const isNew = fields.raw('rope_parameters') !== undefined && fields.raw('rope_parameters') !== null;
  const rope = fields.sub(isNew ? 'rope_parameters' : 'rope_scaling');
  const theta = isNew && rope.has('rope_theta') ? rope.positive('rope_theta', 1e4) : fields.positive('rope_theta', 1e4);
  if (rope.has('partial_rotary_factor') && rope.raw('partial_rotary_factor') !== 1) rope.fault('partial_rotary_factor', '1');
  const key = rope.has('rope_type') || !rope.has('type') ? 'rope_type' : 'type';
  const kind = rope.choice(key, 'default', { default: 'default', llama3: 'llama3' } as const);
  if (kind === 'default') return { kind, theta };
  for (const needed of ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings']) {
    if (!rope.has(needed)) rope.fault(needed, 'a positive number');
  }
  const low = rope.positive('low_freq_factor', 1);
  const high = rope.positive('high_freq_factor', 4);
  if (high <= low) rope.fault('high_freq_factor', `more than low_freq_factor ${low}`, String(high));
  return { kind, theta, factor: rope.positive('factor', 1), low, high, original: rope.count('original_max_position_embeddings', 8192) };
}
