import { afterEach, describe, expect, test } from '@jest/globals';
import type { TypedArrayOf } from '../../plan/dtypes.ts';
import type { Program } from '../../plan/program.ts';
import { Executor } from '../../runtime/core/executor/executor.ts';
import { sleepingWait } from '../../runtime/node/device/wait.ts';
import { testDevice } from '../support/device.ts';
import { kernel, program } from '../support/programs.ts';

const open = testDevice();
const made: Executor[] = [];
afterEach(() => made.splice(0).forEach((executor) => executor.destroy()));

async function make(programs: Record<string, Program>, kernels: Record<string, string>): Promise<Executor> {
  const executor = await Executor.create({ device: open().device, wait: sleepingWait, programs, kernels });
  made.push(executor);
  return executor;
}

const inputs = (values: Record<string, TypedArrayOf>): { inputs: Map<string, TypedArrayOf>; scalars: Record<string, number> } => ({
  inputs: new Map(Object.entries(values)),
  scalars: {},
});

const ADD = program({ a: ['input', 'f32', [5]], b: ['input', 'f32', [5]], sum: ['output', 'f32', [5]] }, [
  { kernel: 'add', bind: ['a', 'b', 'sum'], writes: ['sum'] },
]);
const ADD_KERNELS = { add: kernel(['f32', 'f32', 'f32'], 5, 'b2[i] = b0[i] + b1[i];') };

/** Adds the input to the state, and puts out the state doubled by way of a scratch tensor. */
const COUNT = program(
  { by: ['input', 'f32', [3]], total: ['state', 'f32', [3]], twice: ['scratch', 'f32', [3]], out: ['output', 'f32', [3]] },
  [
    { kernel: 'accumulate', bind: ['by', 'total'], writes: ['total'] },
    { kernel: 'double', bind: ['total', 'twice'], writes: ['twice'] },
    { kernel: 'copy', bind: ['twice', 'out'], writes: ['out'] },
  ],
);
const COUNT_KERNELS = {
  accumulate: kernel(['f32', 'f32'], 3, 'b1[i] += b0[i];'),
  double: kernel(['f32', 'f32'], 3, 'b1[i] = 2.0 * b0[i];'),
  copy: kernel(['f32', 'f32'], 3, 'b1[i] = b0[i];'),
};

describe('runs', () => {
  test('adds two inputs', async () => {
    const executor = await make({ add: ADD }, ADD_KERNELS);
    const run = executor.run('add', inputs({ a: new Float32Array([1, 2, 3, 4, 5]), b: new Float32Array([10, 20, 30, 40, 50]) }));
    expect([...((await run.outputs()).get('sum') ?? [])]).toEqual([11, 22, 33, 44, 55]);
  });

  test('updates state in place and keeps it between runs and roles', async () => {
    const executor = await make({ count: COUNT, again: COUNT }, COUNT_KERNELS);
    executor.writeState('total', new Float32Array([100, 200, 300]));
    executor.run('count', inputs({ by: new Float32Array([1, 2, 3]) })).discard();
    const out = (await executor.run('again', inputs({ by: new Float32Array([1, 1, 1]) })).outputs()).get('out');
    expect([...(out ?? [])]).toEqual([204, 406, 608]);
    expect([...((await executor.readState(['total'])).get('total') ?? [])]).toEqual([102, 203, 304]);
    executor.zeroState('total');
    expect([...((await executor.readState()).get('total') ?? [])]).toEqual([0, 0, 0]);
  });

  test('gives each of several runs in flight its own outputs, in whatever order they are read', async () => {
    const executor = await make({ count: COUNT }, COUNT_KERNELS);
    const runs = Array.from({ length: 8 }, (_, i) => executor.run('count', inputs({ by: new Float32Array([1, i, 0]) })));
    await executor.flush();
    const order = [5, 0, 7, 3, 1, 2, 6, 4];
    const read = await Promise.all(order.map(async (i) => [...((await runs[i].outputs()).get('out') ?? [])]));
    expect(read).toEqual(order.map((i) => [2 * (i + 1), i * (i + 1), 0]));
  });

  test('passes scalars in the order of the program', async () => {
    const names = ['rate', 'beta', 'decay', 'scale', 'last'];
    const scaled = program({ out: ['output', 'f32', [5]] }, [{ kernel: 'fill', bind: ['out'], writes: ['out'], scalars: true }], {
      scalars: names,
    });
    const executor = await make({ scaled }, { fill: kernel(['f32'], 5, 'b0[i] = s[i / 4u][i % 4u];', 5) });
    const scalars = { last: 5, rate: 1, beta: 0.5, decay: 3, scale: 4, unused: 9 };
    const out = (await executor.run('scaled', { inputs: new Map(), scalars }).outputs()).get('out');
    expect([...(out ?? [])]).toEqual([1, 0.5, 3, 4, 5]);
    expect(() => executor.run('scaled', { inputs: new Map(), scalars: { rate: 1 } })).toThrow(expect.objectContaining({ code: 'R0123' }));
  });

  test('derives offsets and order of an index input', async () => {
    const derived = program(
      { offsets: ['input', 'i32', [5]], order: ['input', 'i32', [6]], o: ['output', 'i32', [5]], p: ['output', 'i32', [6]] },
      [
        { kernel: 'five', bind: ['offsets', 'o'], writes: ['o'] },
        { kernel: 'six', bind: ['order', 'p'], writes: ['p'] },
      ],
      {
        inputs: [
          { name: 'ids', dtype: 'i32', shape: [6] },
          { name: 'offsets', dtype: 'i32', shape: [5], derive: { kind: 'group', of: 'ids', rows: 4, part: 'offsets' } },
          { name: 'order', dtype: 'i32', shape: [6], derive: { kind: 'group', of: 'ids', rows: 4, part: 'order' } },
        ],
      },
    );
    const executor = await make(
      { derived },
      { five: kernel(['i32', 'i32'], 5, 'b1[i] = b0[i];'), six: kernel(['i32', 'i32'], 6, 'b1[i] = b0[i];') },
    );
    const out = await executor.run('derived', inputs({ ids: new Int32Array([3, 0, 3, 1, 0, 3]) })).outputs();
    expect([...(out.get('o') ?? [])]).toEqual([0, 2, 3, 3, 6]);
    expect([...(out.get('p') ?? [])]).toEqual([1, 4, 3, 0, 2, 5]);
    const bad = inputs({ ids: new Int32Array([3, 0, 4, 1, 0, 3]) });
    expect(() => executor.run('derived', bad)).toThrow(
      expect.objectContaining({ code: 'R0122', message: expect.stringContaining('4 at position 2') }),
    );
  });

  test('shares kernels and scratch between roles', async () => {
    const executor = await make({ count: COUNT, more: COUNT, add: ADD }, { ...COUNT_KERNELS, ...ADD_KERNELS });
    expect(executor.memory()).toEqual({ state: 256, scratch: 256, inputs: 512 + 16, outputs: 256 });
  });
});

describe('looking into a run', () => {
  const DIVIDE = program({ x: ['input', 'f32', [4]], root: ['scratch', 'f32', [4]], out: ['output', 'f32', [4]] }, [
    { kernel: 'double', bind: ['x', 'root'], writes: ['root'] },
    { kernel: 'reciprocal', bind: ['root', 'out'], writes: ['out'] },
  ]);
  const KERNELS = {
    double: kernel(['f32', 'f32'], 4, 'b1[i] = 2.0 * b0[i];'),
    reciprocal: kernel(['f32', 'f32'], 4, 'b1[i] = 1.0 / b0[i];'),
  };

  test('traces a bad number to the tensor where it was made', async () => {
    const executor = await make({ divide: DIVIDE }, KERNELS);
    const seen = [];
    for await (const traced of executor.trace('divide', inputs({ x: new Float32Array([1, 2, 0, -4]) }))) seen.push(traced);
    expect(seen).toEqual([
      { dispatch: 0, label: 'double', name: 'root', min: -8, max: 4 },
      { dispatch: 1, label: 'reciprocal', name: 'out', min: -0.125, max: 0.5, firstBad: { index: 2, value: Infinity } },
    ]);
  });

  test('times every label', async () => {
    const executor = await make({ divide: DIVIDE }, KERNELS);
    const timings = await executor.timings('divide', inputs({ x: new Float32Array(4) }));
    expect(timings.map(({ label, dispatches }) => `${label} ${dispatches}`).sort()).toEqual(['double 1', 'reciprocal 1']);
    for (const { ms } of timings) expect(ms).toBeGreaterThanOrEqual(0);
  });
});

describe('refusals', () => {
  test('a missing input, a wrong type and a wrong length are named', async () => {
    const executor = await make({ add: ADD }, ADD_KERNELS);
    const a = new Float32Array(5);
    expect(() => executor.run('add', inputs({ a }))).toThrow(
      expect.objectContaining({ code: 'R0120', message: expect.stringContaining('input b') }),
    );
    expect(() => executor.run('add', inputs({ a, b: new Int32Array(5) }))).toThrow(
      expect.objectContaining({ code: 'R0121', message: expect.stringContaining('f32, but i32') }),
    );
    expect(() => executor.run('add', inputs({ a, b: new Float32Array(4) }))).toThrow(
      expect.objectContaining({ code: 'R0121', message: expect.stringContaining('but 4') }),
    );
    expect(() => executor.run('nothing', inputs({}))).toThrow(expect.objectContaining({ code: 'R0124' }));
    expect(() => executor.writeState('nothing', a)).toThrow(expect.objectContaining({ code: 'R0125' }));
  });

  test('programs that disagree about a state tensor do not start', async () => {
    const other = program({ total: ['state', 'f32', [4]] }, []);
    await expect(make({ count: COUNT, other }, COUNT_KERNELS)).rejects.toMatchObject({
      code: 'R0125',
      message: expect.stringContaining('f32 [3]'),
    });
  });

  test('a program that binds a tensor twice or lies outside of its slab is inconsistent', async () => {
    const twice = program({ x: ['scratch', 'f32', [4]] }, [{ kernel: 'copy', bind: ['x', 'x'], writes: ['x'] }]);
    await expect(make({ twice }, COUNT_KERNELS)).rejects.toMatchObject({ code: 'R0127' });
    const outside = { ...COUNT, slabs: [0] };
    await expect(make({ outside }, COUNT_KERNELS)).rejects.toMatchObject({
      code: 'R0127',
      message: expect.stringContaining('twice lies at byte 0'),
    });
  });

  test('a tensor larger than one binding is refused before anything is allocated', async () => {
    const huge = program({ table: ['state', 'f32', [2 ** 31]] }, []);
    await expect(make({ huge }, {})).rejects.toMatchObject({ code: 'R0126', message: expect.stringContaining('table') });
  });

  test('a kernel that does not compile is named, with its line', async () => {
    const broken = kernel(['f32', 'f32', 'f32'], 5, 'b2[i] = nonsense(b0[i]);');
    await expect(make({ add: ADD }, { add: broken })).rejects.toMatchObject({
      code: 'R0112',
      message: expect.stringMatching(/kernel of add .*line 8.*[^]*nonsense\(b0\[i\]\)/),
    });
    await expect(make({ add: ADD }, {})).rejects.toMatchObject({ code: 'R0127', message: expect.stringContaining('missing') });
  });

  test('what the device refuses is thrown at the next occasion, once', async () => {
    const { device } = open();
    const executor = await make({ count: COUNT }, COUNT_KERNELS);
    device.createBuffer({ size: 16, usage: 0xffff });
    await expect(executor.flush()).rejects.toMatchObject({ code: 'R0111' });
    const out = (await executor.run('count', inputs({ by: new Float32Array([1, 2, 3]) })).outputs()).get('out');
    expect([...(out ?? [])]).toEqual([2, 4, 6]);
  });

  test('a dispatch that is too large for the device is thrown where its outputs are read', async () => {
    const wide = program({ out: ['output', 'f32', [4]] }, [{ kernel: 'fill', bind: ['out'], writes: ['out'], workgroups: [1e6, 1, 1] }]);
    const executor = await make({ wide }, { fill: kernel(['f32'], 4, 'b0[i] = 1.0;') });
    await expect(executor.run('wide', inputs({})).outputs()).rejects.toMatchObject({ code: 'R0111' });
  });

  test('an executor that was destroyed says so', async () => {
    const executor = await make({ count: COUNT }, COUNT_KERNELS);
    executor.destroy();
    expect(() => executor.zeroState('total')).toThrow(expect.objectContaining({ code: 'R0128' }));
  });
});
