/** Exports of a checkpoint's parts: the same files, names and types, with what was trained in its place; adapters as PEFT stores them. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { nodeHost } from '../../cli/host.ts';
import { compile } from '../../compiler/compile.ts';
import { targetFor } from '../../compiler/lower/choose.ts';
import { formatDiagnostics } from '../../grammar/index.ts';
import { encodeSafetensors } from '../../runtime/core/safetensors/format.ts';
import { silent } from '../../runtime/core/log.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import { openSafetensors, readSafetensors, writeSafetensors } from '../../runtime/node/safetensors/files.ts';
import { testDevice } from '../support/device.ts';
import { smallLlava } from '../support/small-llava.ts';
import { folderOf } from '../support/run-folder.ts';

const modelOf = (name: string): string => `pivot 1
use std.loss.sft
use std.optim.adamw
encoder  eyes = pretrained("${name}", part: "vision_tower")
language head = pretrained("${name}", part: "language_model")
model    mllm = eyes -> pretrained("${name}", part: "multi_modal_projector") -> head
source rows(file: string, count: int, size: px, prompt: int, answer: int) -> pairs
  = native("tensors", image: size, prompt: prompt, answer: answer)
`;
const TEXT = `${modelOf('llava')}
stage tune {
  model    mllm
  train    [eyes, lora(head, rank: 2, alpha: 4, targets: ["q_proj", "v_proj"])]
  on       rows(file: "rows.safetensors", count: 4, size: 12px, prompt: 4, answer: 3)
  loss     sft
  optimize adamw(lr: 1e-2)
  batch    2
  steps    2
}
stage last from tune {
  model    mllm
  train    mllm.connector
  on       rows(file: "rows.safetensors", count: 4, size: 12px, prompt: 4, answer: 3)
  loss     sft
  optimize adamw(lr: 1e-2)
  batch    2
  steps    2
}
export tune.mllm as "whole/"
export last.mllm as "later/"
export tune.head.lora as "adapter/"
export tune.eyes as "eyes.safetensors"
`;

const device = testDevice();
const folder = mkdtempSync(join(tmpdir(), 'pivot-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('exports of a checkpoint', () => {
  beforeAll(async () => {
    await smallLlava(join(folder, 'llava'));
    // As an export of a checkpoint in shards would have left the folder: nobody is to read these.
    mkdirSync(join(folder, 'whole'));
    writeFileSync(join(folder, 'whole', 'model-00001-of-00002.safetensors'), encodeSafetensors([], { pivot: 'an earlier plan' }));
    writeFileSync(join(folder, 'whole', 'model.safetensors.index.json'), '{}');
    await runText(TEXT, 'run');
  });

  /** How many places of a sequence are the picture's, the prompt's and the answer's. */
  let sizes = { imageTokens: 0, prompt: 0, answer: 0 };

  /** Trains a text on rows of made-up tokens. */
  async function runText(text: string, out: string): Promise<void> {
    writeFileSync(join(folder, 'text.pivot'), text);
    const { plan, diagnostics, texts } = compile('text.pivot', nodeHost(folder), { targets: [targetFor(device().info)] });
    if (!plan) throw new Error(formatDiagnostics(diagnostics, texts));
    for (const task of plan.tasks) {
      if (task.kind !== 'train' || task.collate.layout !== 'answers') continue;
      const { imageTokens, prompt, answer } = task.collate;
      sizes = { imageTokens, prompt, answer };
      const length = imageTokens + prompt + answer;
      const ids = (name: string, value: (i: number) => number) => ({
        name,
        dtype: 'i32' as const,
        shape: [4, length],
        data: Int32Array.from({ length: 4 * length }, (_, i) => value(i % length)),
      });
      await writeSafetensors(join(folder, 'rows.safetensors'), [
        { name: 'image', dtype: 'f32', shape: [4, 3, 12, 12], data: Float32Array.from({ length: 4 * 432 }, (_, i) => Math.sin(i % 432)) },
        ids('tokens', (i) => (i * 7) % 19),
        // Rows are drawn in an order of their own, and all see the first picture of their batch; the pictures are alike.
        ids('seen', (i) => (i < imageTokens ? i + 1 : 0)),
        ids('position', (i) => i),
        ids('segment', (i) => (i < imageTokens + prompt ? 0 : 1)),
        { name: 'mask', dtype: 'f32', shape: [4, answer], data: new Float32Array(4 * answer).fill(1) },
      ]);
      const columns = ['image', 'tokens', 'seen', 'position', 'segment', 'mask'];
      task.collate = { layout: 'tensors', columns: Object.fromEntries(columns.map((name) => [name, name])) };
    }
    const result = await runPlan(plan, { out: join(folder, out), base: folder, device: device(), log: silent, workers: 0 });
    expect(result.status).toBe('done');
  }

  test('a folder has the files, names and types of the one it came from', async () => {
    expect(readdirSync(join(folder, 'whole')).sort()).toEqual(readdirSync(join(folder, 'llava')).sort());
    expect(readFileSync(join(folder, 'whole', 'config.json'))).toEqual(readFileSync(join(folder, 'llava', 'config.json')));
    const [before, after] = await Promise.all(['llava', 'whole'].map((name) => openSafetensors(join(folder, name, 'model.safetensors'))));
    expect(after.names).toEqual(before.names);
    for (const name of before.names) expect([name, after.info(name).fileDtype, after.info(name).shape]).toEqual([name, before.info(name).fileDtype, before.info(name).shape]); // prettier-ignore
    const changed: string[] = [];
    for (const name of before.names) if (Buffer.compare(await before.bytes(name), await after.bytes(name)) !== 0) changed.push(name);
    await Promise.all([before.close(), after.close()]);
    // Trained: the tower up to the layer that is read, and q and v of the language model through their adapters.
    expect(changed.filter((name) => name.startsWith('language_model.')).every((name) => /self_attn\.[qv]_proj\.weight$/.test(name))).toBe(
      true,
    );
    expect(changed.filter((name) => name.startsWith('language_model.')).length).toBe(2);
    expect(changed).toContain('vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight');
    // Its second layer feeds nothing, since LLaVA reads the one before.
    expect(changed.some((name) => name.includes('encoder.layers.1.') || name.includes('projector'))).toBe(false);
  });

  test('what an earlier stage trained stays in what a later one leaves, its adapter too', async () => {
    const [whole, later] = await Promise.all(['whole', 'later'].map((name) => openSafetensors(join(folder, name, 'model.safetensors'))));
    const changed: string[] = [];
    for (const name of whole.names) if (Buffer.compare(await whole.bytes(name), await later.bytes(name)) !== 0) changed.push(name);
    await Promise.all([whole.close(), later.close()]);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.every((name) => name.includes('multi_modal_projector'))).toBe(true);
  });

  test('what was merged is W + alpha / rank B A, rounded to the type on disk', async () => {
    const name = 'language_model.model.layers.0.self_attn.q_proj';
    const [before, after, adapter] = await Promise.all([
      readSafetensors(join(folder, 'llava', 'model.safetensors')),
      readSafetensors(join(folder, 'whole', 'model.safetensors')),
      readSafetensors(join(folder, 'adapter', 'adapter_model.safetensors')),
    ]);
    const peft = 'base_model.model.model.language_model.layers.0.self_attn.q_proj';
    const [w, merged] = [before, after].map(({ tensors }) => tensors.get(`${name}.weight`));
    const [a, b] = ['lora_A', 'lora_B'].map((side) => adapter.tensors.get(`${peft}.${side}.weight`));
    if (!w || !merged || !a || !b) throw new Error('a tensor is missing');
    const [rows, columns] = w.shape;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const change = b.data[i * 2] * a.data[j] + b.data[i * 2 + 1] * a.data[columns + j];
        const wanted = w.data[i * columns + j] + 2 * change;
        // bf16 keeps eight bits.
        expect(Math.abs(merged.data[i * columns + j] - wanted)).toBeLessThanOrEqual(Math.abs(wanted) * 2 ** -8 + 1e-9);
      }
    }
    expect(b.data.some((x) => x !== 0)).toBe(true);
    const config = JSON.parse(readFileSync(join(folder, 'adapter', 'adapter_config.json'), 'utf8')) as Record<string, unknown>;
    expect(config).toMatchObject({ peft_type: 'LORA', r: 2, lora_alpha: 4, target_modules: ['q_proj', 'v_proj'] });
  });

  test('a file under our names holds the part as it was trained, in f32', async () => {
    const { tensors } = await readSafetensors(join(folder, 'eyes.safetensors'));
    const { tensors: weights } = await readSafetensors(join(folderOf(join(folder, 'run'), 'tune@0'), 'weights.safetensors'));
    for (const [name, { data }] of tensors) expect([name, data]).toEqual([name, weights.get(name)?.data]);
    expect([...tensors.keys()].every((name) => name.startsWith('eyes.'))).toBe(true);
  });

  const python = spawnSync('python3', ['-c', 'import torch, transformers'], { stdio: 'ignore' }).status === 0;
  (python ? test : test.skip)(
    'transformers loads the folder, with nothing missing and nothing left over, and has the same loss',
    async () => {
      await runText(
        `${modelOf('whole')}
stage again {
  model    mllm
  train    mllm.connector
  on       rows(file: "rows.safetensors", count: 4, size: 12px, prompt: 4, answer: 3)
  loss     sft
  optimize adamw(lr: 1e-3)
  batch    4
  steps    1
}
`,
        'again',
      );
      const [first] = readFileSync(join(folderOf(join(folder, 'again'), 'again@0'), 'metrics.jsonl'), 'utf8').split('\n');
      const { loss } = JSON.parse(first) as { loss: number };
      const script = `
import json, sys, torch
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText
model, info = AutoModelForImageTextToText.from_pretrained(sys.argv[1], output_loading_info=True, dtype=torch.float32)
assert not info["missing_keys"] and not info["unexpected_keys"], info
sizes, rows = json.loads(sys.argv[3]), load_file(sys.argv[2])
ids = rows["tokens"].long()
ids[:, : sizes["imageTokens"]] = model.config.image_token_id
with torch.no_grad():
    logits = model(input_ids=ids, pixel_values=rows["image"]).logits
begin = sizes["imageTokens"] + sizes["prompt"]
scored = torch.log_softmax(logits[:, begin - 1 : -1], -1).gather(-1, ids[:, begin:, None])
print(-scored.mean().item())
`;
      const given = [join(folder, 'whole'), join(folder, 'rows.safetensors'), JSON.stringify(sizes)];
      const { status, stdout, stderr } = spawnSync('python3', ['-c', script, ...given], { encoding: 'utf8' });
      expect([status, stderr.slice(-400)]).toEqual([0, expect.anything()]);
      expect(Math.abs(Number(stdout.trim().split('\n').at(-1)) - loss) / loss).toBeLessThan(1e-5);
    },
  );

  const recorded = resolve('../shared/fixtures/models/llava-lora');
  (existsSync(recorded) ? test : test.skip)('names of an adapter are those that PEFT gives', async () => {
    cpSync(join(recorded, 'adapter_model.safetensors'), join(folder, 'recorded.safetensors'));
    const names = async (path: string): Promise<string[]> =>
      [...(await readSafetensors(path)).tensors.keys()].filter((name) => name.includes('layers.0.')).sort();
    expect(await names(join(folder, 'adapter', 'adapter_model.safetensors'))).toEqual(await names(join(folder, 'recorded.safetensors')));
  });
});
