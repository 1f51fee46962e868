/** What tasks need at once, and what is said where it is not there. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hashOf } from '../../plan/hash.ts';
import type { Plan, TrainTask } from '../../plan/plan.ts';
import type { AdapterInfo } from '../../runtime/core/device/info.ts';
import { checkMemory, memoryOf, memoryText, savingsOf } from '../../runtime/node/run/memory.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import { sleepingWait } from '../../runtime/node/device/wait.ts';
import { compileStage } from '../equivalence/runs.ts';
import { TARGETS } from '../../compiler/lower/targets.ts';
import { testDevice } from '../support/device.ts';
import { tinyPlan, writeData } from '../support/tiny-plan.ts';

const device = testDevice();
const base = mkdtempSync(join(tmpdir(), 'pivot-memory-'));
beforeAll(() => writeData(join(base, 'data.safetensors')));
afterAll(() => rmSync(base, { recursive: true }));

const { portable } = TARGETS;
const GB = 1e9;

function planOf(): { plan: Plan; task: TrainTask } {
  const { plan } = compileStage({ loss: 'dpo(beta: 0.1)', micro: 4, target: portable });
  const task = plan?.tasks.find((one): one is TrainTask => one.kind === 'train');
  if (!plan || !task) throw new Error('the text does not compile');
  return { plan, task };
}

describe('what a task needs', () => {
  const { plan, task } = planOf();
  const need = memoryOf(plan, task, 'portable');

  test('weights, moments, sums of gradients and activations, each as the plan has them', () => {
    const weights = task.state.filter((s) => s.trained).reduce((n, { shape }) => n + 4 * shape.reduce((a, b) => a * b, 1), 0);
    // Each tensor begins at a multiple of 256 bytes.
    const slack = 256 * task.state.length;
    expect(need?.trained).toBeGreaterThanOrEqual(weights);
    expect(need?.trained).toBeLessThan(weights + slack);
    expect(need?.moments).toBe(2 * (need?.trained ?? 0));
    expect(need?.working).toBeGreaterThanOrEqual(need?.trained ?? 0);
    expect(need?.frozen).toBe(0);
    const programs = Object.values(task.programs.portable).map((hash) => plan.programs[hash]);
    expect(need?.activations).toBeGreaterThanOrEqual(Math.max(...programs.map(({ slabs }) => slabs.reduce((a, b) => a + b, 0))));
  });

  test('what would help, the most first', () => {
    const large = { frozen: 1 * GB, trained: 1 * GB, moments: 2 * GB, working: 1 * GB, activations: 8 * GB, exchange: 0, total: 13 * GB };
    const savings = [
      'fewer rows at once (`micro 1` instead of 4) saves up to 6.0 GB',
      'to train less (`freeze`, `lora`) saves up to 3.0 GB',
    ];
    expect(savingsOf(plan, task, large)).toEqual([...savings, expect.stringMatching(/^`recompute layers` keeps/)]);
    expect(savingsOf({ resolved: [{ name: 'tiny.recompute', value: 'layers', origin: '' }] }, task, large)).toEqual(savings);
    expect(memoryText(large)).toBe(
      '13 GB (1.0 GB of frozen weights, 1.0 GB of trained weights, 2.0 GB of moments, 1.0 GB of sums and caches, 8.0 GB of activations)',
    );
  });

  test('a software driver has the memory of the machine', async () => {
    const lines: string[] = [];
    const context = { plan, log: { line: (text: string) => void lines.push(text), progress: () => undefined } };
    const on = {
      device: device().device,
      info: { ...device().info, type: 'software' } as AdapterInfo,
      wait: sleepingWait,
      target: 'portable',
    };
    await checkMemory(context, [task], on, { total: GB, free: GB });
    expect(lines).toEqual([]);
    await checkMemory(context, [task], on, { total: GB, free: 1000 });
    expect(lines).toEqual([
      expect.stringMatching(/^warning: tiny@0 needs .* of activations.*1\.0 kB are free; fewer rows at once .* saves up to/),
    ]);
    await expect(checkMemory(context, [task], on, { total: 1000, free: 1000 })).rejects.toMatchObject({
      code: 'R0609',
      message: expect.stringMatching(/^tiny@0 needs .* of moments.*, and this machine has 1\.0 kB$/),
      cure: expect.stringMatching(/^fewer rows at once .*; to train less .*; or take a machine with more memory$/),
    });
  });

  test('a GPU is asked for the buffers', async () => {
    const context = { plan, log: { line: () => undefined, progress: () => undefined } };
    class GPUOutOfMemoryError {
      message = 'no room';
    }
    const made: string[] = [];
    const buffer = { destroy: () => void made.push('destroyed') };
    let error: GPUOutOfMemoryError | null = new GPUOutOfMemoryError();
    const full = { createBuffer: () => buffer, pushErrorScope: () => undefined, popErrorScope: async () => error };
    const info = { ...device().info, type: 'gpu', name: 'small card' } as AdapterInfo;
    const on = { device: full as unknown as GPUDevice, info, wait: sleepingWait, target: 'portable' };
    await expect(checkMemory(context, [task], on)).rejects.toMatchObject({
      code: 'R0609',
      message: expect.stringMatching(/small card does not give so much$/),
    });
    error = null;
    await checkMemory(context, [task], on);
    expect(made.length).toBeGreaterThan(0);
  });
});

test('a run says it before anything is loaded', async () => {
  const plan = enlarged(tinyPlan());
  const out = join(base, 'out');
  const info = { ...device().info, type: 'software' } as AdapterInfo;
  const failed = runPlan(plan, { out, base, log: { line: () => undefined, progress: () => undefined }, device: { ...device(), info } });
  await expect(failed).rejects.toMatchObject({ code: 'R0609' });
  expect(readdirSync(join(out)).includes('tasks')).toBe(false);
});

/** Every program with terabytes of scratch, under the hash that it then has. */
function enlarged(plan: Plan): Plan {
  const text = Object.entries(plan.programs).reduce((json, [hash, program]) => {
    const large = { ...program, slabs: new Array<number>(20_000).fill(2 ** 27) };
    plan.programs[hashOf(large)] = large;
    delete plan.programs[hash];
    return json.replaceAll(hash, hashOf(large));
  }, JSON.stringify(plan.tasks));
  const targets = plan.targets.map((target) => ({ ...target, limits: { ...target.limits, maxStorageBufferBindingSize: 2 ** 27 } }));
  return { ...plan, targets, tasks: JSON.parse(text) as Plan['tasks'] };
}
