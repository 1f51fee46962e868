/** A model whose prompts a chat template writes, from small checkpoints: it learns two answers, gives them, and is tuned on pairs of its own. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
import { openTokenizer } from '../../runtime/node/tokenize/open.ts';
import { testDevice } from '../support/device.ts';
import { folderOf } from '../support/run-folder.ts';

const MODELS = resolve('test/fixtures/models');
const LANGUAGE = 'qwen2-bf16-sharded';
const ROWS = 4;
const QUESTIONS: [string, string][] = [
  ['What colour?', 'red'],
  ['What shape?', 'a square'],
];

const TEXT = `pivot 1
use std.connector.mlp.mlp
use std.data.files
use std.loss.{ sft, dpo }
use std.optim.adamw
use std.probe.answering.answering

param prompt: int = 60
param image_token: string = ""

encoder  eyes = pretrained("siglip2")
language head = pretrained("${LANGUAGE}")
model    mllm = eyes -> mlp() -> head

data rows = files.captions(folder: "rows", tokenizer: head.tokenizer, processor: "siglip2", count: ${ROWS}, size: 48px, prompt: prompt, answer: 8, pictures: 2, image_token: image_token)
data own  = sample(learn, on: rows, per_prompt: 4, temperature: 2.0, rank: "overlap")

stage learn {
  model      mllm
  train      mllm
  on         rows
  loss       sft
  optimize   adamw(lr: 3e-3)
  batch      ${ROWS}
  steps      30
}

stage tune from learn {
  model      mllm
  train      mllm.connector
  on         own
  loss       dpo
  optimize   adamw(lr: 1e-3)
  batch      2
  steps      2
}

probe answers = answering(learn, on: rows)
`;

const message = (role: string, content: unknown): object => ({ role, content });

interface Line {
  prompt: string;
  answer: string;
  said: string;
  tokens: number[];
  ended: boolean;
  end?: number;
}

interface PairLine {
  chosen: string;
  rejected: string;
  ids: { chosen: number[]; rejected: number[] };
}

describe('a model with a chat template', () => {
  const device = testDevice();
  const folder = mkdtempSync(join(tmpdir(), 'pivot-chat-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const out = join(folder, 'run');
  const planOf = (set: Record<string, string> = {}, text = TEXT): Plan => {
    writeFileSync(join(folder, 'chat.pivot'), text);
    const { plan, diagnostics } = compile('chat.pivot', nodeHost(folder), { targets: [targetFor(device().info)], set });
    if (!plan) throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join('\n'));
    return plan;
  };
  const run = (plan: Plan, to: string): Promise<RunResult> =>
    runPlan(plan, { out: to, base: folder, device: device(), log: silent, workers: 0, report: writeReport });
  const linesOf = <T>(task: string, name: string): T[] =>
    readFileSync(join(folderOf(out, task), name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as T);
  const put = (question: string, more: { cam?: boolean; stage?: string; base?: string } = {}, picture = 0) =>
    ask({
      ...{ run: out, base: folder, picture: join(folder, 'rows', 'images', `${picture}.png`), question },
      ...{ seed: 0, temperature: 0, cam: false, stage: 'learn', device: device(), ...more },
    });

  beforeAll(async () => {
    for (const name of ['siglip2', LANGUAGE]) cpSync(join(MODELS, name), join(folder, name), { recursive: true });
    mkdirSync(join(folder, 'rows', 'images'), { recursive: true });
    for (let i = 0; i < ROWS; i++) {
      const noise = Uint8Array.from({ length: 60 * 40 * 3 }, (_, k) => (k * 37 + i * 91) % 251);
      const png = await sharp(noise, { raw: { width: 60, height: 40, channels: 3 } })
        .png()
        .toBuffer();
      writeFileSync(join(folder, 'rows', 'images', `${i}.png`), png);
    }
    const rows = Array.from({ length: ROWS }, (_, i) => {
      const [question, answer] = QUESTIONS[i % 2];
      const shown = { type: 'image' };
      return JSON.stringify({
        // The last row has two pictures, one of them behind the question.
        images: i < ROWS - 1 ? [`images/${i}.png`] : [`images/${i}.png`, 'images/0.png'],
        messages: [
          message('user', [shown, { type: 'text', text: question }, ...(i < ROWS - 1 ? [] : [shown])]),
          message('assistant', answer),
        ],
      });
    });
    writeFileSync(join(folder, 'rows', 'rows.jsonl'), `${rows.join('\n')}\n`);
    expect((await run(planOf(), out)).status).toBe('done');
  });

  test('says what it learnt, and is judged by that', () => {
    const lines = linesOf<Line>('answers.answers.learn@0', 'rows.jsonl');
    expect(lines.map(({ prompt }) => prompt)).toEqual([0, 1, 2, 3].map((i) => QUESTIONS[i % 2][0]));
    expect(lines.map(({ said }) => said)).toEqual([0, 1, 2, 3].map((i) => QUESTIONS[i % 2][1]));
    expect(lines.every(({ ended, end, tokens }) => ended && end === 602 && !tokens.includes(602))).toBe(true);
    const { values } = JSON.parse(readFileSync(join(folderOf(out, 'answers.learn@0'), 'score.json'), 'utf8')) as { values: object };
    expect(values).toMatchObject({ exact: 1, attributes: 1 });
  });

  test('pairs of its own are the tokens that it took, and are trained on', async () => {
    const drawn = linesOf<Line>('own@0', 'rows.jsonl');
    expect(drawn).toHaveLength(4 * ROWS);
    const pairs = linesOf<PairLine>('own@0', 'pairs.jsonl');
    expect(pairs.length).toBeGreaterThan(1);
    const tokenizer = await openTokenizer(join(folder, LANGUAGE));
    try {
      for (const { chosen, rejected, ids } of pairs) {
        expect([ids.chosen.at(-1), ids.rejected.at(-1)]).toEqual([602, 602]);
        expect(await tokenizer.decode([ids.chosen, ids.rejected], true)).toEqual([chosen, rejected]);
      }
    } finally {
      await tokenizer.close();
    }
    const losses = linesOf<{ loss?: number }>('tune@0', 'metrics.jsonl').flatMap(({ loss }) => loss ?? []);
    expect(losses).toHaveLength(2);
    expect(Math.abs(losses[0] - Math.LN2)).toBeLessThan(1e-5);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('&lt;|im_end|&gt;');
  });

  test('answers a question, and shows where the answer comes from', async () => {
    for (const [i, [question, answer]] of QUESTIONS.entries()) {
      const { picture, answers } = await put(question, { cam: true }, i);
      expect(answers).toHaveLength(1);
      expect(answers[0]).toMatchObject({ name: 'learn', said: answer, ended: true });
      expect(answers[0].logp).toBeLessThan(0);
      expect([picture.width, picture.height]).toEqual([48, 48]);
      expect(answers[0].cam?.grid).toBe(3);
      expect(Math.max(...(answers[0].cam?.map ?? []))).toBeGreaterThan(0);
    }
    // What the later stage did not train is found where it found it.
    expect((await put('What colour?', { stage: 'tune' })).answers[0].name).toBe('tune');
  });

  test('questions that are empty, too long, or say the token of a picture', async () => {
    await expect(put(' ')).rejects.toMatchObject({ code: 'R0655' });
    await expect(put('what '.repeat(80))).rejects.toMatchObject({ code: 'R0655', cure: expect.stringMatching(/prompt: \d+ or more/) });
    await expect(put('what is <image>?')).rejects.toMatchObject({ code: 'R0544' });
  });

  test('a run without its checkpoints beside it is told what is missing', async () => {
    await expect(put('What colour?', { base: join(folder, 'elsewhere') })).rejects.toMatchObject({
      code: 'R0504',
      cure: expect.stringContaining('--base'),
    });
  });

  test('other files than those of the plan are refused', async () => {
    for (const [name, code] of [
      [`${LANGUAGE}/generation_config.json`, 'R0523'],
      ['siglip2/preprocessor_config.json', 'R0523'],
    ]) {
      const text = readFileSync(join(folder, name), 'utf8');
      writeFileSync(join(folder, name), `${text} `);
      try {
        await expect(put('What colour?')).rejects.toMatchObject({ code });
      } finally {
        writeFileSync(join(folder, name), text);
      }
    }
  });
});
