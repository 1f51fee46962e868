/**
 * Examples run from their text to their report with fewer steps and rows and smaller batches; those that begin with no weights of a file also with
 * smaller models.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { compile } from '../../compiler/compile.ts';
import { targetFor } from '../../compiler/lower/choose.ts';
import { nodeHost } from '../../cli/host.ts';
import { silent } from '../../runtime/core/log.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import { writeReport } from '../../runtime/node/report/report.ts';
import { testDevice } from '../support/device.ts';
import { folderOf } from '../support/run-folder.ts';

export interface Small {
  set: Record<string, string>;
  /** Whether its models may be smaller than the text says: it begins with no weights of a file. */
  narrow?: true;
  /** Training tasks that have to be there. */
  trained: string[];
}

export const EXAMPLES: Record<string, Small> = {
  'quickstart.pivot': {
    set: { steps: '2', pairs: '32', held_out: '16', fit: '64', judged: '64', maps: '8' },
    trained: ['post.sft@0', 'post.dpo@0'],
  },
  'pretrain.pivot': { set: { tag_steps: '1', align_steps: '1', held_out: '16' }, narrow: true, trained: ['see@0', 'align@0'] },
  'own-loss.pivot': { set: { steps: '2' }, trained: ['tune@0'] },
  'from-files.pivot': { set: { steps: '2' }, trained: ['first@0'] },
  'sft-vs-dpo.pivot': {
    set: {
      ...{ runs: '1', tuning_runs: '1', tag_steps: '1', align_steps: '1', read_steps: '1', steps: '2', pairs: '32' },
      ...{ held_out: '16', fit: '64', judged: '64', read_patches: '1', maps: '8' },
    },
    narrow: true,
    trained: ['see@0', 'align@0', 'align@100', 'read@0', 'post.sft:rate=1e-3@100', 'post.sft@0', 'post.dpo@0', 'post.exchanged@0'],
  },
  'pivot-recipe.pivot': {
    set: { runs: '1', tag_steps: '1', align_steps: '1', steps: '2', fresh_steps: '1', pairs: '32', held_out: '16', judged: '32' },
    narrow: true,
    trained: ['see@0', 'align@0', 'enhance.sft@0', 'enhance.dpo@0', 'recipe.original@0', 'recipe.pretrained@0', 'recipe.dpo@0'],
  },
  'own-pairs.pivot': {
    set: { runs: '1', steps: '2', fresh_steps: '1', scenes_described: '96', fit: '64', judged: '32' },
    trained: ['post.sft@0', 'post.dpo@0', 'recipe.original@0'],
  },
};

/** Whose checkpoints and rows are the user's: run with small ones below. */
export const FOLDERS = ['siglip-qwen.pivot'];

export const examples = resolve('examples');

/** A text with batches of 8, and models of one narrow block where they may be. */
function smaller(text: string, narrow: boolean): string {
  const shorter = text.replace(/^( +batch +)\d+$/gm, '$18').replace(/^(probe moved .*)\)$/m, '$1, rows: 32)');
  return narrow
    ? shorter
        .replace(/width: 64/g, 'width: 16')
        .replace(/hidden: 128/g, 'hidden: 32')
        .replace(/depth: [23]/g, 'depth: 1')
    : shorter;
}

/** Tests that run these examples. What they give the metrics of a task by: the example, the task. */
export function testRuns(names: readonly string[]): (name: string, task: string) => Record<string, number>[] {
  const device = testDevice();
  const folder = mkdtempSync(join(tmpdir(), 'pivot-examples-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const outOf = (name: string): string => join(folder, 'runs', name);
  const metrics = (name: string, task: string): Record<string, number>[] =>
    readFileSync(join(folderOf(outOf(name), task), 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);

  test.each(names)('%s runs to its report', async (name) => {
    const { set, narrow, trained } = EXAMPLES[name];
    // A folder for each: one example writes the weights that others begin with.
    const base = join(folder, 'texts', name);
    cpSync(examples, base, { recursive: true });
    const host = nodeHost(base);
    const read = (path: string): string | undefined => {
      const text = host.read(path);
      return path === name && text !== undefined ? smaller(text, narrow === true) : text;
    };
    const { plan, diagnostics } = compile(name, { ...host, read }, { targets: [targetFor(device().info)], set });
    expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    if (!plan) throw new Error('there is no plan');
    const result = await runPlan(plan, { out: outOf(name), base, device: device(), log: silent, workers: 0, report: writeReport });
    expect(result.status).toBe('done');
    expect(result.ran).toEqual(expect.arrayContaining(trained));
    expect(existsSync(join(outOf(name), 'report.html'))).toBe(true);
    for (const id of trained) {
      const losses = metrics(name, id).flatMap((line) => (line.loss === undefined ? [] : [line.loss]));
      expect(losses.length).toBeGreaterThan(0);
      expect(losses.every(Number.isFinite)).toBe(true);
    }
  });
  return metrics;
}
