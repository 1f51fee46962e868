/** A model that answers, within a run: its answers, the pairs that are made of them, and going on where a run was stopped. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { nodeHost } from '../../cli/host.ts';
import { compile } from '../../compiler/compile.ts';
import { formatDiagnostics } from '../../grammar/index.ts';
import type { Plan, SampleTask } from '../../plan/plan.ts';
import type { Log } from '../../runtime/core/log.ts';
import { ranks } from '../../runtime/core/score/rank.ts';
import { pairsOf } from '../../runtime/core/train/pairs.ts';
import type { Kept, SampledLine, SampledPair } from '../../runtime/core/train/pairs.ts';
import { silent } from '../../runtime/core/log.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import { testDevice } from '../support/device.ts';
import { targetOf } from '../support/run-graph.ts';
import { folderOf } from '../support/run-folder.ts';

const device = testDevice();
const base = mkdtempSync(join(tmpdir(), 'pivot-sample-task-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** Short answers only, so that a few steps teach the model to end them; 68 of them are a batch of 64 and a rest. */
const TEXT = `pivot 1
use std.vision.vit
use std.language.decoder
use std.connector.mlp
use std.data.scenes
use std.loss.{ sft, dpo }
use std.optim.adamw

encoder  eyes = vit(image: 24px, patch: 8px, width: 16, depth: 1, heads: 2)
language head = decoder(tokenizer: scenes.words, width: 16, depth: 1, heads: 2, context: 48)
model    mllm = eyes -> mlp(hidden: 16) -> head

data questions = scenes.captions(split: "held-out", count: 17, short: 1.0, sentence: 0.0)
data own = sample(tune, on: questions, per_prompt: 4, temperature: 0.8, rank: "exact")

stage tune {
  train    mllm
  on       scenes.captions(count: 320, short: 1.0, sentence: 0.0)
  loss     sft
  optimize adamw(lr: 1e-2)
  batch    16
  steps    40
}
stage post from tune {
  train    mllm
  on       own
  loss     dpo(beta: 0.1)
  optimize adamw(lr: 1e-3)
  batch    2
  steps    2
}
`;

let plan: Plan;
let task: SampleTask;
beforeAll(() => {
  writeFileSync(join(base, 'own.pivot'), TEXT);
  const compiled = compile('own.pivot', nodeHost(base), { targets: [targetOf(device())] });
  if (!compiled.plan) throw new Error(formatDiagnostics(compiled.diagnostics, compiled.texts));
  plan = compiled.plan;
  task = plan.tasks.find((t): t is SampleTask => t.kind === 'sample') ?? missing();
});

function missing(): never {
  throw new Error('the plan has no such task');
}

const run = (out: string, log: Log = silent, signal?: AbortSignal) =>
  runPlan(plan, { out: join(base, out), base, device: device(), log, ...(signal ? { signal } : {}) });

const read = (out: string, name: string): string => readFileSync(join(folderOf(join(base, out), task.id), name), 'utf8');
const linesOf = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);

describe('a run with sampled pairs', () => {
  test('keeps answers, and of each prompt the best and the worst', async () => {
    const said: string[] = [];
    const log: Log = { line: (text) => void said.push(text), progress: () => undefined };
    expect((await run('whole', log)).ran).toEqual(expect.arrayContaining(['tune@0', task.id, 'post@0']));
    const lines = linesOf<SampledLine & { sample: number; tokens: number[]; kind?: string }>(read('whole', 'rows.jsonl'));
    expect(lines.map(({ row, sample }) => [row, sample])).toEqual(Array.from({ length: 68 }, (_, i) => [Math.floor(i / 4), i % 4]));
    expect(lines.filter(({ ended }) => ended).length).toBeGreaterThan(34);
    const pairs = linesOf<SampledPair>(read('whole', 'pairs.jsonl'));
    const kept = JSON.parse(read('whole', 'kept.json')) as Kept;
    expect(kept).toMatchObject({ prompts: 17, kept: pairs.length, meanChosen: 1, meanRejected: 0 });
    expect(kept.kept + kept.ties + kept.same + kept.unended).toBe(17);
    expect(pairs.length).toBeGreaterThan(1);
    for (const { row, chosen, rejected, ranks: own } of pairs) {
      const answers = lines.filter((line) => line.row === row && line.ended);
      expect(answers.map((line) => line.said)).toEqual(expect.arrayContaining([chosen, rejected]));
      expect([chosen === answers[0].answer, rejected === answers[0].answer]).toEqual([true, false]);
      expect(own).toEqual([1, 0]);
    }
  });

  test('goes on where it was stopped', async () => {
    const controller = new AbortController();
    const log: Log = {
      line: () => undefined,
      progress: (p) => (p?.task === task.id && p.doing === 'sampling' ? controller.abort() : undefined),
    };
    expect(await run('cut', log, controller.signal)).toMatchObject({ status: 'interrupted' });
    expect((await run('cut')).status).toBe('done');
    for (const name of ['rows.jsonl', 'pairs.jsonl', 'kept.json']) expect(read('cut', name)).toBe(read('whole', name));
  });
});

test('pairs by hand: what is kept, and why the rest is not', () => {
  const line = (row: number, said: string, answer: string, ended = true): SampledLine => ({ row, said, answer, ended });
  const { pairs, kept } = pairsOf(
    [
      line(0, 'red ring', 'red ring'),
      line(0, 'blue ring', 'red ring'),
      line(0, 'blue', 'red ring'),
      line(1, 'red', 'blue'),
      line(1, 'green', 'blue'),
      line(2, 'red', 'red'),
      line(2, 'red', 'red'),
      line(3, 'red', 'red'),
      line(3, 'green', 'red', false),
      line(5, 'a b', 'a b c'),
      line(5, 'a', 'a b c'),
    ],
    ranks.overlap,
  );
  expect(pairs).toEqual([
    { row: 0, chosen: 'red ring', rejected: 'blue', ranks: [1, 0] },
    { row: 5, chosen: 'a b', rejected: 'a', ranks: [0.8, 0.5] },
  ]);
  expect(kept).toEqual({ prompts: 5, kept: 2, ties: 1, same: 1, unended: 1, meanChosen: 0.9, meanRejected: 0.25 });
  expect(pairsOf([], ranks.overlap).kept).toMatchObject({ prompts: 0, kept: 0, meanChosen: null });
});

test('pairs of a checkpoint keep the tokens that were taken, each with its own end', () => {
  const line = (said: string, tokens: number[], end: number): SampledLine => ({ row: 0, said, answer: 'red', ended: true, tokens, end });
  expect(pairsOf([line('red', [4], 8), line('', [], 9)], ranks.exact).pairs).toEqual([
    { row: 0, chosen: 'red', rejected: '', ranks: [1, 0], ids: { chosen: [4, 8], rejected: [9] } },
  ]);
});
