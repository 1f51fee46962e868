/** Readers of vision configs. Defaults are those of transformers' classes, since checkpoints are saved without what equals them. */
import type { Activation, ClipVision, Dinov2, SiglipVision, TextTower, TimmVit, Vit, VitMae } from './architecture.ts';
import type { Fields } from '../fields.ts';
import { LARGEST } from '../fields.ts';

export const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  gelu: 'gelu',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_new: 'gelu_tanh',
  quick_gelu: 'quick_gelu',
  silu: 'silu',
  swish: 'silu',
  relu: 'relu',
};

interface Defaults {
  width: number;
  inner: number;
  layers: number;
  heads: number;
  activation: string;
  epsilon: number;
}

/** With `headSize` the heads need not make up the width. */
export function readBlocks(fields: Fields, d: Defaults, headSize?: number, epsilonKey = 'layer_norm_eps') {
  const width = fields.count('hidden_size', d.width, LARGEST.width);
  const heads = fields.count('num_attention_heads', d.heads, LARGEST.width);
  if (headSize === undefined && width % heads !== 0)
    fields.fault('num_attention_heads', `a divisor of hidden_size ${width}`, String(heads));
  return {
    width,
    inner: fields.count('intermediate_size', d.inner, LARGEST.width),
    layers: fields.count('num_hidden_layers', d.layers, LARGEST.layers),
    heads,
    headSize: headSize ?? width / heads,
    activation: fields.choice('hidden_act', d.activation, ACTIVATIONS),
    epsilon: fields.positive(epsilonKey, d.epsilon),
  };
}

/** `extra` tokens stand before the patches. */
function readPicture(fields: Fields, d: Defaults & { image: number; patch: number }, extra: number) {
  const side = sideOf(fields, 'image_size', d.image);
  const patch = sideOf(fields, 'patch_size', d.patch);
  return { ...readBlocks(fields, d), channels: fields.count('num_channels', 3, 64), ...gridOf(fields, side, patch, extra) };
}

/** A side in pixels; some files write `[224, 224]`. */
function sideOf(fields: Fields, key: string, fallback: number): number {
  const value = fields.raw(key);
  if (!Array.isArray(value)) return fields.count(key, fallback, LARGEST.side);
  const [height, width] = value;
  if (value.length === 2 && height === width && typeof height === 'number' && Number.isSafeInteger(height) && height > 0) return height;
  fields.fault(key, 'one side of a square');
  return fallback;
}

function gridOf(fields: Fields, image: number, patch: number, extra: number) {
  if (patch > image) fields.fault('patch_size', `at most image_size ${image}`, String(patch));
  else if (image % patch !== 0) {
    fields.warn(
      'image_size',
      `is ${image}, expected a multiple of patch_size ${patch}: the patches leave ${image % patch} pixels of each side out`,
    );
  }
  const grid = Math.floor(image / patch);
  return { image, patch, grid, tokens: grid * grid + extra };
}

const BASE: Defaults = { width: 768, inner: 3072, layers: 12, heads: 12, activation: 'gelu', epsilon: 1e-6 };

export function readSiglipVision(fields: Fields): SiglipVision {
  const picture = readPicture(fields, { ...BASE, activation: 'gelu_pytorch_tanh', image: 224, patch: 16 }, 0);
  return { family: 'siglip_vision', ...picture, head: fields.flag('vision_use_head', true) };
}

export function readSiglipText(fields: Fields): TextTower {
  const blocks = readBlocks(fields, { ...BASE, activation: 'gelu_pytorch_tanh' });
  return {
    ...blocks,
    vocabulary: fields.count('vocab_size', 32000, LARGEST.vocabulary),
    positions: fields.count('max_position_embeddings', 64),
    projection: fields.count('projection_size', blocks.width, LARGEST.width),
  };
}

export function readClipVision(fields: Fields): ClipVision {
  const picture = readPicture(fields, { ...BASE, activation: 'quick_gelu', epsilon: 1e-5, image: 224, patch: 32 }, 1);
  return { family: 'clip_vision', ...picture, projection: fields.count('projection_dim', 512, LARGEST.width) };
}

export function readClipText(fields: Fields): TextTower {
  return {
    ...readBlocks(fields, { width: 512, inner: 2048, layers: 12, heads: 8, activation: 'quick_gelu', epsilon: 1e-5 }),
    vocabulary: fields.count('vocab_size', 49408, LARGEST.vocabulary),
    positions: fields.count('max_position_embeddings', 77),
    projection: fields.count('projection_dim', 512, LARGEST.width),
    endToken: fields.whole('eos_token_id', 49407),
  };
}

/** `registers` by default 0, or 4 for the class with registers. */
export function readDinov2(fields: Fields, withRegisters: boolean, classifies: boolean): Dinov2 {
  const registers = withRegisters ? fields.whole('num_register_tokens', 4) : 0;
  if (registers < 0 || registers > 4096) fields.fault('num_register_tokens', 'a whole number from 0 to 4096');
  const picture = readPicture(fields, { ...BASE, image: 224, patch: 14 }, 1 + registers);
  const swiglu = fields.flag('use_swiglu_ffn', false);
  const hidden = innerOf(fields, picture.width);
  return {
    family: 'dinov2',
    ...picture,
    // The gate's width is two thirds of a perceptron's, rounded up to a multiple of 8.
    inner: swiglu ? Math.floor((Math.trunc((hidden * 2) / 3) + 7) / 8) * 8 : hidden,
    registers,
    swiglu,
    qkvBias: fields.flag('qkv_bias', true),
    antialias: withRegisters,
    maskToken: fields.flag('use_mask_token', true),
    classes: classifies ? classesOf(fields) : 0,
  };
}

export function readVit(fields: Fields, classifies: boolean): Vit {
  const picture = readPicture(fields, { ...BASE, epsilon: 1e-12, image: 224, patch: 16 }, 1);
  const classes = classifies ? classesOf(fields) : 0;
  return { family: 'vit', ...picture, qkvBias: fields.flag('qkv_bias', true), pooler: !classifies, classes };
}

export function readVitMae(fields: Fields, pretrains: boolean): VitMae {
  const picture = readPicture(fields, { ...BASE, epsilon: 1e-12, image: 224, patch: 16 }, 1);
  const decoder = {
    width: fields.count('decoder_hidden_size', 512, LARGEST.width),
    inner: fields.count('decoder_intermediate_size', 2048, LARGEST.width),
    layers: fields.count('decoder_num_hidden_layers', 8, LARGEST.layers),
  };
  return { family: 'vit_mae', ...picture, qkvBias: fields.flag('qkv_bias', true), ...(pretrains ? { decoder } : {}) };
}

/** The width inside a perceptron, where a config gives its ratio to the width. */
function innerOf(fields: Fields, width: number): number {
  const ratio = fields.positive('mlp_ratio', 4);
  const inner = Math.trunc(width * ratio);
  if (inner >= 1 && inner <= LARGEST.width) return inner;
  fields.fault('mlp_ratio', `a ratio by which the width is 1 to ${LARGEST.width}`, String(ratio));
  return width;
}

/** transformers counts the names of classes; without names there are two. */
function classesOf(fields: Fields): number {
  const names = fields.raw('id2label');
  if (typeof names === 'object' && names !== null) return Object.keys(names).length;
  return fields.count('num_labels', 2);
}

/** Width, layers, heads of timm's plain vision transformers. */
const TIMM_SIZES: Readonly<Record<string, [number, number, number]>> = {
  tiny: [192, 12, 3],
  small: [384, 12, 6],
  base: [768, 12, 12],
  large: [1024, 24, 16],
  huge: [1280, 32, 16],
};

/** What timm may be told beyond the name, and what this reader takes; every other argument would change the model unseen. */
const TIMM_ARGUMENTS = [
  'img_size',
  'patch_size',
  'embed_dim',
  'depth',
  'num_heads',
  'mlp_ratio',
  'qkv_bias',
  'in_chans',
  'num_classes',
  'global_pool',
  'drop_rate',
  'drop_path_rate',
];

/** timm's config: the name of the architecture gives the sizes, `model_args` changes them. */
export function readTimm(fields: Fields): TimmVit {
  const name = /^vit_(tiny|small|base|large|huge)_patch(\d+)_(\d+)$/.exec(fields.text('architecture') ?? '');
  if (name === null) fields.fault('architecture', 'vit_{tiny,small,base,large,huge}_patchN_SIZE');
  const [width, layers, heads] = TIMM_SIZES[name?.[1] ?? 'base'];
  const args = fields.sub('model_args');
  const given = fields.raw('model_args');
  for (const key of typeof given === 'object' && given !== null ? Object.keys(given) : []) {
    if (!TIMM_ARGUMENTS.includes(key)) args.fault(key, `arguments among ${TIMM_ARGUMENTS.join(', ')}`, `${key}, which changes the model`);
  }
  const pool = args.text('global_pool') ?? fields.text('global_pool') ?? 'token';
  if (pool !== 'token' && pool !== '') fields.fault('global_pool', 'token', pool);
  const ofHead = args.has('num_classes') ? args : fields;
  const classes = ofHead.whole('num_classes', 1000);
  if (classes < 0 || classes > LARGEST.vocabulary) ofHead.fault('num_classes', `a whole number from 0 to ${LARGEST.vocabulary}`);
  const d = args.count('embed_dim', width, LARGEST.width);
  const h = args.count('num_heads', heads, LARGEST.width);
  if (d % h !== 0) args.fault('num_heads', `a divisor of embed_dim ${d}`, String(h));
  return {
    family: 'timm_vit',
    width: d,
    inner: innerOf(args, d),
    layers: args.count('depth', layers, LARGEST.layers),
    heads: h,
    headSize: d / h,
    activation: 'gelu',
    epsilon: 1e-6,
    channels: args.count('in_chans', 3, 64),
    ...gridOf(args, sideOf(args, 'img_size', Number(name?.[3] ?? 224)), sideOf(args, 'patch_size', Number(name?.[2] ?? 16)), 1),
    qkvBias: args.flag('qkv_bias', true),
    classes,
  };
}
