/** Answers of a model, token by token: with the cache as without it, by any batch, and in the same way after an interruption. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SampleTask } from '../../plan/plan.ts';
import { packIds } from '../../runtime/core/data/collate.ts';
import { openSource } from '../../runtime/core/data/row.ts';
import { encoderOf } from '../../runtime/core/data/tokens.ts';
import { Executor } from '../../runtime/core/executor/executor.ts';
import { silent } from '../../runtime/core/log.ts';
import { Random, keyOf } from '../../runtime/core/random.ts';
import { tokensOfWords } from '../../runtime/core/train/answer-tokens.ts';
import { answer } from '../../runtime/core/train/answer.ts';
import { batchOf } from '../../runtime/core/train/batches.ts';
import { drawn, likeliest, logProbability } from '../../runtime/core/train/choose.ts';
import { sample } from '../../runtime/core/train/sample.ts';
import { writeInitialState } from '../../runtime/core/train/start.ts';
import { NODE_SOURCES } from '../../runtime/node/data/sources.ts';
import { sleepingWait } from '../../runtime/node/device/wait.ts';
import { diskFiles } from '../../runtime/node/run/files.ts';
import { openTaskFolder } from '../../runtime/node/run/task-folder.ts';
import { drawnWeights, lowerAll, sampleTask, smallModel, wholeGraph } from '../support/decoder.ts';
import type { Lowered } from '../support/decoder.ts';
import { testDevice } from '../support/device.ts';
import { targetOf } from '../support/run-graph.ts';

const device = testDevice();
const model = smallModel();
const { collate, tokenizer } = model;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pivot-sample-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function withExecutor<T>({ programs, kernels }: Lowered, task: SampleTask, run: (executor: Executor) => Promise<T>): Promise<T> {
  const executor = await Executor.create({ device: device().device, wait: sleepingWait, programs, kernels });
  try {
    const names = new Set(executor.stateNames);
    await writeInitialState(
      executor,
      task.state.filter(({ name }) => names.has(name)),
      task.seed,
      drawnWeights(task),
    );
    return await run(executor);
  } finally {
    executor.destroy();
  }
}

async function rowsOf(task: SampleTask) {
  return { source: await openSource(task.data, { openers: NODE_SOURCES }), collate: task.collate, tokenizer };
}

type Line = { row: number; sample: number; prompt: string; answer: string; said: string; tokens: number[]; ended: boolean };

/** Runs a task in a folder of its own; `stopAfter` answers it is interrupted. */
async function lines(
  name: string,
  made: Lowered & { task: SampleTask },
  stopAfter?: number,
): Promise<{ whole: boolean; text: string; lines: Line[] }> {
  const { task, programs } = made;
  const path = join(folder, name);
  await diskFiles.write(join(path, 'note'), ['']).catch(() => undefined);
  const controller = new AbortController();
  const storage = openTaskFolder(diskFiles, path);
  const log = {
    ...silent,
    progress: (p?: { done: number }) => (p && stopAfter !== undefined && p.done >= stopAfter ? controller.abort() : undefined),
  };
  try {
    const data = await rowsOf(task);
    const whole = await withExecutor(made, task, (executor) =>
      sample({ task, programs, executor, data, storage, weights: drawnWeights(task), log, signal: controller.signal, now: () => 0 }),
    );
    const text = await readFile(join(path, 'rows.jsonl'), 'utf8');
    return {
      whole,
      text,
      lines: text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Line),
    };
  } finally {
    await storage.close();
  }
}

describe('greedy answers', () => {
  test('logits with the cache are those of whole sequences without one, and the tokens the same by any batch', async () => {
    const target = targetOf(device());
    const rows = 5;
    const made = sampleTask(model, target, { count: rows, batch: rows });
    const data = { ...(await rowsOf(made.task)), prompts: true };
    const seen: Float32Array[][] = Array.from({ length: rows }, () => []);
    const { batch, rows: _ } = await batchOf(data, [0, 1, 2, 3, 4]);
    const answers = await withExecutor(made, made.task, (executor) =>
      answer(
        { name: 'test', executor, programs: made.programs, scalars: made.task.scalars, collate, tokens: tokensOfWords(tokenizer) },
        batch,
        rows,
        '',
        (logits, row) => {
          seen[row].push(logits.slice());
          return likeliest(logits, [tokenizer.pad]);
        },
      ),
    );
    // Answers of different lengths, of different words, some of which end: else the test would show little.
    expect(new Set(answers.map(({ tokens }) => tokens.join())).size).toBeGreaterThan(2);
    expect(new Set(answers.flatMap(({ tokens }) => tokens)).size).toBeGreaterThan(5);

    const whole = lowerAll({ whole: wholeGraph(model, rows) }, target);
    const ids = answers.map(({ tokens, ended }) => (ended ? [...tokens, tokenizer.end] : tokens));
    const prompts = await Promise.all([0, 1, 2, 3, 4].map(async (i) => (await data.source.row(i)).prompt ?? ''));
    expect(new Set(prompts.map((p) => p.split(' ').length)).size).toBeGreaterThan(1);
    const encoded = prompts.map((p) => {
      const one = encoderOf(tokenizer).encode(p);
      return 'ids' in one ? one.ids : [];
    });
    const inputs = new Map([...batch, ...packIds({ ...collate, layout: 'answers' }, tokenizer.pad, encoded, [ids])]);
    const logits = await withExecutor(whole, made.task, async (executor) =>
      (await executor.run('whole', { inputs, scalars: {} }).outputs()).get('logits'),
    );
    const width = tokenizer.words.length;
    let worst = 0;
    ids.forEach((own, row) => {
      expect(seen[row]).toHaveLength(own.length);
      let logp = 0;
      own.forEach((id, index) => {
        const at = (row * collate.answer + index) * width;
        const wanted = Float32Array.from(logits?.slice(at, at + width) ?? []);
        expect(likeliest(wanted, [tokenizer.pad])).toBe(id);
        worst = Math.max(worst, ...seen[row][index].map((x, i) => Math.abs(x - wanted[i])));
        logp += logProbability(wanted, id);
      });
      expect(answers[row].logp).toBeCloseTo(logp, 3);
    });
    expect(worst).toBeLessThan(1e-4);

    // Batches of one, of two and a rest of one, and one rest alone.
    for (const size of [1, 2, 8]) {
      const cut = await lines(`batch-${size}`, sampleTask(model, target, { count: rows, batch: size }));
      expect(cut.whole).toBe(true);
      expect(cut.lines.map(({ tokens }) => tokens)).toEqual(answers.map(({ tokens }) => tokens));
      expect(cut.lines.map(({ ended }) => ended)).toEqual(answers.map(({ ended }) => ended));
    }
  });

  test('lines say what was asked, what is true and what was said', async () => {
    const { lines: found } = await lines('words', sampleTask(model, targetOf(device()), { count: 3, batch: 2 }));
    const { source } = await rowsOf(sampleTask(model, targetOf(device()), { count: 3, batch: 2 }).task);
    for (const [i, line] of found.entries()) {
      const row = await source.row(i);
      expect(line).toMatchObject({ row: i, sample: 0, prompt: row.prompt, answer: row.answer, ...row.extra });
      expect(line.said).toBe(line.tokens.map((id) => tokenizer.words[id]).join(' '));
      expect(line.tokens).not.toContain(tokenizer.pad);
      expect(line.tokens).not.toContain(tokenizer.end);
    }
  });
});

describe('drawn answers', () => {
  const of = { count: 4, batch: 3, perPrompt: 2, temperature: 1 };

  test('are the same each time and by any batch, and differ between samples and seeds', async () => {
    const target = targetOf(device());
    const once = await lines('once', sampleTask(model, target, of));
    expect(once.lines.map(({ row, sample: number }) => [row, number])).toEqual(
      [0, 1, 2, 3].flatMap((row) => [
        [row, 0],
        [row, 1],
      ]),
    );
    expect((await lines('again', sampleTask(model, target, of))).text).toBe(once.text);
    expect((await lines('other batch', sampleTask(model, target, { ...of, batch: 4 }))).lines).toEqual(once.lines);
    expect(once.lines[0].tokens).not.toEqual(once.lines[1].tokens);
    expect((await lines('other seed', sampleTask(model, target, { ...of, seed: 4 }))).text).not.toBe(once.text);
    // Some end sooner than others, and their neighbours in the batch are none the worse.
    expect(new Set(once.lines.map(({ ended }) => ended)).size).toBe(2);
  });

  test('an interrupted task goes on to the same lines', async () => {
    const target = targetOf(device());
    const whole = await lines('uninterrupted', sampleTask(model, target, of));
    const first = await lines('cut', sampleTask(model, target, of), 3);
    expect(first).toMatchObject({ whole: false });
    expect(first.lines).toHaveLength(3);
    // A killed process may also leave part of a batch, and part of a line.
    await diskFiles.write(join(folder, 'cut', 'rows.jsonl'), [`${whole.text.split('\n').slice(0, 4).join('\n')}\n{"row":`]);
    expect(await lines('cut', sampleTask(model, target, of))).toEqual(whole);
    expect(await lines('cut', sampleTask(model, target, of))).toEqual(whole);
  });
});

describe('the choice of a token', () => {
  test('the likeliest is never padding, and of equals the first', () => {
    expect(likeliest(Float32Array.of(9, 1, 3, 3), [0])).toBe(2);
    expect(likeliest(Float32Array.of(9, 1, 3, 3), [1])).toBe(0);
    expect(() => likeliest(Float32Array.of(1, NaN), [0])).toThrow(expect.objectContaining({ code: 'R0633' }));
  });

  test('draws follow softmax(logits / T) without padding: chi-square on 5 tokens', () => {
    const logits = Float32Array.of(0.3, 5, -1, 1.2, 0, 2);
    const [pad, temperature, draws] = [1, 0.7, 20000];
    const counts = new Array<number>(logits.length).fill(0);
    for (let i = 0; i < draws; i++) counts[drawn(logits, [pad], temperature, new Random(keyOf(`sample/${i}/0`, 5), 0).uniform())]++;
    const weights = Array.from(logits, (x, id) => (id === pad ? 0 : Math.exp(x / temperature)));
    const total = weights.reduce((a, b) => a + b);
    expect(counts[pad]).toBe(0);
    const square = weights.reduce(
      (sum, w, id) => (id === pad ? sum : sum + (counts[id] - (draws * w) / total) ** 2 / ((draws * w) / total)),
      0,
    );
    // 4 degrees of freedom: 18.5 is exceeded once in a thousand by chance, and by any other temperature always.
    expect(square).toBeLessThan(18.5);
    const wrong = weights.map((_, id) => (id === pad ? 0 : Math.exp(logits[id] / 0.8)));
    const sum = wrong.reduce((a, b) => a + b);
    expect(
      wrong.reduce((s, w, id) => (id === pad ? s : s + (counts[id] - (draws * w) / sum) ** 2 / ((draws * w) / sum)), 0),
    ).toBeGreaterThan(18.5);
  });

  test('the ends of [0, 1) are tokens', () => {
    const logits = Float32Array.of(0, 0, 0);
    expect(drawn(logits, [0], 1, 0)).toBe(1);
    expect(drawn(logits, [0], 1, 1 - 2 ** -32)).toBe(2);
    expect(logProbability(Float32Array.of(0, Math.log(3)), 1)).toBeCloseTo(Math.log(0.75), 6);
  });
});
