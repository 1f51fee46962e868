/** A disk that is full in the middle of a run: a sentence with a cure, and the same command goes on once there is room. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Plan } from '../../plan/plan.ts';
import type { Log } from '../../runtime/core/log.ts';
import { diskFiles } from '../../runtime/node/run/files.ts';
import type { Files } from '../../runtime/node/run/files.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import type { RunOptions } from '../../runtime/node/run/run.ts';
import { testDevice } from '../support/device.ts';
import { folderOf } from '../support/run-folder.ts';
import { tinyPlan, writeData } from '../support/tiny-plan.ts';

const device = testDevice();
const base = mkdtempSync(join(tmpdir(), 'pivot-disk-'));
const disk = join(base, 'disk');
const plan = tinyPlan({ steps: 12 });
const mounted = mount();
const silent: Log = { line: () => undefined, progress: () => undefined };

/** A disk of 20 MB that this test may fill; only root may have one. */
function mount(): boolean {
  mkdirSync(disk);
  return process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', disk]).status === 0;
}

function run(of: Plan, out: string, more: Partial<RunOptions> = {}): ReturnType<typeof runPlan> {
  return runPlan(of, { out, base, log: silent, device: device(), workers: 0, ...more });
}

function results(out: string): string[] {
  return [
    ['first', 'weights.safetensors'],
    ['second', 'weights.safetensors'],
    ['second', 'metrics.jsonl'],
    ['seen', 'table.safetensors'],
    ['seen', 'rows.jsonl'],
  ].map(([id, name]) => readFileSync(join(folderOf(out, id), name)).toString('base64'));
}

beforeAll(async () => {
  await writeData(join(base, 'data.safetensors'));
  await run(plan, join(base, 'whole'));
});
afterAll(() => {
  if (mounted) spawnSync('umount', [disk]);
  rmSync(base, { recursive: true });
});

/** Writes until nothing more goes in. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  for (const size of [1 << 20, 1 << 12, 1])
    try {
      while (writeSync(file, new Uint8Array(size)) === size);
    } catch {
      // Full: smaller pieces fill the rest.
    }
  closeSync(file);
}

(mounted ? test : test.skip).each(['first training 2', 'second training 8', 'seen embedding 32'])('of 20 MB, full at %s', async (when) => {
  const out = join(disk, 'run');
  const ballast = join(disk, 'ballast');
  const log: Log = { line: () => undefined, progress: (p) => p && `${p.task} ${p.doing} ${p.done}` === when && fill(ballast) };
  await expect(run(plan, out, { log })).rejects.toMatchObject({
    code: 'R0604',
    message: expect.stringMatching(/^the disk that holds .* is full$/),
    cure: 'make room and run the same command again: it goes on where it stopped',
  });
  rmSync(ballast);
  expect((await run(plan, out)).status).toBe('done');
  expect(results(out)).toEqual(results(join(base, 'whole')));
  rmSync(out, { recursive: true });
});

const full = (): Error => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', errno: -28 });

test.each(['done.json', 'task.json', 'plan.json', 'out.safetensors', 'checkpoint-7'])('full at %s', async (name) => {
  const out = join(base, `at-${name}`);
  const files: Files = {
    ...diskFiles,
    write: (path, parts) => (path.includes(name) ? Promise.reject(full()) : diskFiles.write(path, parts)),
  };
  await expect(run(plan, out, { files })).rejects.toMatchObject({ code: 'R0604' });
  expect((await run(plan, out)).status).toBe('done');
  expect(results(out)).toEqual(results(join(base, 'whole')));
});

test('full where something else than the store writes', async () => {
  const report = {
    kind: 'report',
    id: 'report',
    hash: 'a'.repeat(32),
    needs: [],
    seed: 0,
    title: '',
    about: '',
    text: '',
    seeds: [7],
  } as const;
  const reported: Plan = { ...plan, tasks: [...plan.tasks, { ...report, needs: [], seeds: [7] }] };
  await expect(run(reported, join(base, 'report'), { report: () => Promise.reject(full()) })).rejects.toMatchObject({ code: 'R0604' });
});
