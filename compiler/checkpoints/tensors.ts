/**
 * The tensors of an architecture by their names on disk, and which of a checkpoint's are none of them. A part of a model may stand under
 * several prefixes (`vision_tower.vision_model.` in older files, `vision_tower.` in newer ones); the one that fits most names counts.
 */
import type {
  Architecture,
  Clip,
  Decoder,
  Dinov2,
  Llava,
  Siglip,
  TextTower,
  TimmVit,
  Vision,
  Vit,
  VitMae,
} from '../../formats/config/architecture.ts';

export interface DiskTensor {
  name: string;
  shape: number[];
}

/** Tensors of one prefix. */
export interface Part {
  /** Prefixes by preference. */
  prefixes: readonly string[];
  tensors: DiskTensor[];
}

/** What a checkpoint of this architecture holds. With the names that are on disk, in the naming that they have. */
export function tensorsOf(architecture: Architecture, onDisk: Iterable<string> = []): DiskTensor[] {
  const names = new Set(onDisk);
  return partsOf(architecture).flatMap(({ prefixes, tensors }) => {
    const hits = prefixes.map((prefix) => tensors.filter(({ name }) => names.has(prefix + name)).length);
    const prefix = prefixes[hits.indexOf(Math.max(...hits))];
    return tensors.map((tensor) => ({ ...tensor, name: prefix + tensor.name }));
  });
}

/** Tables that older files kept and that follow from the config. */
const COMPUTED = /(^|\.)(position_ids|rotary_emb\.inv_freq)$/;

/** Names on disk that are no part of an architecture, and do not follow from its config either. */
export function strangers(architecture: Architecture, onDisk: Iterable<string>): string[] {
  const found = [...onDisk];
  const names = new Set(tensorsOf(architecture, found).map(({ name }) => name));
  return found.filter((name) => !names.has(name) && !COMPUTED.test(name));
}

/** The parts of a model, each with the prefixes that it may have on disk. */
export function partsOf(a: Architecture): Part[] {
  switch (a.family) {
    case 'siglip':
    case 'clip':
      return dualParts(a);
    case 'siglip_vision':
    case 'clip_vision':
      return [
        { prefixes: ['vision_model.', ''], tensors: towerTensors(a) },
        ...(a.family === 'clip_vision' ? [{ prefixes: [''], tensors: [tensor('visual_projection.weight', [a.projection, a.width])] }] : []),
      ];
    case 'dinov2':
      return [
        {
          prefixes: a.classes > 0 ? ['dinov2.', 'dinov2_with_registers.', ''] : ['', 'dinov2.', 'dinov2_with_registers.'],
          tensors: dinov2Tensors(a),
        },
        ...(a.classes > 0 ? [{ prefixes: [''], tensors: linear('classifier', a.classes, 2 * a.width) }] : []),
      ];
    case 'vit':
      return [
        { prefixes: a.classes > 0 ? ['vit.', ''] : ['', 'vit.'], tensors: vitTensors(a) },
        ...(a.classes > 0 ? [{ prefixes: [''], tensors: linear('classifier', a.classes, a.width) }] : []),
      ];
    case 'vit_mae':
      return [
        { prefixes: a.decoder === undefined ? ['', 'vit.'] : ['vit.', ''], tensors: vitTensors(a) },
        ...(a.decoder === undefined ? [] : [{ prefixes: ['decoder.'], tensors: maeDecoderTensors(a, a.decoder) }]),
      ];
    case 'timm_vit':
      return [{ prefixes: ['', 'model.'], tensors: timmTensors(a) }];
    case 'qwen2':
    case 'llama':
      return decoderParts(a, ['model.', ''], ['']);
    case 'llava':
      return llavaParts(a);
  }
}

function llavaParts(a: Llava): Part[] {
  const width = a.language.width;
  const projector = [...linear('linear_1', width, a.vision.width, a.connector.bias), ...linear('linear_2', width, width, a.connector.bias)];
  return [
    {
      prefixes: ['vision_tower.vision_model.', 'vision_tower.', 'model.vision_tower.vision_model.', 'model.vision_tower.'],
      tensors: towerTensors(a.vision),
    },
    { prefixes: ['multi_modal_projector.', 'model.multi_modal_projector.'], tensors: projector },
    ...decoderParts(a.language, ['language_model.model.', 'model.language_model.', 'language_model.'], ['language_model.', '']),
  ];
}

function dualParts(a: Siglip | Clip): Part[] {
  const { text, vision } = a;
  const own =
    a.family === 'siglip'
      ? [tensor('logit_scale', [1]), tensor('logit_bias', [1])]
      : [
          tensor('logit_scale', []),
          tensor('visual_projection.weight', [a.projection, vision.width]),
          tensor('text_projection.weight', [a.projection, text.width]),
        ];
  return [
    { prefixes: ['vision_model.'], tensors: towerTensors(vision) },
    { prefixes: ['text_model.'], tensors: textTensors(text, a.family === 'siglip') },
    { prefixes: [''], tensors: own },
  ];
}

function textTensors(a: TextTower, projects: boolean): DiskTensor[] {
  return [
    tensor('embeddings.token_embedding.weight', [a.vocabulary, a.width]),
    tensor('embeddings.position_embedding.weight', [a.positions, a.width]),
    ...clipLayers(a),
    ...norm('final_layer_norm', a.width),
    ...(projects ? linear('head', a.projection, a.width) : []),
  ];
}

/** The vision towers of SigLIP and CLIP. */
function towerTensors(a: Extract<Vision, { family: 'siglip_vision' | 'clip_vision' }>): DiskTensor[] {
  const { width } = a;
  const isClip = a.family === 'clip_vision';
  const patches = tensor('embeddings.patch_embedding.weight', [width, a.channels, a.patch, a.patch]);
  const head = [
    tensor('head.probe', [1, 1, width]),
    tensor('head.attention.in_proj_weight', [3 * width, width]),
    tensor('head.attention.in_proj_bias', [3 * width]),
    ...linear('head.attention.out_proj', width, width),
    ...norm('head.layernorm', width),
    ...linear('head.mlp.fc1', a.inner, width),
    ...linear('head.mlp.fc2', width, a.inner),
  ];
  return [
    ...(isClip ? [tensor('embeddings.class_embedding', [width])] : []),
    patches,
    ...(isClip ? [] : [tensor('embeddings.patch_embedding.bias', [width])]),
    tensor('embeddings.position_embedding.weight', [a.tokens, width]),
    // The misspelling is that of the files.
    ...(isClip ? norm('pre_layrnorm', width) : []),
    ...clipLayers(a),
    ...norm('post_layernorm', width),
    ...(!isClip && a.head ? head : []),
  ];
}

function clipLayers(a: { layers: number; width: number; inner: number }): DiskTensor[] {
  return layers(a.layers, 'encoder.layers', [
    ...['q_proj', 'k_proj', 'v_proj', 'out_proj'].flatMap((one) => linear(`self_attn.${one}`, a.width, a.width)),
    ...norm('layer_norm1', a.width),
    ...norm('layer_norm2', a.width),
    ...linear('mlp.fc1', a.inner, a.width),
    ...linear('mlp.fc2', a.width, a.inner),
  ]);
}

function embeddings(a: Dinov2 | Vit | VitMae, positions: number): DiskTensor[] {
  return [
    tensor('embeddings.cls_token', [1, 1, a.width]),
    tensor('embeddings.patch_embeddings.projection.weight', [a.width, a.channels, a.patch, a.patch]),
    tensor('embeddings.patch_embeddings.projection.bias', [a.width]),
    tensor('embeddings.position_embeddings', [1, positions, a.width]),
  ];
}

function attention(width: number, bias: boolean): DiskTensor[] {
  return [
    ...['query', 'key', 'value'].flatMap((one) => linear(`attention.attention.${one}`, width, width, bias)),
    ...linear('attention.output.dense', width, width),
  ];
}

function dinov2Tensors(a: Dinov2): DiskTensor[] {
  const { width, inner } = a;
  const perceptron = a.swiglu
    ? [...linear('mlp.weights_in', 2 * inner, width), ...linear('mlp.weights_out', width, inner)]
    : [...linear('mlp.fc1', inner, width), ...linear('mlp.fc2', width, inner)];
  return [
    // Registers have no positions.
    ...embeddings(a, a.tokens - a.registers),
    tensor('embeddings.mask_token', [1, width]),
    ...(a.registers > 0 ? [tensor('embeddings.register_tokens', [1, a.registers, width])] : []),
    ...layers(a.layers, 'encoder.layer', [
      ...norm('norm1', width),
      ...attention(width, a.qkvBias),
      tensor('layer_scale1.lambda1', [width]),
      ...norm('norm2', width),
      ...perceptron,
      tensor('layer_scale2.lambda1', [width]),
    ]),
    ...norm('layernorm', width),
  ];
}

function vitTensors(a: Vit | VitMae): DiskTensor[] {
  const { width } = a;
  const pooler = a.family === 'vit' && a.pooler ? linear('pooler.dense', width, width) : [];
  return [
    ...embeddings(a, a.tokens),
    ...vitLayers(a, 'encoder.layer', a.qkvBias),
    ...norm('layernorm', width),
    // Checkpoints made from other code have none, and little reads it.
    ...pooler,
  ];
}

function vitLayers(a: { layers: number; width: number; inner: number }, prefix: string, bias: boolean): DiskTensor[] {
  return layers(a.layers, prefix, [
    ...norm('layernorm_before', a.width),
    ...attention(a.width, bias),
    ...norm('layernorm_after', a.width),
    ...linear('intermediate.dense', a.inner, a.width),
    ...linear('output.dense', a.width, a.inner),
  ]);
}

/** Nothing reads them; they are listed so that they are not odd. */
function maeDecoderTensors(a: VitMae, d: NonNullable<VitMae['decoder']>): DiskTensor[] {
  return [
    tensor('mask_token', [1, 1, d.width]),
    tensor('decoder_pos_embed', [1, a.tokens, d.width]),
    ...linear('decoder_embed', d.width, a.width),
    ...['decoder_encoder.layer', 'decoder_layers'].flatMap((prefix) => vitLayers(d, prefix, a.qkvBias)),
    ...norm('decoder_norm', d.width),
    ...linear('decoder_pred', a.patch * a.patch * a.channels, d.width),
  ];
}

function timmTensors(a: TimmVit): DiskTensor[] {
  const { width } = a;
  return [
    tensor('cls_token', [1, 1, width]),
    tensor('pos_embed', [1, a.tokens, width]),
    ...linear('patch_embed.proj', width, 0).map(({ name, shape }) =>
      tensor(name, name.endsWith('bias') ? shape : [width, a.channels, a.patch, a.patch]),
    ),
    ...layers(a.layers, 'blocks', [
      ...norm('norm1', width),
      ...linear('attn.qkv', 3 * width, width, a.qkvBias),
      ...linear('attn.proj', width, width),
      ...norm('norm2', width),
      ...linear('mlp.fc1', a.inner, width),
      ...linear('mlp.fc2', width, a.inner),
    ]),
    ...norm('norm', width),
    ...(a.classes > 0 ? linear('head', a.classes, width) : []),
  ];
}

function decoderParts(a: Decoder, prefixes: readonly string[], ofHead: readonly string[]): Part[] {
  const { width, inner } = a;
  const keys = a.keyHeads * a.headSize;
  const queries = a.heads * a.headSize;
  const tensors = [
    tensor('embed_tokens.weight', [a.vocabulary, width]),
    ...layers(a.layers, 'layers', [
      tensor('input_layernorm.weight', [width]),
      ...linear('self_attn.q_proj', queries, width, a.qkvBias),
      ...linear('self_attn.k_proj', keys, width, a.qkvBias),
      ...linear('self_attn.v_proj', keys, width, a.qkvBias),
      ...linear('self_attn.o_proj', width, queries, a.outputBias),
      tensor('post_attention_layernorm.weight', [width]),
      ...linear('mlp.gate_proj', inner, width, a.mlpBias),
      ...linear('mlp.up_proj', inner, width, a.mlpBias),
      ...linear('mlp.down_proj', width, inner, a.mlpBias),
    ]),
    tensor('norm.weight', [width]),
  ];
  // Tied checkpoints have the table, this, or both (`copies.ts`).
  const head = tensor('lm_head.weight', [a.vocabulary, width]);
  return [
    { prefixes, tensors },
    { prefixes: ofHead, tensors: [head] },
  ];
}

function tensor(name: string, shape: number[]): DiskTensor {
  return { name, shape };
}

function linear(name: string, outputs: number, inputs: number, bias = true): DiskTensor[] {
  const weight = tensor(`${name}.weight`, [outputs, inputs]);
  return bias ? [weight, tensor(`${name}.bias`, [outputs])] : [weight];
}

function norm(name: string, width: number): DiskTensor[] {
  return [tensor(`${name}.weight`, [width]), tensor(`${name}.bias`, [width])];
}

function layers(count: number, prefix: string, each: readonly DiskTensor[]): DiskTensor[] {
  return Array.from({ length: count }, (_, i) => each.map((one) => ({ ...one, name: `${prefix}.${i}.${one.name}` }))).flat();
}
