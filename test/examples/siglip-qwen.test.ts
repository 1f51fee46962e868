/** The example of real checkpoints, with small ones and rows of conversations: from folders to folders. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { nodeHost } from '../../cli/host.ts';
import { compile } from '../../compiler/compile.ts';
import { targetFor } from '../../compiler/lower/choose.ts';
import type { Plan } from '../../plan/plan.ts';
import { silent } from '../../runtime/core/log.ts';
import { ask } from '../../runtime/node/ask.ts';
import { writeReport } from '../../runtime/node/report/report.ts';
import type { RunResult } from '../../runtime/node/run/options.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import { readSafetensors } from '../../runtime/node/safetensors/files.ts';
import { testDevice } from '../support/device.ts';
import { folderOf } from '../support/run-folder.ts';

const MODELS = resolve('test/fixtures/models');
const ROWS = 8;
const SET = {
  ...{ encoder_folder: 'siglip2', language_folder: 'qwen2-bf16-sharded', size: '48px', prompt: '80', answer: '40' },
  ...{ captions_count: String(ROWS), pairs_count: String(ROWS), align_steps: '2', steps: '2', batch: '4', micro: '2' },
};

const message = (role: string, content: unknown): object => ({ role, content });

describe('siglip-qwen.pivot', () => {
  const device = testDevice();
  const folder = mkdtempSync(join(tmpdir(), 'pivot-checkpoints-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const out = join(folder, 'run');
  const planOf = (set: Record<string, string> = {}): Plan => {
    const { plan, diagnostics } = compile('siglip-qwen.pivot', nodeHost(folder), {
      targets: [targetFor(device().info)],
      set: { ...SET, ...set },
    });
    if (!plan || diagnostics.length > 0) throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join('\n'));
    return plan;
  };
  const run = (plan: Plan, to: string): Promise<RunResult> =>
    runPlan(plan, { out: to, base: folder, device: device(), log: silent, workers: 0, report: writeReport });
  const losses = (at: string, task: string): number[] =>
    readFileSync(join(folderOf(at, task), 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .flatMap((line) => {
        const { loss } = JSON.parse(line) as { loss?: number };
        return loss === undefined ? [] : [loss];
      });
  let result: RunResult;

  beforeAll(async () => {
    cpSync('examples/siglip-qwen.pivot', join(folder, 'siglip-qwen.pivot'));
    for (const name of ['siglip2', 'qwen2-bf16-sharded']) cpSync(join(MODELS, name), join(folder, name), { recursive: true });
    for (const name of ['captions', 'pairs']) mkdirSync(join(folder, name, 'images'), { recursive: true });
    for (let i = 0; i < ROWS; i++) {
      const noise = Uint8Array.from({ length: 60 * 40 * 3 }, (_, k) => (k * 37 + i * 91) % 251);
      const png = await sharp(noise, { raw: { width: 60, height: 40, channels: 3 } })
        .png()
        .toBuffer();
      for (const name of ['captions', 'pairs']) writeFileSync(join(folder, name, 'images', `${i}.png`), png);
    }
    const ask = (i: number): object => message('user', [{ type: 'image' }, { type: 'text', text: `What is here, ${i}?` }]);
    const rows = (one: (i: number) => object): string => Array.from({ length: ROWS }, (_, i) => `${JSON.stringify(one(i))}\n`).join('');
    writeFileSync(
      join(folder, 'captions', 'rows.jsonl'),
      rows((i) => ({
        images: [`images/${i}.png`],
        // Every other row has a second question, whose answer is learnt too.
        messages: [
          ask(i),
          message('assistant', 'Noise.'),
          ...(i % 2 === 0 ? [] : [message('user', 'And now?'), message('assistant', 'More.')]),
        ],
      })),
    );
    writeFileSync(
      join(folder, 'pairs', 'rows.jsonl'),
      rows((i) => ({
        images: [`images/${i}.png`],
        prompt: [ask(i)],
        chosen: [message('assistant', 'Noise.')],
        rejected: [message('assistant', 'A red cat.')],
      })),
    );
    result = await run(planOf(), out);
  });

  test('aligns, tunes and writes its report', () => {
    expect(result.status).toBe('done');
    expect(losses(out, 'align@0').every(Number.isFinite)).toBe(true);
    const tuned = losses(out, 'tune@0');
    expect(tuned).toHaveLength(2);
    expect(Math.abs(tuned[0] - Math.LN2)).toBeLessThan(1e-5);
    const report = readFileSync(join(out, 'report.html'), 'utf8');
    for (const part of ['9 ×&nbsp;&lt;image&gt;', 'rejected', '↵']) expect(report).toContain(part);
  });

  test('a batch in parts has the losses of the whole batch', async () => {
    const whole = join(folder, 'whole');
    await run(planOf({ micro: '4' }), whole);
    for (const task of ['align@0', 'tune@0'])
      losses(whole, task).forEach((loss, i) => expect(Math.abs(loss - losses(out, task)[i])).toBeLessThan(2e-5));
  });

  test('writes the encoder as a folder of the layout that it came from, and the adapter', async () => {
    const [before, after] = await Promise.all(
      [join(MODELS, 'siglip2'), join(folder, 'siglip-pivot')].map((at) => readSafetensors(join(at, 'model.safetensors'))),
    );
    const name = [...before.tensors.keys()].find((one) => one.endsWith('patch_embedding.weight')) as string;
    expect(after.tensors.get(name)?.shape).toEqual(before.tensors.get(name)?.shape);
    expect(after.tensors.get(name)?.data).not.toEqual(before.tensors.get(name)?.data);
    expect(existsSync(join(folder, 'siglip-pivot', 'config.json'))).toBe(true);
    expect(existsSync(join(folder, 'qwen-adapter', 'adapter_config.json'))).toBe(true);
  });

  test('answers questions with its adapter', async () => {
    const asked = { run: out, base: folder, picture: join(folder, 'pairs', 'images', '0.png'), question: 'What is here?' };
    const { answers } = await ask({ ...asked, seed: 0, temperature: 0, cam: true, device: device() });
    expect(answers.map(({ name, cam }) => [name, cam?.grid])).toEqual([['tune', 3]]);
    // Each model has the weights that its stage left, and the adapter where one was trained.
    const adapted = planOf().asks.map(({ stage, state }) => [stage, state.some(({ name }) => name.endsWith('lora_A.weight'))]);
    expect(adapted).toEqual([
      ['align', false],
      ['tune', true],
    ]);
    expect(answers[0].said).not.toBe('');
  });

  test('rows that are too long are told before anything is trained', async () => {
    await expect(run(planOf({ answer: '4' }), join(folder, 'long'))).rejects.toMatchObject({ code: 'R0515' });
  });

  test.each([
    ['tokenizer_config.json', 'R0523'],
    ['config.json', 'R0606'],
  ])('another %s than the one of the plan is refused', async (name, code) => {
    const plan = planOf();
    const file = join(folder, 'qwen2-bf16-sharded', name);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, `${text} `);
    try {
      await expect(run(plan, join(folder, 'changed'))).rejects.toMatchObject({ code });
    } finally {
      writeFileSync(file, text);
    }
  });
});
