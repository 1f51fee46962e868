/** Reads a folder with `config.json`, `preprocessor_config.json`, or both. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from '../../formats/config/architecture.ts';
import { readArchitecture } from '../../formats/config/config.ts';
import { readProcessor } from '../../formats/processor/read.ts';
import { tensorsOf } from '../../compiler/checkpoints/tensors.ts';
import type { Result } from './result.ts';

export async function read(path: string): Promise<Result> {
  const config = join(path, 'config.json');
  const own = existsSync(config) ? readArchitecture(readFileSync(config), config) : undefined;
  const processor = join(path, 'preprocessor_config.json');
  if (existsSync(processor)) {
    const model = own === undefined ? {} : { model: { file: config, content: readFileSync(config) } };
    readProcessor({ own: { file: processor, content: readFileSync(processor) }, ...model }, viewerOf(own?.architecture));
  }
  if (own === undefined) return { warnings: [] };
  // A width that no machine holds should show here, if it was let through.
  tensorsOf(own.architecture);
  return { values: valuesOf(own.architecture), warnings: own.warnings };
}

function viewerOf(architecture: Architecture | undefined): { side: number } | undefined {
  const vision = architecture && ('vision' in architecture ? architecture.vision : architecture);
  return vision && 'image' in vision ? { side: vision.image } : undefined;
}

/** Under the names that configs use. */
function valuesOf(architecture: Architecture): Record<string, unknown> {
  const a: Record<string, unknown> = { ...architecture };
  const activations: Record<string, string> = { gelu_tanh: 'gelu_pytorch_tanh' };
  return {
    tokens: a.tokens,
    width: a.width,
    head_dim: a.headSize,
    hidden_size: a.width,
    intermediate_size: a.inner,
    num_hidden_layers: a.layers,
    num_attention_heads: a.heads,
    num_channels: a.channels,
    image_size: a.image,
    patch_size: a.patch,
    vocab_size: a.vocabulary,
    hidden_act: activations[String(a.activation)] ?? a.activation,
    layer_norm_eps: a.epsilon,
  };
}
