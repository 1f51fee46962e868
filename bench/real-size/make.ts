/** Checkpoints of real sizes with random weights, in the layout of real ones: config.json, bf16 shards, their index. And rows of random tokens. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { elements } from '../../plan/dtypes.ts';
import type { Collate, TrainTask } from '../../plan/plan.ts';
import { keyOf, Random } from '../../runtime/core/random.ts';
import type { Tensor } from '../../runtime/core/safetensors/format.ts';
import { writeSafetensors } from '../../runtime/node/safetensors/files.ts';

/** The configs as they lie on the hub, without what equals the defaults of their classes. */
const CONFIGS: Record<string, object> = {
  'siglip-base-patch16-224': {
    architectures: ['SiglipModel'],
    model_type: 'siglip',
    text_config: { model_type: 'siglip_text_model' },
    vision_config: { model_type: 'siglip_vision_model' },
  },
  'Qwen2.5-0.5B': {
    architectures: ['Qwen2ForCausalLM'],
    model_type: 'qwen2',
    hidden_act: 'silu',
    hidden_size: 896,
    intermediate_size: 4864,
    max_position_embeddings: 32768,
    num_attention_heads: 14,
    num_hidden_layers: 24,
    num_key_value_heads: 2,
    rms_norm_eps: 1e-6,
    rope_theta: 1000000,
    tie_word_embeddings: true,
    torch_dtype: 'bfloat16',
    use_sliding_window: false,
    vocab_size: 151936,
  },
};
const SHARD = 400e6;

export function writeConfigs(folder: string): void {
  for (const [name, config] of Object.entries(CONFIGS)) {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
  }
}

/** Writes the tensors that a task of the text reads from its folders, as they are not there yet. */
export async function writeCheckpoints(folder: string, task: TrainTask): Promise<void> {
  const wanted = new Map<string, Map<string, number[]>>();
  for (const { source, shape } of task.state) {
    if (source.from !== 'file') continue;
    const checkpoint = source.file.split('/')[0];
    const tensors = wanted.get(checkpoint) ?? new Map<string, number[]>();
    wanted.set(checkpoint, tensors);
    const known = tensors.get(source.name);
    // Parts of a table beyond one binding are one tensor on disk.
    tensors.set(source.name, known && source.rows ? [known[0] + shape[0], ...shape.slice(1)] : [...shape]);
  }
  for (const [name, tensors] of wanted) {
    if (!existsSync(join(folder, name, 'model.safetensors.index.json'))) await writeShards(join(folder, name), tensors);
  }
}

async function writeShards(folder: string, tensors: ReadonlyMap<string, number[]>): Promise<void> {
  const shards: [string, number[]][][] = [[]];
  let size = 0;
  for (const entry of tensors) {
    const bytes = 2 * elements(entry[1]);
    if (size > 0 && size + bytes > SHARD) {
      shards.push([]);
      size = 0;
    }
    size += bytes;
    shards[shards.length - 1].push(entry);
  }
  const map: Record<string, string> = {};
  for (const [i, shard] of shards.entries()) {
    const file = `model-${String(i + 1).padStart(5, '0')}-of-${String(shards.length).padStart(5, '0')}.safetensors`;
    await writeShard(join(folder, file), shard);
    for (const [name] of shard) map[name] = file;
  }
  writeFileSync(join(folder, 'model.safetensors.index.json'), `${JSON.stringify({ metadata: {}, weight_map: map }, undefined, 2)}\n`);
}

async function writeShard(path: string, tensors: readonly [string, number[]][]): Promise<void> {
  let at = 0;
  const header = Object.fromEntries(
    tensors.map(([name, shape]) => {
      const from = at;
      at += 2 * elements(shape);
      return [name, { dtype: 'BF16', shape, data_offsets: [from, at] }];
    }),
  );
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = await open(path, 'w');
  try {
    await file.write(length);
    await file.write(json);
    for (const [name, shape] of tensors) await file.write(randomBits(name, shape));
  } finally {
    await file.close();
  }
}

/** Norms are ones, biases zeros, matrices uniform with the deviation 0.02 of their kind; as upper halves of f32. */
function randomBits(name: string, shape: readonly number[]): Uint8Array {
  const bits = new Uint16Array(elements(shape));
  if (shape.length === 1) bits.fill(name.endsWith('bias') ? 0 : 0x3f80);
  else {
    // A block of 64k values is drawn and repeated: speed matters here, not independence.
    const random = new Random(keyOf(name, 0));
    const block = Float32Array.from({ length: Math.min(bits.length, 65_521) }, () => 0.0346 * (2 * random.uniform() - 1));
    const halves = Uint16Array.from(new Uint32Array(block.buffer), (word) => word >>> 16);
    for (let i = 0; i < bits.length; i += halves.length) bits.set(halves.subarray(0, Math.min(halves.length, bits.length - i)), i);
  }
  return new Uint8Array(bits.buffer);
}

/** Rows of random tokens and pixels, as `Collate` lays them out with `pictures`, for batches of one row. */
export async function writeRows(
  path: string,
  collate: Extract<Collate, { layout: 'pairs' | 'answers' }>,
  rows: number,
  vocabulary: number,
): Promise<void> {
  const random = new Random(keyOf('rows', 0));
  const lead = collate.imageTokens + collate.prompt;
  const length = lead + 2 * collate.answer;
  const i32 = (name: string, value: (i: number) => number): Tensor => ({
    name,
    dtype: 'i32',
    shape: [rows, length],
    data: Int32Array.from({ length: rows * length }, (_, i) => value(i % length)),
  });
  const mask = (name: string): Tensor => ({
    name,
    dtype: 'f32',
    shape: [rows, collate.answer],
    data: new Float32Array(rows * collate.answer).fill(1),
  });
  const side = (i: number): number => (i < lead ? 0 : i < lead + collate.answer ? 1 : 2);
  await writeSafetensors(path, [
    {
      name: 'image',
      dtype: 'f32',
      shape: [rows, 3, collate.image, collate.image],
      data: Float32Array.from({ length: rows * 3 * collate.image ** 2 }, () => 2 * random.uniform() - 1),
    },
    i32('tokens', () => random.below(vocabulary)),
    i32('seen', (i) => (i < collate.imageTokens ? i + 1 : 0)),
    i32('position', (i) => (side(i) === 2 ? i - collate.answer : i)),
    i32('segment', side),
    mask('chosen.mask'),
    mask('rejected.mask'),
  ]);
}
