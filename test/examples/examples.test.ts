/** Every example is run from its text to its report, with fewer steps and rows. */
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compile } from '../../compiler/compile.ts';
import { targetFor } from '../../compiler/lower/choose.ts';
import { nodeHost } from '../../cli/host.ts';
import { holdLock } from '../../cli/lock.ts';
import { silent } from '../../runtime/core/log.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import { writeReport } from '../../runtime/node/report/report.ts';
import { testDevice } from '../support/device.ts';
import { folderOf } from '../support/run-folder.ts';

/** What is made small, and how many training tasks there are. */
const EXAMPLES: Record<string, { set: Record<string, string>; trained: string[] }> = {
  'quickstart.pivot': {
    set: { steps: '2', pairs: '32', held_out: '16', fit: '64', judged: '64', maps: '8' },
    trained: ['post.sft@0', 'post.dpo@0'],
  },
  'pretrain.pivot': { set: { tag_steps: '1', align_steps: '1', held_out: '16' }, trained: ['see@0', 'align@0'] },
  'own-loss.pivot': { set: { steps: '2' }, trained: ['tune@0'] },
  'from-files.pivot': { set: { steps: '2' }, trained: ['first@0'] },
  'sft-vs-dpo.pivot': {
    set: {
      ...{ runs: '1', tuning_runs: '1', tag_steps: '1', align_steps: '1', read_steps: '1', steps: '2', pairs: '32' },
      ...{ held_out: '16', fit: '64', judged: '64', read_patches: '1', maps: '8' },
    },
    trained: ['see@0', 'align@0', 'align@100', 'read@0', 'post.sft:rate=1e-3@100', 'post.sft@0', 'post.dpo@0', 'post.exchanged@0'],
  },
  'pivot-recipe.pivot': {
    set: { runs: '1', tag_steps: '1', align_steps: '1', steps: '2', fresh_steps: '1', pairs: '32', held_out: '16', judged: '32' },
    trained: ['see@0', 'align@0', 'enhance.sft@0', 'enhance.dpo@0', 'recipe.original@0', 'recipe.pretrained@0', 'recipe.dpo@0'],
  },
  'own-pairs.pivot': {
    set: { runs: '1', steps: '2', fresh_steps: '1', scenes_described: '256', fit: '64', judged: '32' },
    trained: ['post.sft@0', 'post.dpo@0', 'recipe.original@0'],
  },
};

/** Whose checkpoints and rows are the user's: run with small ones below. */
const FOLDERS = ['siglip-qwen.pivot'];

const examples = resolve('examples');

describe('examples', () => {
  const device = testDevice();
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pivot-examples-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('are all in this test', () => {
    const texts = readdirSync(examples).filter((name) => name.endsWith('.pivot'));
    expect(texts.sort()).toEqual([...Object.keys(EXAMPLES), ...FOLDERS].sort());
  });

  test.each(Object.entries(EXAMPLES))('%s runs to its report', async (name, { set, trained }) => {
    // A folder for each: one example writes the weights that others begin with.
    const base = join(folder, 'texts', name);
    cpSync(examples, base, { recursive: true });
    const { plan, texts, diagnostics } = compile(name, nodeHost(base), { targets: [targetFor(device().info)], set });
    expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    if (!plan) return;
    // The committed lock is in step with the standard library, the weights and the rows.
    expect(() => holdLock(join(base, name), plan, texts, false)).not.toThrow();
    const out = join(folder, 'runs', name);
    const result = await runPlan(plan, { out, base, device: device(), log: silent, workers: 0, report: writeReport });
    expect(result.status).toBe('done');
    expect(result.ran).toEqual(expect.arrayContaining(trained));
    expect(existsSync(join(out, 'report.html'))).toBe(true);
    for (const id of trained) {
      const lines = readFileSync(join(folderOf(out, id), 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, number>);
      const losses = lines.flatMap((line) => (line.loss === undefined ? [] : [line.loss]));
      expect(losses.length).toBeGreaterThan(0);
      expect(losses.every(Number.isFinite)).toBe(true);
    }
  });

  test('DPO begins at ln 2, on training and on held-out rows', () => {
    const lines = readFileSync(join(folderOf(join(folder, 'runs', 'quickstart.pivot'), 'post.dpo@0'), 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
    const first = lines.find((line) => line.loss !== undefined);
    const evaluated = lines.find((line) => line.eval_loss !== undefined);
    expect(Math.abs((first?.loss ?? 0) - Math.LN2)).toBeLessThan(1e-6);
    expect(Math.abs((evaluated?.eval_loss ?? 0) - Math.LN2)).toBeLessThan(1e-6);
  });
});
