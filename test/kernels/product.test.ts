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

  test('long sums, in one level and in two', async () => {
    // 64 blocks in runs of 16, and two steps over; 90 blocks in runs of 15; 67 blocks, which have no fitting divisor.
    for (const k of [258, 360, 268]) await everywhere([multiply('k m, k n', 'm n', 6, 36, k)], k);
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
    const flat = b.expand(b.input('f', [8, 1]), [8, 12]);
    await everywhere([b.einsum('i o, j o -> i j', flat, b.input('g', [12, 12]))], 10, ['portable', 'gpu', 'software']);
    await everywhere([b.einsum('j o, i o -> j i', b.input('g', [12, 12]), flat)], 10);
    await everywhere([b.einsum('o i, o j -> i j', b.permute(flat, [1, 0]), b.input('g', [12, 12]))], 10);
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

  test('the text of a small kernel', () => {
    const b = new GraphBuilder();
    const x = b.einsum('m k, k n -> m n', b.input('x', [8, 16]), b.input('y', [16, 32]));
    const group = groupOf('product', [b.add(x, b.input('bias', [32]))]);
    const [kernel] = generate(group, { name: 'software', subgroup: 4, maxBindings: 8, maxWorkgroupsPerDimension: 65535 }, options);
    expect(kernel.workgroups).toEqual([4, 1, 1]);
    expect(kernel.wgsl).toMatchInlineSnapshot(`
      "enable subgroups;

      @group(0) @binding(0) var<storage, read_write> b0: array<vec4<f32>>;
      @group(0) @binding(1) var<storage, read_write> b1: array<vec4<f32>>;
      @group(0) @binding(2) var<storage, read_write> b2: array<vec4<f32>>;
      @group(0) @binding(3) var<storage, read_write> b3: array<vec4<f32>>;

      @compute @workgroup_size(4)
      fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_invocation_id) lid: u32) {
        let w = wg.x;
        var c0 = vec4<f32>(0f);
        var c1 = vec4<f32>(0f);
        var c2 = vec4<f32>(0f);
        var c3 = vec4<f32>(0f);
        let x4 = w / 2u;
        let x5 = x4 * 16u + lid * 4u;
        let x8 = w % 2u;
        let x9 = x8 * 4u + lid;
        let x12 = x8 * 4u + lid + 8u;
        let x15 = x8 * 4u + lid + 16u;
        let x18 = x8 * 4u + lid + 24u;
        for (var k = wg.z; k < 4u; k++) {
          let x6 = x5 + k;
          let v7 = b0[x6];
          let x10 = x9 + k * 32u;
          let v11 = b1[x10];
          let x13 = x12 + k * 32u;
          let v14 = b1[x13];
          let x16 = x15 + k * 32u;
          let v17 = b1[x16];
          let x19 = x18 + k * 32u;
          let v20 = b1[x19];
          let a21 = subgroupBroadcast(v7, 0u);
          c0 += a21.x * v11 + a21.y * v14 + a21.z * v17 + a21.w * v20;
          let a22 = subgroupBroadcast(v7, 1u);
          c1 += a22.x * v11 + a22.y * v14 + a22.z * v17 + a22.w * v20;
          let a23 = subgroupBroadcast(v7, 2u);
          c2 += a23.x * v11 + a23.y * v14 + a23.z * v17 + a23.w * v20;
          let a24 = subgroupBroadcast(v7, 3u);
          c3 += a24.x * v11 + a24.y * v14 + a24.z * v17 + a24.w * v20;
        }
        let x25 = x8 * 4u + lid;
        let v26 = b2[x25];
        let v27 = (c0 + v26);
        let x28 = x4 * 32u + x8 * 4u + lid;
        b3[x28] = v27;
        let v29 = (c1 + v26);
        let x30 = x4 * 32u + x8 * 4u + lid + 8u;
        b3[x30] = v29;
        let v31 = (c2 + v26);
        let x32 = x4 * 32u + x8 * 4u + lid + 16u;
        b3[x32] = v31;
        let v33 = (c3 + v26);
        let x34 = x4 * 32u + x8 * 4u + lid + 24u;
        b3[x34] = v33;
      }
      "
    `);
  });
});
