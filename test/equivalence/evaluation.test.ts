/** An evaluation is over all rows, whatever the batches of the training beside it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { packageRoot } from '../../cli/host.ts';
import { silent } from '../../runtime/core/log.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import { compileText } from '../support/compile-text.ts';
import { testDevice } from '../support/device.ts';
import { nameOf } from '../../runtime/node/run/task-folders.ts';
import { targetOf } from '../support/run-graph.ts';

const device = testDevice();
const TINY = readFileSync(join(packageRoot(), 'test', 'equivalence', 'tiny.pivot'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'pivot-evaluation-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A model that has learnt something, and a stage that is evaluated before its first step: the weights are the same for all batches. */
function text(loss: string, batch: string): string {
  const uses = `use std.loss.{ kto }\n`;
  const stage = (name: string, fields: string[]): string =>
    `stage ${name} {\n  ${['model mllm', 'train mllm', ...fields].join('\n  ')}\n}\n`;
  const first = stage('first', ['on pairs', 'loss sft', 'optimize adamw(lr: 5e-3)', 'batch 16', 'steps 12']);
  const start = stage('base', ['on pairs', 'loss sft', 'optimize adamw(lr: 5e-3)', 'batch 16', 'steps 1']);
  const held = 'eval every 1 on scenes.preferences(split: "held-out", count: 40)';
  const second = stage('second from first', ['on pairs', `loss ${loss}`, 'optimize adamw(lr: 1e-3)', batch, 'steps 1', held]);
  return `${TINY.replace('use std.optim', `${uses}use std.optim`)}\n${start}\n${first}\n${second}`;
}

/** The losses of the evaluation before the first step. */
async function evaluated(loss: string, batch: string): Promise<number> {
  const { plan, diagnostics } = compileText(text(loss, batch), { targets: [targetOf(device())] });
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  const task = plan?.tasks.find(({ id }) => id === 'second@0');
  if (!plan || !task) throw new Error('there is no stage to evaluate');
  const out = join(folder, 'run');
  // One folder: the stages before are trained once.
  const result = await runPlan(plan, { out, base: folder, device: device(), log: silent, workers: 0 });
  expect(result.status).toBe('done');
  const [first] = readFileSync(join(out, 'tasks', nameOf(task), 'metrics.jsonl'), 'utf8').split('\n');
  const { step, eval_loss: value } = JSON.parse(first) as { step: number; eval_loss: number };
  expect(step).toBe(0);
  return value;
}

test.each([
  ['kto(reference: base)', ['batch 8', 'batch 16', 'batch 32']],
  ['dpo(beta: 0.1, reference: base)', ['batch 8', 'batch 16, micro 8']],
])('of %s', async (loss, batches) => {
  const losses: number[] = [];
  for (const batch of batches) losses.push(await evaluated(loss, batch));
  for (const value of losses) expect(Math.abs(value - losses[0])).toBeLessThanOrEqual(2e-6 * Math.abs(losses[0]));
  // It is not that of weights which equal the reference's.
  expect(Math.abs(losses[0] - (loss.startsWith('dpo') ? Math.LN2 : 0.5))).toBeGreaterThan(1e-4);
});
