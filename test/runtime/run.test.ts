/** What a run does, and what it refuses. Plans are written by hand (test/support/tiny-plan.ts). */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PivotError } from '../../plan/errors.ts';
import { hashOf } from '../../plan/hash.ts';
import type { Plan, Task, TrainTask } from '../../plan/plan.ts';
import type { Log } from '../../runtime/core/log.ts';
import { diskFiles } from '../../runtime/node/run/files.ts';
import type { Files } from '../../runtime/node/run/files.ts';
import { lockFolder } from '../../runtime/node/run/lock.ts';
import { runPlan } from '../../runtime/node/run/run.ts';
import type { RunOptions } from '../../runtime/node/run/run.ts';
import { readSafetensors, writeSafetensors } from '../../runtime/node/safetensors/files.ts';
import { testDevice } from '../support/device.ts';
import { BATCH, ROWS, tinyPlan, WIDTH, writeData } from '../support/tiny-plan.ts';
import { failedTask } from '../support/failed-task.ts';
import { folderOf, idsIn } from '../support/run-folder.ts';

const device = testDevice();
const base = mkdtempSync(join(tmpdir(), 'pivot-run-'));
beforeAll(async () => {
  await writeData(join(base, 'data.safetensors'));
  await writeData(join(base, 'bad.safetensors'), 37);
});
afterAll(() => rmSync(base, { recursive: true }));

function caught(): Log & { lines: string[] } {
  const lines: string[] = [];
  return { lines, line: (text) => void lines.push(text), progress: () => undefined };
}

function run(plan: Plan, out: string, more: Partial<RunOptions> = {}): ReturnType<typeof runPlan> {
  return runPlan(plan, { out: join(base, out), base, log: caught(), device: device(), ...more });
}

async function failure(work: Promise<unknown>): Promise<PivotError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof PivotError) return error;
  throw new Error('it should have failed with a PivotError', { cause: error });
}

function metrics(out: string, task: string): Record<string, number>[] {
  const lines = readFileSync(join(folderOf(join(base, out), task), 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, number>);
}

async function weights(out: string, task: string): Promise<number[]> {
  const { tensors } = await readSafetensors(join(folderOf(join(base, out), task), 'weights.safetensors'));
  return [...(tensors.get('w')?.data ?? [])];
}

function only(plan: Plan, ...ids: string[]): Plan {
  return { ...plan, tasks: plan.tasks.filter(({ id }) => ids.includes(id)) };
}

function trainOf(plan: Plan, id: string): TrainTask {
  const task = plan.tasks.find((one) => one.id === id);
  if (task?.kind !== 'train') throw new Error(`${id} does not train`);
  return task;
}

describe('a whole run', () => {
  const log = caught();
  let plan: Plan;
  beforeAll(async () => {
    plan = tinyPlan();
    await run(plan, 'whole', { log });
  });

  test('finds the weights of the data', async () => {
    const [a, b, c, d] = await weights('whole', 'second');
    expect(Math.abs(a - 1) + Math.abs(b + 2) + Math.abs(c - 3) + Math.abs(d - 0.5)).toBeLessThan(0.3);
  });

  test('writes a line a step and a line an evaluation', () => {
    const lines = metrics('whole', 'first');
    const steps = lines.filter((line) => 'loss' in line);
    expect(steps.map((line) => line.step)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(steps[5]).toMatchObject({ epoch: 1, learning_rate: 0.05 * (1 - 5 / 60) });
    expect(lines.filter((line) => 'eval_loss' in line).map((line) => line.step)).toEqual([0, 10, 20, 30]);
    expect(Object.keys(steps[0])).toEqual(['step', 'epoch', 'loss', 'grad_norm', 'learning_rate']);
  });

  test('evaluates over all rows, the smaller last batch included', async () => {
    const { tensors } = await readSafetensors(join(base, 'data.safetensors'));
    const [x, y] = [tensors.get('x')?.data ?? [], tensors.get('y')?.data ?? []];
    const w = await weights('whole', 'second');
    let sum = 0;
    for (let i = 0; i < ROWS; i++) sum += (w.reduce((p, v, j) => p + v * x[i * WIDTH + j], 0) - y[i]) ** 2;
    expect(metrics('whole', 'second').at(-1)?.eval_loss).toBeCloseTo(sum / ROWS, 6);
  });

  test('embeds all rows in order, with inputs and columns', async () => {
    const { tensors } = await readSafetensors(join(folderOf(join(base, 'whole'), 'seen'), 'table.safetensors'));
    const { tensors: data } = await readSafetensors(join(base, 'data.safetensors'));
    expect(tensors.get('prediction')?.shape).toEqual([ROWS]);
    expect(tensors.get('y')?.data).toEqual(data.get('y')?.data);
    const [x, w, p] = [data.get('x')?.data ?? [], await weights('whole', 'second'), tensors.get('prediction')?.data ?? []];
    for (let i = 0; i < ROWS; i++)
      expect(p[i]).toBeCloseTo(
        w.reduce((sum, v, j) => sum + v * x[i * WIDTH + j], 0),
        4,
      );
    const rows = readFileSync(join(folderOf(join(base, 'whole'), 'seen'), 'rows.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(rows.map((line) => (JSON.parse(line) as { row: number }).row)).toEqual(Array.from({ length: ROWS }, (_, i) => i));
  });

  test('exports under the name of the text', async () => {
    const { tensors } = await readSafetensors(join(base, 'out.safetensors'));
    expect([...(tensors.get('weight')?.data ?? [])]).toEqual(await weights('whole', 'second'));
  });

  test('keeps two checkpoints, and records what it ran on', () => {
    const names = readdirSync(folderOf(join(base, 'whole'), 'second')).sort();
    expect(names).toEqual([
      'checkpoint-28.safetensors',
      'checkpoint-30.safetensors',
      'done.json',
      'metrics.jsonl',
      'task.json',
      'timings.jsonl',
      'weights.safetensors',
    ]);
    const record: unknown = JSON.parse(readFileSync(join(base, 'whole/run.json'), 'utf8'));
    expect(record).toMatchObject({
      name: 'tiny',
      status: 'done',
      adapter: device().info.name,
      target: 'portable',
      versions: { node: process.versions.node },
    });
    expect(log.lines.at(-4)).toMatch(/^first +train +30 steps of 8 rows +[\d.]+ s$/);
  });
});

test('a batch in parts trains as the whole batch does', async () => {
  await run(only(tinyPlan(), 'first'), 'one');
  await run(only(tinyPlan({ micro: 4 }), 'first'), 'parts');
  const [one, parts] = [await weights('one', 'first'), await weights('parts', 'first')];
  one.forEach((value, i) => expect(parts[i]).toBeCloseTo(value, 5));
  const losses = (out: string): number[] => metrics(out, 'first').flatMap(({ loss, eval_loss: held }) => [loss ?? held]);
  losses('one').forEach((value, i) => expect(losses('parts')[i]).toBeCloseTo(value, 5));
});

test('the reference scores each row once, and the second task with it reads the cache', async () => {
  const plan = tinyPlan({ reference: true });
  const log = caught();
  const doing: string[] = [];
  await run(plan, 'reference', { log: { ...log, progress: (p) => p && doing.push(p.doing) } });
  expect(doing).toContain('scoring the training rows with the reference');
  const [name, ...others] = readdirSync(join(base, 'reference/cache'));
  // Training and evaluation read the same rows here, so one file serves both.
  expect(others).toEqual([]);
  const { tensors } = await readSafetensors(join(base, 'reference/cache', name));
  const logp = tensors.get('chosen.logp');
  const { tensors: data } = await readSafetensors(join(base, 'data.safetensors'));
  const w = await weights('reference', 'first');
  expect(logp?.shape).toEqual([ROWS, 2]);
  for (const row of [0, 17, ROWS - 1]) {
    expect(logp?.data[2 * row]).toBeCloseTo((data.get('x')?.data[row * WIDTH] ?? NaN) * w[0], 5);
    expect(logp?.data[2 * row + 1]).toBe(w[1]);
  }
  rmSync(folderOf(join(base, 'reference'), 'second'), { recursive: true });
  doing.length = 0;
  expect((await run(plan, 'reference', { log: { ...log, progress: (p) => p && doing.push(p.doing) } })).ran).toEqual(['second']);
  expect(doing).not.toContain('scoring the training rows with the reference');
});

describe('a number that is not finite', () => {
  test('halts, names step and tensor, and keeps the last good weights', async () => {
    const plan = only(tinyPlan({ data: 'bad.safetensors' }), 'first');
    delete trainOf(plan, 'first').evaluate;
    const error = await failedTask(run(plan, 'halt'));
    expect(error.code).toBe('R0631');
    const step = Number(/at step (\d+) of 30/.exec(error.message)?.[1]);
    expect(error.message).toMatch(/The first such number is -?(Infinity|NaN) in prediction, element [0-7]\./);
    expect(error.message).toContain(`checkpoint-${step - 1}.safetensors`);
    expect(metrics('halt', 'first').map((line) => line.step)).toEqual(Array.from({ length: step - 1 }, (_, i) => i + 1));
    const { tensors } = await readSafetensors(join(folderOf(join(base, 'halt'), 'first'), `checkpoint-${step - 1}.safetensors`));
    expect([...(tensors.get('w')?.data ?? [])].every(Number.isFinite)).toBe(true);
    expect(JSON.parse(readFileSync(join(base, 'halt/run.json'), 'utf8'))).toMatchObject({
      status: 'incomplete',
      failed: { first: error.message },
    });
    // The same run stops at the same step again.
    expect((await failedTask(run(plan, 'halt'))).message).toBe(error.message);
  });

  test('of an update halts, and the weights before it are kept, bit for bit', async () => {
    const plan = only(tinyPlan(), 'first');
    const task = trainOf(plan, 'first');
    delete task.evaluate;
    const sound = structuredClone(plan);
    // Finite in float64, and infinite in f32: loss and gradient of the step are finite, its update is not.
    task.schedules.learning_rate = ['if', ['==', 'step', 12], 1e300, task.schedules.learning_rate];
    const error = await failedTask(run(plan, 'update'));
    expect(error.code).toBe('R0631');
    expect(error.message).toMatch(/the update of first at step 13 of 30 was not finite: -?(Infinity|NaN) in [wm], element \d+\./);
    expect(error.message).toContain('checkpoint-12.safetensors');
    const kept = await readSafetensors(join(folderOf(join(base, 'update'), 'first'), 'checkpoint-12.safetensors'));
    expect(metrics('update', 'first').map((line) => line.step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    // What twelve steps give that nothing halted.
    const first = trainOf(sound, 'first');
    Object.assign(first, { steps: 12, hash: hashOf('twelve steps') });
    await run(sound, 'twelve');
    expect([...(kept.tensors.get('w')?.data ?? [])]).toEqual(await weights('twelve', 'first'));
    // Going on from there comes to the same step.
    expect((await failedTask(run(plan, 'update'))).message).toBe(error.message);
  });

  test('in a checkpoint is never taken for its weights', async () => {
    const plan = only(tinyPlan(), 'first');
    const task = trainOf(plan, 'first');
    delete task.evaluate;
    // The last update: no later step meets it.
    task.schedules.learning_rate = ['if', ['==', 'step', task.steps - 1], 1e300, task.schedules.learning_rate];
    expect((await failedTask(run(plan, 'last'))).message).toMatch(/the update of first at step 30 of 30 was not finite/);
    expect(readdirSync(folderOf(join(base, 'last'), 'first')).filter((name) => name.startsWith('weights'))).toEqual([]);
  });

  test('in weights to start from is an error', async () => {
    await writeSafetensors(join(base, 'start.safetensors'), [
      { name: 'w', dtype: 'f32', shape: [WIDTH], data: Float32Array.of(1, NaN, 3, 4) },
    ]);
    const plan = only(tinyPlan(), 'first');
    trainOf(plan, 'first').state[0].source = { from: 'file', file: 'start', name: 'w' };
    plan.files.start = { path: 'start.safetensors', hash: '0' };
    expect(await failure(run(plan, 'start'))).toMatchObject({ code: 'R0606' });
    const { contentHash } = await import('../../runtime/node/data/content-hash.ts');
    plan.files.start.hash = contentHash(join(base, 'start.safetensors'));
    expect(await failedTask(run(plan, 'start'))).toMatchObject({ code: 'R0612', message: 'w in start holds NaN at element 1' });
  });
});

describe('a disk', () => {
  /** Fails as a full disk does, from the first call on a path that matches. */
  const full = (pattern: RegExp): Files => {
    const error = (): Error => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', errno: -28 });
    return {
      ...diskFiles,
      write: (path, parts) => (pattern.test(path) ? Promise.reject(error()) : diskFiles.write(path, parts)),
      openAppend: async (path) => {
        const file = await diskFiles.openAppend(path);
        if (!pattern.test(path)) return file;
        return {
          ...file,
          append: async (bytes) => {
            await file.append(bytes.subarray(0, 5));
            throw error();
          },
        };
      },
    };
  };

  test.each(['checkpoint-14', 'weights', 'metrics', 'rows.jsonl', 'table.*rows$', 'table.safetensors$'])(
    'that is full at %s is an error that can be mended',
    async (pattern) => {
      const out = `full-${pattern.replace(/\W/g, '')}`;
      const error = await failure(run(tinyPlan(), out, { files: full(new RegExp(pattern)) }));
      expect(error).toMatchObject({ code: 'R0604', cure: expect.stringContaining('make room') });
      expect(readdirSync(join(base, out), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.tmp'))).toEqual([]);
      expect(await run(tinyPlan(), out)).toMatchObject({ status: 'done' });
      for (const [id, name] of [
        ['second', 'weights.safetensors'],
        ['second', 'metrics.jsonl'],
        ['seen', 'table.safetensors'],
        ['seen', 'rows.jsonl'],
      ]) {
        expect(readFileSync(join(folderOf(join(base, out), id), name))).toEqual(
          readFileSync(join(folderOf(join(base, 'whole'), id), name)),
        );
      }
    },
  );

  test('that is too small is refused before anything runs', async () => {
    const error = await failure(run(tinyPlan(), 'small', { files: { ...diskFiles, free: () => Promise.resolve(100) } }));
    expect(error).toMatchObject({ code: 'R0603', message: expect.stringContaining('has 100 B left') });
    expect(existsSync(join(base, 'small/tasks'))).toBe(false);
  });
});

describe('a folder', () => {
  test('is for one process at a time; a stale lock is taken over', async () => {
    const out = join(base, 'locked');
    mkdirSync(out);
    const unlock = await lockFolder(out);
    expect(await failure(run(tinyPlan(), 'locked'))).toMatchObject({
      code: 'R0601',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    await unlock();
    const stale = { pid: 4194303, host: hostname(), born: '1' };
    for (const lock of [JSON.stringify(stale), JSON.stringify({ ...stale, pid: process.pid }), '{']) {
      writeFileSync(join(out, 'lock'), lock);
      await (
        await lockFolder(out)
      )();
      expect(readdirSync(out)).toEqual([]);
    }
    writeFileSync(join(out, 'lock'), JSON.stringify({ ...stale, host: 'elsewhere' }));
    expect(await failure(lockFolder(out))).toMatchObject({ code: 'R0601', message: expect.stringContaining('elsewhere') });
  });

  test('with other files in it is left alone', async () => {
    mkdirSync(join(base, 'mine'));
    writeFileSync(join(base, 'mine/thesis.txt'), 'years of work');
    expect(await failure(run(tinyPlan(), 'mine', { fresh: true }))).toMatchObject({ code: 'R0608' });
    expect(readdirSync(join(base, 'mine'))).toEqual(['thesis.txt']);
  });

  test('of another adapter is refused unless the user says so', async () => {
    const plan = only(tinyPlan(), 'first');
    await run(plan, 'adapter');
    rmSync(join(folderOf(join(base, 'adapter'), 'first'), 'done.json'));
    const other = { ...device(), info: { ...device().info, name: 'another' } };
    expect(await failure(run(plan, 'adapter', { device: other }))).toMatchObject({ code: 'R0602' });
    expect(await run(plan, 'adapter', { device: other, otherAdapter: true })).toMatchObject({ ran: ['first'] });
  });
});

test('data that changed or are too few are refused before the device is touched', async () => {
  const plan = only(tinyPlan(), 'first');
  trainOf(plan, 'first').data.count = ROWS + 1;
  expect(await failure(run(plan, 'few', { device: undefined, adapter: 'no such adapter' }))).toMatchObject({ code: 'R0513' });
  const without = only(tinyPlan(), 'first');
  delete without.programs[trainOf(without, 'first').programs.portable.step];
  expect(await failure(run(without, 'few'))).toMatchObject({ code: 'R0212' });
});

test('scores tables, and writes the report last', async () => {
  const plan = tinyPlan();
  const embed = plan.tasks[2];
  if (embed.kind !== 'embed') throw new Error('the third task embeds');
  const score: Task = {
    kind: 'score',
    id: 'points',
    hash: hashOf('points'),
    needs: ['seen'],
    seed: 7,
    score: 'no such score',
    probe: 'points',
    subject: { stage: 'second' },
    tables: { fit: 'seen' },
    params: {},
  };
  const report: Task = {
    kind: 'report',
    id: 'report',
    hash: hashOf('report'),
    needs: [],
    seed: 0,
    title: 'Tiny',
    about: '',
    text: '',
    seeds: [7],
  };
  plan.tasks.unshift(report);
  plan.tasks.push(score);
  const seen: string[][] = [];
  const options: Partial<RunOptions> = {
    report: (out) => {
      seen.push(idsIn(out));
      writeFileSync(join(out, 'report.html'), '<p>');
      return Promise.resolve(join(out, 'report.html'));
    },
    summary: () => 'in sum',
  };
  // What cannot be scored fails alone, and each run tries it again.
  for (let i = 0; i < 2; i++) expect(await failedTask(run(plan, 'scored', options))).toMatchObject({ task: 'points', code: 'R0701' });
  expect(seen).toEqual(Array(2).fill(['first', 'out', 'points', 'report', 'second', 'seen']));
  expect(JSON.parse(readFileSync(join(base, 'scored/run.json'), 'utf8'))).toMatchObject({ status: 'incomplete' });
  plan.tasks.pop();
  const log = caught();
  expect((await run(plan, 'scored', { ...options, log })).ran).toEqual(['report']);
  expect(seen.length).toBe(3);
  expect(log.lines).toContain('in sum');
  expect((await run(plan, 'scored', options)).ran).toEqual([]);
});

test('the order of rows is that of the plan where it lists them', async () => {
  const plan = only(tinyPlan({ steps: 2 }), 'first');
  const task = trainOf(plan, 'first');
  const rows = [0, 1].map((step) => Array.from({ length: BATCH }, (_, i) => step * BATCH + i));
  task.order = { kind: 'given', rows };
  delete task.evaluate;
  await run(plan, 'given');
  expect(metrics('given', 'first').map((line) => line.epoch)).toEqual([BATCH / ROWS, (2 * BATCH) / ROWS]);
});
