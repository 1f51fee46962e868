/** What a config.json describes, with every number resolved. Names are ours; `compiler/checkpoints/tensors.ts` knows those on disk. */

export type Activation = 'gelu' | 'gelu_tanh' | 'quick_gelu' | 'silu' | 'relu';

/** A stack of transformer blocks, norms before. */
interface Blocks {
  width: number;
  /** Width inside the perceptron; for SwiGLU that of the gate. */
  inner: number;
  layers: number;
  heads: number;
  /** width / heads, but where a decoder says otherwise. */
  headSize: number;
  activation: Activation;
  epsilon: number;
}

/** An encoder of pictures of one size, cut into square patches; what is left over at the edges is dropped. */
interface Picture extends Blocks {
  channels: number;
  /** Side of the picture, in pixels. */
  image: number;
  patch: number;
  /** Patches along a side. */
  grid: number;
  /** Tokens that the blocks see: class token, registers and patches. */
  tokens: number;
}

export interface SiglipVision extends Picture {
  family: 'siglip_vision';
  /** Whether there is a head that pools by attention. */
  head: boolean;
}

export interface ClipVision extends Picture {
  family: 'clip_vision';
  /** Width of the shared space; only a whole CLIP has the projection. */
  projection: number;
}

export interface Dinov2 extends Picture {
  family: 'dinov2';
  registers: number;
  swiglu: boolean;
  qkvBias: boolean;
  /** Other picture sizes resample the positions; with registers, antialiased. */
  antialias: boolean;
  maskToken: boolean;
  /** Classes of the classifier, 0 where there is none. */
  classes: number;
}

export interface Vit extends Picture {
  family: 'vit';
  qkvBias: boolean;
  /** tanh of a dense layer on the class token. */
  pooler: boolean;
  classes: number;
}

export interface VitMae extends Picture {
  family: 'vit_mae';
  qkvBias: boolean;
  /** The decoder of pre-training, where the checkpoint has it; nothing reads it. */
  decoder?: { width: number; inner: number; layers: number };
}

/** timm's VisionTransformer, as MoCo v3 is kept: query, key and value in one tensor. */
export interface TimmVit extends Picture {
  family: 'timm_vit';
  qkvBias: boolean;
  classes: number;
}

export type Vision = SiglipVision | ClipVision | Dinov2 | Vit | VitMae | TimmVit;

/** The text tower of a contrastive model. SigLIP pools the last token and projects with a bias; CLIP is causal and pools at the end token. */
export interface TextTower extends Blocks {
  vocabulary: number;
  /** Longest text in tokens. */
  positions: number;
  projection: number;
  endToken?: number;
}

export interface Siglip {
  family: 'siglip';
  vision: SiglipVision;
  text: TextTower;
}

export interface Clip {
  family: 'clip';
  vision: ClipVision;
  text: TextTower;
  projection: number;
}

export type Rope =
  | { kind: 'default'; theta: number }
  /** Frequencies stretched by wavelength, as in Llama 3.1. */
  | { kind: 'llama3'; theta: number; factor: number; low: number; high: number; original: number };

export interface Decoder extends Blocks {
  family: 'qwen2' | 'llama';
  vocabulary: number;
  /** Longest context in tokens. */
  positions: number;
  keyHeads: number;
  rope: Rope;
  /** Whether the output layer is the table of embeddings. */
  tied: boolean;
  qkvBias: boolean;
  outputBias: boolean;
  mlpBias: boolean;
}

export interface Llava {
  family: 'llava';
  vision: SiglipVision | ClipVision;
  connector: { activation: Activation; bias: boolean };
  language: Decoder;
  /** How many of the tower's layers are run: the features are the output of layer `featureLayers`, or the input of the first at 0. */
  featureLayers: number;
  /** Whether the class token is dropped (`default`) or kept (`full`). */
  dropClass: boolean;
  imageToken: number;
  /** Image tokens of a picture. */
  imageTokens: number;
}

export type Architecture = Vision | Siglip | Clip | Decoder | Llava;
