/** What a run says while it works: lines, rates, forecasts. */
import { describe, expect, test } from '@jest/globals';
import type { Progress } from '../../runtime/core/log.ts';
import { Pace } from '../../runtime/core/train/pace.ts';
import { diskBytesOf, flopsOf } from '../../runtime/node/run/estimate.ts';
import { Forecast, withForecast, workOf } from '../../runtime/node/run/forecast.ts';
import { plainLog } from '../../runtime/node/run/log.ts';
import { taskTable } from '../../runtime/node/run/summary.ts';
import { bytes, duration, flops } from '../../runtime/node/run/words.ts';
import { tinyPlan } from '../support/tiny-plan.ts';

/** Lines of a loop of `total` steps, one each `seconds`. */
function linesOf(total: number, seconds: number, more: Partial<Progress> = {}): string[] {
  const lines: string[] = [];
  let clock = 0;
  const log = plainLog(
    (line) => lines.push(line),
    () => clock,
  );
  for (let done = 1; done <= total; done++) {
    log.progress({ task: 'a', doing: 'training', done, total, unit: 'steps', ...more });
    clock += seconds * 1000;
  }
  log.progress(undefined);
  return lines;
}

describe('plain lines', () => {
  test('a short loop says nothing', () => expect(linesOf(500, 0.01)).toEqual([]));

  test('a long one speaks every tenth, and at its end', () => {
    const lines = linesOf(100, 3);
    expect(lines.map((line) => Number(/(\d+)\/100/.exec(line)?.[1]))).toEqual([11, 21, 31, 41, 51, 61, 71, 81, 91, 100]);
  });

  test('a very long one speaks every half minute', () => expect(linesOf(20_000, 0.5)).toHaveLength(Math.floor((20_000 * 0.5) / 30) + 1));

  test('with rate, rows, and what is left', () => {
    const more = { rate: 3.125, rows: 100, remaining: 130, remainingRun: 7000, note: 'loss 0.6931' };
    expect(linesOf(100, 3, more)[0]).toBe(
      'a: training 11/100 steps, loss 0.6931, 3.13 steps/s, 100 rows/s, 2 min left (whole run 1 h 57 min)',
    );
  });
});

test('the rate leaves out the first step and evaluations', () => {
  let clock = 0;
  const pace = new Pace(() => clock);
  clock = 60_000;
  expect(pace.at(1, 10)).toEqual({});
  clock += 2000;
  expect(pace.at(2, 10)).toEqual({ rate: 0.5, remaining: 16 });
  clock += 9000;
  pace.leaveOut(8000);
  expect(pace.at(3, 10)).toEqual({ rate: 2 / 3, remaining: 10.5 });
});

test('the forecast of a run follows the speed of the present task', () => {
  const forecast = new Forecast(
    new Map([
      ['a', { flops: 100, kernels: 0, fit: 0 }],
      ['b', { flops: 300, kernels: 0, fit: 0 }],
    ]),
    10,
  );
  expect(forecast.total()).toBe(40);
  // Half of a is left and takes 10 s: 5 a second, so b takes 60.
  expect(forecast.remaining('a', 0.5, 10)).toBe(70);
  forecast.end('a');
  expect(forecast.total()).toBe(60);
});

test('the forecast counts kernels and fits, and follows what they take', () => {
  const work = { flops: 100, kernels: 10, fit: 0 };
  const forecast = new Forecast(
    new Map(Object.entries({ a: work, b: work, c: { flops: 0, kernels: 0, fit: 8e8 }, d: { flops: 0, kernels: 0, fit: 8e8 } })),
    10,
  );
  expect(forecast.parts()).toEqual([20, 0.4, 4]);
  // 2 s a kernel: 5 are left of a, 10 of b.
  expect(forecast.compiling('a', 5, 5, 10)).toBe(20 + 30 + 4);
  // a trains: its kernels are compiled.
  expect(forecast.remaining('a', 0, 10)).toBe(10 + 10 + 20 + 4);
  forecast.end('a');
  forecast.end('c', 8);
  expect(forecast.fit('d')).toBe(8);
  expect(forecast.total()).toBe(10 + 20 + 8);
});

test('compiling shows what the whole run needs', () => {
  const seen: (Progress | undefined)[] = [];
  let clock = 0;
  const forecast = new Forecast(new Map([['a', { flops: 100, kernels: 4, fit: 0 }]]), 10);
  const log = withForecast({ line: () => undefined, progress: (one) => seen.push(one) }, forecast, () => clock);
  for (let done = 1; done <= 4; done++) {
    log.progress({ task: 'a', doing: 'compiling', done, total: 4, unit: 'kernels' });
    clock += 3000;
  }
  expect(seen.map((one) => one?.remainingRun)).toEqual([10 + 3 * 0.02, 10 + 2 * 1.5, 10 + 2, 10]);
});

test('the work of a run has each kernel once, where it is first compiled', () => {
  const plan = tinyPlan({ micro: 4, reference: true });
  const [target] = plan.targets;
  const all = workOf(plan, plan.tasks, target.name);
  const kernels = new Set(Object.values(plan.programs).flatMap(({ dispatches }) => dispatches.map(({ kernel }) => kernel)));
  const [first, ...others] = [...all.values()].map((work) => work.kernels);
  expect(first).toBeGreaterThan(0);
  expect(others.reduce((n, one) => n + one, first)).toBeLessThanOrEqual(kernels.size);
  expect([...all.values()].map(({ flops: work }) => work)).toEqual(plan.tasks.map((task) => flopsOf(plan, task, target.name)));
});

test('work and room of tasks come from their programs and tensors', () => {
  const plan = tinyPlan({ micro: 4, reference: true });
  const [, second, seen, out] = plan.tasks;
  if (second.kind !== 'train' || seen.kind !== 'embed') throw new Error('the plan trains, then embeds');
  const give = (task: typeof second | typeof seen, role: string, count: number): void =>
    void (plan.programs[task.programs.portable[role]].flops = count);
  give(second, 'micro', 100);
  give(second, 'update', 10);
  give(second, 'forward', 1000);
  give(second, 'forward.rest', 1);
  give(second, 'reference', 40_000);
  // 30 steps in two parts; evaluations at 0, 10, 20, 30 over 12 full batches and one of 2; the reference over 2 x 50 rows in batches of 4.
  expect(flopsOf(plan, second, 'portable')).toBe(30 * 210 + 4 * 12_001 + 25 * 40_000);
  expect(flopsOf(plan, out, 'portable')).toBe(0);
  // w and m three times, w once more; two tables of 2 x 50 rows of 8 bytes.
  expect(diskBytesOf(plan, second, 'portable')).toBe(3 * 32 + 16 + 2 * 100 * 8);
  expect(diskBytesOf(plan, seen, 'portable')).toBe(2 * 50 * 4);
});

test('numbers as people read them', () => {
  expect([0.04, 9.96, 59, 99, 100, 5940, 6000, Infinity].map(duration)).toEqual([
    '0.0 s',
    '10.0 s',
    '59 s',
    '99 s',
    '2 min',
    '99 min',
    '1 h 40 min',
    'unknown',
  ]);
  expect([0, 999, 1000, 812_345, 3.44e9].map(bytes)).toEqual(['0 B', '999 B', '1.0 kB', '812 kB', '3.4 GB']);
  expect(flops(1.23e12)).toBe('1.2 TFLOP');
});

test('the table of tasks', () => {
  const [first, , seen] = tinyPlan().tasks;
  expect(
    taskTable([
      { task: first, how: 'reused', seconds: 3 },
      { task: seen, how: 'done', seconds: 200 },
    ]),
  ).toEqual([
    'task   kind   work                time',
    'first  train  30 steps of 8 rows  finished before (3.0 s)',
    'seen   embed  50 rows             3 min',
  ]);
});
