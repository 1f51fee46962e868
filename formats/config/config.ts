/**
 * `config.json` of a checkpoint -> its architecture, every number resolved. A missing key has the default of transformers' class;
 * whatever would change the result and is not supported is refused. All faults come in one error.
 */
import { nearest } from '../../plan/nearest.ts';
import type { Architecture, ClipVision, Llava, SiglipVision } from './architecture.ts';
import { readDecoder } from './decoder.ts';
import type { Fields } from '../fields.ts';
import { fieldsOf, LARGEST } from '../fields.ts';
import {
  ACTIVATIONS,
  readClipText,
  readClipVision,
  readDinov2,
  readSiglipText,
  readSiglipVision,
  readTimm,
  readVit,
  readVitMae,
} from './vision.ts';

export interface Config {
  architecture: Architecture;
  warnings: string[];
}

interface Kind {
  /** Classes of transformers that save such a config, beside their name with `Model` for `ForCausalLM` and the like. */
  classes: readonly string[];
  read(fields: Fields, name: string | undefined): Architecture;
}

const isClassifier = (name: string | undefined): boolean => name?.endsWith('ForImageClassification') === true;

/** By `model_type`. */
const KINDS: Readonly<Record<string, Kind>> = {
  siglip: { classes: ['SiglipModel'], read: readSiglip },
  siglip_vision_model: { classes: ['SiglipVisionModel'], read: readSiglipVision },
  clip: { classes: ['CLIPModel'], read: readClip },
  clip_vision_model: { classes: ['CLIPVisionModel', 'CLIPVisionModelWithProjection'], read: readClipVision },
  dinov2: {
    classes: ['Dinov2Model', 'Dinov2ForImageClassification', 'Dinov2Backbone'],
    read: (fields, name) => readDinov2(fields, false, isClassifier(name)),
  },
  dinov2_with_registers: {
    classes: ['Dinov2WithRegistersModel', 'Dinov2WithRegistersForImageClassification', 'Dinov2WithRegistersBackbone'],
    read: (fields, name) => readDinov2(fields, true, isClassifier(name)),
  },
  vit: { classes: ['ViTModel', 'ViTForImageClassification'], read: (fields, name) => readVit(fields, isClassifier(name)) },
  vit_mae: { classes: ['ViTMAEModel', 'ViTMAEForPreTraining'], read: (fields, name) => readVitMae(fields, name !== 'ViTMAEModel') },
  qwen2: { classes: ['Qwen2ForCausalLM', 'Qwen2Model'], read: (fields) => readDecoder(fields, 'qwen2') },
  llama: { classes: ['LlamaForCausalLM', 'LlamaModel'], read: (fields) => readDecoder(fields, 'llama') },
  llava: { classes: ['LlavaForConditionalGeneration'], read: readLlava },
};

export const CONFIG_CODES = {
  C0201: 'A config.json holds a value that is missing, of the wrong type, or beyond what is supported.',
} as const;

const CODE: keyof typeof CONFIG_CODES = 'C0201';
const CURE = 'mend config.json, or use a checkpoint of a supported architecture as its authors saved it';

/**
 * The architecture that the text of a `config.json` (or of timm's) describes. `file` is for messages.
 * @throws PivotError C0201: not JSON, a key twice, a field with a value that no model can have, or that is not supported.
 */
export function readArchitecture(content: Uint8Array | string, file: string): Config {
  const fields = fieldsOf(content, file, CODE);
  const timm = !fields.has('model_type') && typeof fields.raw('architecture') === 'string';
  const architecture = timm ? readTimm(fields) : readNamed(fields);
  fields.settle(CODE, CURE);
  return { architecture, warnings: fields.warnings };
}

/** The same of a `model_type` that is known here; undefined for others, which are for texts to declare. */
export function readKnownArchitecture(content: Uint8Array | string, file: string): Config | undefined {
  const type = fieldsOf(content, file, CODE).raw('model_type');
  return typeof type === 'string' && Object.hasOwn(KINDS, type) ? readArchitecture(content, file) : undefined;
}

function readNamed(fields: Fields): Architecture {
  refuseQuantised(fields);
  const name = classOf(fields);
  const type = typeOf(fields, name);
  if (type === undefined) {
    fields.settle(CODE, CURE);
    throw new Error('a config without a type has no fault');
  }
  const kind = KINDS[type];
  if (name !== undefined && !kind.classes.includes(name))
    fields.fault('architectures', `${kind.classes.join(' or ')}, as model_type is ${type}`, name);
  if (fields.has('auto_map')) fields.warn('auto_map', 'names code of the checkpoint; it is not run');
  const dtype = fields.raw('torch_dtype') ?? fields.raw('dtype');
  if (dtype !== undefined && dtype !== null && !(typeof dtype === 'string' && /^(float(8_\w+|16|32|64)|bfloat16|auto)$/.test(dtype))) {
    fields.warn(
      fields.has('torch_dtype') ? 'torch_dtype' : 'dtype',
      `is ${JSON.stringify(dtype)}, which is no type; that of the weights counts`,
    );
  }
  return kind.read(fields, name);
}

/** The first of `architectures`. */
function classOf(fields: Fields): string | undefined {
  const names = fields.raw('architectures');
  if (names === undefined || names === null) return undefined;
  if (Array.isArray(names) && names.every((one) => typeof one === 'string')) return names[0];
  fields.fault('architectures', 'a list of names');
  return undefined;
}

/** A supported `model_type`; undefined where a fault has been reported. */
function typeOf(fields: Fields, name: string | undefined): string | undefined {
  const known = Object.keys(KINDS);
  const type = fields.text('model_type');
  if (type === undefined) {
    const implied = known.find((one) => name !== undefined && KINDS[one].classes.includes(name));
    if (implied === undefined) fields.fault('model_type', `one of ${known.join(', ')}`);
    return implied;
  }
  if (known.includes(type)) return type;
  const map = fields.raw('auto_map');
  if (typeof map === 'object' && map !== null) {
    const code = Object.values(map).filter((one) => typeof one === 'string');
    fields.fault('auto_map', 'none, since code of a checkpoint is never run', code.join(', '));
  }
  const near = nearest(type, known);
  fields.fault(
    'model_type',
    near === undefined ? `one of those supported: ${known.join(', ')}` : `one of ${known.join(', ')}; did you mean ${near}`,
    type,
  );
  return undefined;
}

function refuseQuantised(fields: Fields): void {
  const config = fields.raw('quantization_config');
  if (config === undefined || config === null) return;
  const sub = fields.sub('quantization_config');
  sub.fault('quant_method', 'weights that are not quantised', sub.text('quant_method'));
}

function readSiglip(fields: Fields): Architecture {
  return { family: 'siglip', vision: readSiglipVision(fields.sub('vision_config')), text: readSiglipText(fields.sub('text_config')) };
}

/** OpenAI's files have two copies of each part, of which the one named `_dict` wins. */
function readClip(fields: Fields): Architecture {
  return {
    family: 'clip',
    vision: readClipVision(fields.sub('vision_config', 'vision_config_dict')),
    text: readClipText(fields.sub('text_config', 'text_config_dict')),
    projection: fields.count('projection_dim', 512, LARGEST.width),
  };
}

function readLlava(fields: Fields): Llava {
  for (const part of ['vision_config', 'text_config']) if (!fields.has(part)) fields.fault(part, 'an object');
  const vision = readTower(fields);
  const language = readLanguage(fields);
  const select = fields.choice('vision_feature_select_strategy', 'default', { default: true, full: false });
  const layer = fields.whole('vision_feature_layer', -2);
  if (Array.isArray(fields.raw('vision_feature_layer'))) fields.fault('vision_feature_layer', 'one layer');
  // transformers counts the input of the first layer as well: L + 1 entries.
  const featureLayers = layer < 0 ? vision.layers + 1 + layer : layer;
  if (featureLayers < 0 || featureLayers > vision.layers) {
    fields.fault(
      'vision_feature_layer',
      `-${vision.layers + 1} to ${vision.layers}, as the tower has ${vision.layers} layers`,
      String(layer),
    );
  }
  const imageTokens = vision.tokens - (select ? 1 : 0);
  const said = fields.raw('image_seq_length');
  if (said !== undefined && said !== imageTokens) {
    fields.warn('image_seq_length', `is ${JSON.stringify(said)}, and the tower gives ${imageTokens} tokens; the latter counts`);
  }
  const key = fields.has('image_token_index') ? 'image_token_index' : 'image_token_id';
  const imageToken = fields.whole(key, 32000);
  if (imageToken < 0 || imageToken >= language.vocabulary)
    fields.fault(key, `an id below vocab_size ${language.vocabulary}`, String(imageToken));
  return {
    family: 'llava',
    vision,
    connector: {
      activation: fields.choice('projector_hidden_act', 'gelu', ACTIVATIONS),
      bias: fields.flag('multimodal_projector_bias', true),
    },
    language,
    featureLayers,
    dropClass: select,
    imageToken,
    imageTokens,
  };
}

function readTower(fields: Fields): SiglipVision | ClipVision {
  const vision = fields.sub('vision_config');
  const isSiglip = vision.choice('model_type', 'clip_vision_model', { clip_vision_model: false, siglip_vision_model: true });
  return isSiglip ? readSiglipVision(vision) : readClipVision(vision);
}

function readLanguage(fields: Fields): Llava['language'] {
  const text = fields.sub('text_config');
  const family = text.choice('model_type', 'llama', { llama: 'llama', qwen2: 'qwen2' } as const);
  const language = readDecoder(text, family);
  // Either place may say so, as transformers reads it.
  return { ...language, tied: fields.flag('tie_word_embeddings', false) || language.tied };
}
