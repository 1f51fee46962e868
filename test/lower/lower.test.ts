import { describe, expect, test } from '@jest/globals';
import { transformerStep } from '../../bench/transformer-block.ts';
import { evaluate } from '../../compiler/graph/evaluate.ts';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { TARGETS, targetNamed } from '../../compiler/lower/targets.ts';
import { PivotError } from '../../plan/errors.ts';
import { elements } from '../../plan/dtypes.ts';
import { testDevice } from '../support/device.ts';
import { Random } from '../support/random.ts';
import { randomGraph } from '../support/random-graph.ts';
import { differences, runGraph, targetOf } from '../support/run-graph.ts';

const open = testDevice();
const TOLERANCE = 2e-4;

describe('programs on the device equal the oracle', () => {
  for (let seed = 0; seed < 12; seed++) {
    const training = seed % 2 === 1;
    test(`random graph ${seed}${training ? ' as a training step' : ''}, fused and not`, async () => {
      const { graph, bindings } = randomGraph({ seed, training, smooth: training });
      const wanted = evaluate(graph, bindings);
      for (const fuse of [true, false])
        expect(differences(await runGraph(open(), graph, bindings, { fuse }), wanted, TOLERANCE)).toEqual([]);
    });
  }

  test('a random graph for the portable target', async () => {
    const { graph, bindings } = randomGraph({ seed: 101, training: true, smooth: true });
    const found = await runGraph(open(), graph, bindings, { fuse: true, target: TARGETS.portable });
    expect(differences(found, evaluate(graph, bindings), TOLERANCE)).toEqual([]);
  });

  test('one training step of a transformer block', async () => {
    const { graph, weights } = transformerStep({ batch: 2, tokens: 6, width: 8, heads: 2, inner: 12 });
    const random = new Random(5);
    const state: Record<string, Float32Array> = {};
    for (const [name, { shape }] of weights) {
      state[name] = random.floats(elements(shape)).map((x) => x * 0.3);
      state[`m:${name}`] = random.floats(elements(shape)).map((x) => x * 0.1);
      state[`v:${name}`] = random.floats(elements(shape)).map((x) => 0.01 + x * x);
    }
    const input = { x: random.floats(96), target: random.floats(96) };
    const bindings = { input, state, scalar: { rate: 0.01, root: 0.5, size: 0.02 } };
    const wanted = evaluate(graph, bindings);
    for (const fuse of [true, false]) expect(differences(await runGraph(open(), graph, bindings, { fuse }), wanted, TOLERANCE)).toEqual([]);
  });
});

describe('states', () => {
  const values = { w: [1, 2, 3, 4, 5], m: [0.5, 1, 1.5, 2, 2.5], g: [1, -1, 2, -2, 3] };

  async function check(graph: Graph, copies: number): Promise<void> {
    const bindings = { input: { g: values.g }, state: { w: values.w, m: values.m }, scalar: { rate: 0.1 } };
    const { program } = lower(graph, targetOf(open()), { fuse: true, name: 'step' });
    expect(program.dispatches).toHaveLength(1 + copies);
    const wanted = evaluate(graph, bindings);
    for (const fuse of [true, false])
      expect(differences(await runGraph(open(), graph, bindings, { fuse, simplify: false }), wanted, 1e-6)).toEqual([]);
  }

  test('are updated in place, a momentum used by the weight in the same kernel', async () => {
    const b = new GraphBuilder();
    const [w, m, g] = [b.state('w', [5]), b.state('m', [5]), b.input('g', [5])];
    const momentum = b.add(b.mul(m, 0.9), b.mul(g, 0.1));
    const graph: Graph = {
      outputs: [
        { kind: 'state', name: 'm', node: momentum },
        { kind: 'state', name: 'w', node: b.sub(w, b.mul(b.scalar('rate'), momentum)) },
      ],
    };
    await check(graph, 0);
    const { program } = lower(graph, targetOf(open()), { fuse: true, name: 'step' });
    expect(program.slabs).toEqual([]);
    expect(program.dispatches[0].bindings).toHaveLength(3);
  });

  test('that exchange their values', async () => {
    const b = new GraphBuilder();
    const [w, m] = [b.state('w', [5]), b.state('m', [5])];
    await check(
      {
        outputs: [
          { kind: 'state', name: 'w', node: m },
          { kind: 'state', name: 'm', node: w },
        ],
      },
      0,
    );
  });

  test('whose old value is read at other coordinates are copied at the end', async () => {
    const b = new GraphBuilder();
    const w = b.state('w', [5]);
    const turned = b.concat([b.slice(w, [1], [4]), b.slice(w, [0], [1])], 0);
    await check({ outputs: [{ kind: 'state', name: 'w', node: b.add(turned, b.input('g', [5])) }] }, 1);
  });

  test('that take one new value together, which is an output as well', async () => {
    const b = new GraphBuilder();
    const next = b.add(b.state('w', [5]), b.input('g', [5]));
    const graph: Graph = {
      outputs: [
        { kind: 'state', name: 'w', node: next },
        { kind: 'state', name: 'm', node: next },
        { kind: 'output', name: 'y', node: b.reshape(next, [1, 5]) },
        { kind: 'output', name: 'z', node: b.input('g', [5]) },
      ],
    };
    const bindings = { input: { g: values.g }, state: { w: values.w, m: values.m } };
    const found = await runGraph(open(), graph, bindings, { fuse: true, simplify: false });
    expect(differences(found, evaluate(graph, bindings), 1e-6)).toEqual([]);
  });

  test('whose new value is the old one cost nothing', () => {
    const b = new GraphBuilder();
    const w = b.state('w', [5]);
    const graph: Graph = {
      outputs: [
        { kind: 'state', name: 'w', node: w },
        { kind: 'output', name: 'y', node: b.mul(w, 2) },
      ],
    };
    expect(lower(graph, TARGETS.portable, { fuse: true, name: 'x' }).program.dispatches).toHaveLength(1);
  });
});

describe('a program', () => {
  test('lists inputs, derived inputs, outputs, scalars and tensors by name', () => {
    const b = new GraphBuilder();
    const tokens = b.input('tokens', [2, 3], 'i32');
    const scaled = b.withLabel('net.scaled', () => b.mul(b.input('dy', [2, 3, 4]), b.scalar('rate')));
    const graph: Graph = { outputs: [{ kind: 'output', name: 'table', node: b.scatterAdd(scaled, tokens, 7) }] };
    const { program, kernels } = lower(graph, TARGETS.portable, { fuse: true, name: 'step' });
    expect(program.inputs).toEqual([
      { name: 'dy', dtype: 'f32', shape: [2, 3, 4] },
      { name: 'tokens', dtype: 'i32', shape: [2, 3] },
      { name: 'tokens.offsets.7', dtype: 'u32', shape: [8], derive: { kind: 'group', of: 'tokens', rows: 7, part: 'offsets' } },
      { name: 'tokens.order.7', dtype: 'u32', shape: [6], derive: { kind: 'group', of: 'tokens', rows: 7, part: 'order' } },
    ]);
    expect(program.outputs).toEqual([{ name: 'table', dtype: 'f32', shape: [7, 4] }]);
    expect(program.scalars).toEqual(['rate']);
    expect(program.tensors.map(({ name, memory }) => `${name} ${memory.kind}`)).toContain('net.scaled scratch');
    for (const { kernel } of program.dispatches) expect(kernels[kernel]).toContain('fn main');
  });

  test('is the same whenever it is compiled', () => {
    const make = (): string => {
      const { graph } = transformerStep({ batch: 2, tokens: 4, width: 8, heads: 2, inner: 8 });
      return JSON.stringify(lower(graph, TARGETS['software-8'], { fuse: true, name: 'step' }));
    };
    expect(make()).toBe(make());
  });

  test('with a tensor beyond the limit of a binding is refused', () => {
    const b = new GraphBuilder();
    const big = b.withLabel('head.logits', () => b.einsum('i, j -> i j', b.input('x', [8192]), b.state('w', [8192])));
    const graph: Graph = { outputs: [{ kind: 'output', name: 'y', node: b.einsum('i j, i -> j', big, b.input('x', [8192])) }] };
    expect(() => lower(graph, TARGETS.portable, { fuse: true, name: 'step' })).toThrow(/head\.logits takes 256 MiB/);
  });

  test('writes a kernel for each constant, and one for equal work', () => {
    const made = (values: number[]): number => {
      const b = new GraphBuilder();
      const graph: Graph = {
        outputs: values.map((value, i) => ({ kind: 'output', name: `y${i}`, node: b.max(b.input(`x${i}`, [300_000]), value) })),
      };
      const { program, kernels } = lower(graph, TARGETS.portable, { fuse: true, name: 'x' });
      expect(program.dispatches).toHaveLength(values.length);
      return Object.keys(kernels).length;
    };
    expect(made([-1e30, 1e30, -0.5])).toBe(3);
    expect(made([2, 2, 2])).toBe(1);
  });

  test('for an unknown target is refused', () => {
    expect(() => targetNamed('quantum')).toThrow(PivotError);
    expect(targetNamed('software-8').subgroup).toBe(8);
  });
});
