/** Every diagnostic is yielded by the text that `pivot explain` shows for it. */
import { describe, expect, test } from '@jest/globals';
import { nodeHost, packageRoot } from '../../cli/host.ts';
import { readArchitecture } from '../../formats/config/config.ts';
import { tensorsOf } from '../../compiler/checkpoints/tensors.ts';
import { compile } from '../../compiler/compile.ts';
import type { Host } from '../../compiler/host.ts';
import { registry } from '../../grammar/index.ts';
import type { DiagnosticCode } from '../../grammar/index.ts';

const CODES = Object.keys(registry) as DiagnosticCode[];

const SMALL = JSON.stringify({
  model_type: 'siglip_vision_model',
  hidden_size: 16,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  image_size: 24,
  patch_size: 4,
});

const SOUND = tensorsOf(readArchitecture(SMALL, 'config.json').architecture).map(({ name, shape }) => ({ name, dtype: 'F32', shape }));

/** What examples find beside them. */
const TENSORS: Record<string, { name: string; dtype: string; shape: number[] }[]> = {
  'other.safetensors': [{ name: 'eyes.patch.w', dtype: 'F32', shape: [3, 3] }],
  'foreign.safetensors': [{ name: 'visual.patch.weight', dtype: 'F32', shape: [48, 16] }],
  halved: [{ name: 'embeddings.patch_embedding.weight', dtype: 'F32', shape: [16, 3, 4, 4] }],
  fuller: [...SOUND, { name: 'projection.weight', dtype: 'F32', shape: [16, 16] }],
  spread: SOUND,
  'part.safetensors': [{ name: 'eyes.norm.scale', dtype: 'F32', shape: [16] }],
};
const TEXTS: Record<string, string> = {
  'words.json': JSON.stringify(['<pad>', '<end>', 'red', 'blue']),
  'unboxed.jsonl': '{"image": "a.png", "question": "what", "chosen": "red", "rejected": "blue"}',
  'broken.json': '["<pad>", ',
  'strange/config.json': '{"model_type": "quantum_vit"}',
  'halved/config.json': SMALL,
  'fuller/config.json': SMALL,
  'spread/config.json': SMALL,
};

/** The files that examples name, over the real standard library. */
function hostOf(example: string): Host {
  const real = nodeHost(packageRoot());
  return {
    read: (path) => (path === 'example.pivot' ? example : path.startsWith('std:') ? real.read(path) : TEXTS[path]),
    list: (path) =>
      path.startsWith('std:')
        ? real.list(path)
        : path === 'rows'
          ? ['metadata.jsonl']
          : ['halved', 'fuller', 'spread'].includes(path)
            ? ['config.json', 'model.safetensors']
            : undefined,
    tensors: (path) =>
      path in TENSORS
        ? { tensors: TENSORS[path].map((one) => ({ ...one, file: path })), warnings: path === 'spread' ? ['a shard holds more'] : [] }
        : undefined,
    sameTensor: () => true,
    hash: (path) => (path.startsWith('std:') ? real.hash(path) : path in TENSORS || path in TEXTS || path === 'rows' ? 'known' : undefined),
  };
}

describe('the example of', () => {
  test.each(CODES)('%s yields it, and nothing else', (code) => {
    const { diagnostics, plan } = compile('example.pivot', hostOf(registry[code].example), { targets: [] });
    expect([...new Set(diagnostics.map((d) => d.code))]).toEqual([code]);
    expect(diagnostics[0].severity).toBe(registry[code].severity);
    expect(diagnostics[0].message).not.toBe('');
    expect(plan === undefined).toBe(registry[code].severity === 'error');
  });
});
