import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import type { Node } from '../../compiler/graph/graph.ts';
import { generate } from '../../compiler/kernels/generate.ts';
import { testDevice } from '../support/device.ts';
import { check, expectClose, groupOf, options, randomLeaves, run, targetsOf } from './run.ts';

const device = testDevice();

const SIZES = [
  [1, 1, 1],
  [1, 40, 12],
  [17, 8, 1],
  [5, 7, 9],
  [33, 36, 20],
  [20, 70, 130],
  [3, 200, 5],
];

const LAYOUTS = ['m k, k n', 'm k, n k', 'k m, k n', 'k m, n k'];

async function everywhere(outputs: Node[], seed: number, names: readonly string[] = ['portable', 'software']): Promise<void> {
  for (const target of targetsOf(device())) {
    if (!names.includes(target.name)) continue;
    const group = groupOf('product', outputs);
    await check(device(), group, target, randomLeaves(group.reads, seed), 1e-5);
  }
}

function multiply(operands: string, result: string, m: number, n: number, k: number): Node {
  const b = new GraphBuilder();
  const sizes: Record<string, number> = { m, n, k };
  const [x, y] = operands.split(', ').map((labels, i) =>
    b.input(
      `x${i}`,
      labels.split(' ').map((label) => sizes[label]),
    ),
  );
  return b.einsum(`${operands} -> ${result}`, x, y);
}

describe('product', () => {
  test.each(SIZES)('rows by columns by depth: %d, %d, %d in every layout', async (m, n, k) => {
    for (const layout of LAYOUTS) await everywhere([multiply(layout, 'm n', m, n, k)], m + n + k);
    await everywhere([multiply(LAYOUTS[0], 'n m', m, n, k)], m, ['software']);
  });

  // Few sizes: a software driver takes a second to compile a kernel with barriers.
  test.each([
    [5, 7, 9],
    [40, 68, 36],
  ])('tiles in workgroup memory: %d, %d, %d in every layout', async (m, n, k) => {
    for (const layout of LAYOUTS) await everywhere([multiply(layout, 'm n', m, n, k)], m + n + k, ['gpu']);
  });

  test.each([
    ['b h q d, b h k d -> b h q k', [2, 3, 20, 8], [2, 3, 12, 8]],
    ['b q h d, b k h d -> b h q k', [2, 9, 3, 8], [2, 12, 3, 8]],
    ['b h q k, b k h d -> b q h d', [2, 3, 5, 12], [2, 12, 3, 16]],
    ['b q h d, h d o -> b q o', [2, 9, 3, 8], [3, 8, 20]],
    ['b h q d, h d o -> b q o', [2, 3, 9, 8], [3, 8, 20]],
    ['b t i, i h d -> b h t d', [2, 17, 12], [12, 2, 8]],
    ['b t i, b t o -> i o', [3, 11, 20], [3, 11, 8]],
    ['b t i, b t h d -> h d i', [3, 7, 12], [3, 7, 2, 8]],
    ['i, j -> i j', [6], [9]],
    ['i, i ->', [37], [37]],
    ['b i, b i -> b', [6, 20], [6, 20]],
    ['b i, b j -> i b j', [3, 5], [3, 8]],
    ['b i, b j -> i j b', [3, 5], [3, 8]],
    ['b i k, k -> b i', [3, 20, 12], [12]],
    ['k, k o -> o', [33], [33, 40]],
  ])('%s', async (spec, a, c) => {
    const b = new GraphBuilder();
    await everywhere(
      [b.einsum(spec, b.input('x', a), b.input('y', c))],
      7,
      spec.startsWith('b') ? undefined : ['portable', 'gpu', 'software'],
    );
  });

  test('operands that are views, and views of views', async () => {
    const b = new GraphBuilder();
    const fused = b.input('qkv', [2, 10, 72]);
    const part = (i: number) => b.permute(b.reshape(b.slice(fused, [0, 0, 24 * i], [2, 10, 24]), [2, 10, 3, 8]), [0, 2, 1, 3]);
    await everywhere([b.einsum('b h q d, b h k d -> b h q k', part(0), part(1))], 8);
    const repeated = b.expand(b.reshape(b.input('w', [8, 12]), [1, 8, 12]), [3, 8, 12]);
    await everywhere([b.einsum('n i, n i o -> n o', b.input('x', [3, 8]), repeated)], 9);
    await everywhere([b.einsum('i o, j o -> i j', b.pad(b.input('p', [5, 8]), [2, 0], [10, 8]), b.input('q', [12, 8]))], 10);
  });

  test('work on the result: bias, activation, residual, and several outputs', async () => {
    for (const [m, n] of [
      [20, 24],
      [9, 10],
    ]) {
      const b = new GraphBuilder();
      const x = b.input('x', [m, 16]);
      const pre = b.add(b.einsum('t i, i o -> t o', x, b.state('w', [16, n])), b.state('bias', [n]));
      const act = b.mul(b.mul(pre, 0.5), b.add(b.erf(b.mul(pre, Math.SQRT1_2)), 1));
      const out = b.add(b.mul(act, b.scalar('scale')), b.input('residual', [m, n]));
      await everywhere([pre, out], 11);
    }
  });

  test('the result takes the place of a tensor that its epilogue reads', async () => {
    for (const n of [24, 10]) {
      const b = new GraphBuilder();
      const w = b.state('w', [12, n]);
      const gradient = b.einsum('t i, t o -> i o', b.input('x', [20, 12]), b.input('dy', [20, n]));
      const out = b.sub(w, b.mul(gradient, b.scalar('rate')));
      const group = groupOf('product', [out]);
      for (const target of targetsOf(device())) {
        const values = randomLeaves(group.reads, 12);
        expect(generate(group, target, options)[0].aligned).toEqual([w]);
        const found = await run(device(), generate(group, target, { ...options, inPlace: new Map([[out, w]]) }), values);
        const apart = await run(device(), generate(group, target, options), values);
        expectClose(found.get(w) ?? [], apart.get(out) ?? [], 0, 'in place');
      }
    }
  });

  test('a long sum with few results is cut along its depth on a GPU', async () => {
    for (const n of [10]) {
      const b = new GraphBuilder();
      const sum = b.einsum('t i, t o -> i o', b.input('x', [1500, 20]), b.input('dy', [1500, n]));
      const out = b.add(sum, b.state('bias', [n]));
      const group = groupOf('product', [out, sum]);
      for (const target of targetsOf(device())) {
        const kernels = await check(device(), group, target, randomLeaves(group.reads, 13));
        expect(kernels).toHaveLength(target.name === 'gpu' ? 2 : 1);
      }
    }
  });

  test('more workgroups than one dimension holds', async () => {
    const b = new GraphBuilder();
    const out = b.einsum('b i k, b k j -> b i j', b.input('x', [3, 70, 5]), b.input('y', [3, 5, 70]));
    const group = groupOf('product', [out]);
    for (const target of targetsOf(device()))
      await check(device(), group, { ...target, maxWorkgroupsPerDimension: 4 }, randomLeaves(group.reads, 14));
  });
});
