import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import type { Node } from '../../compiler/graph/graph.ts';
import { generate } from '../../compiler/kernels/generate.ts';
import type { KernelTarget } from '../../compiler/kernels/kernel.ts';
import { testDevice } from '../support/device.ts';
import { check, expectClose, groupOf, options, randomLeaves, run, SCALARS, targetsOf } from './run.ts';

const device = testDevice();

const SHAPES = [
  [3, 5],
  [2, 4, 12],
  [5, 64],
  [700, 8],
  [1, 1000],
  [9, 33],
  [2, 3, 129],
  [3, 260],
  [2300, 12],
  [600, 20],
  [2, 1036],
  [4, 1],
  [70, 3, 16],
];

/** The target with barriers has fewer forms, and a software driver takes long to compile them. */
function targetsFor(shape: readonly number[]): KernelTarget[] {
  return targetsOf(device()).filter((target) => target.name !== 'gpu' || shape.length === 3 || shape[1] > 1000);
}

function softmax(b: GraphBuilder, x: Node): Node {
  const last = x.shape.length - 1;
  const e = b.exp(b.sub(x, b.reduceMax(x, [last], true)));
  return b.div(e, b.sum(e, [last], true));
}

describe('rows', () => {
  test.each(SHAPES.map((shape) => [shape]))('softmax with a mask over %j', async (shape) => {
    const b = new GraphBuilder();
    const x = b.input('x', shape);
    const length = shape.length;
    const mask = b.less(b.iota(shape, length - 1), b.add(b.iota(shape, length - 2), 2));
    const out = softmax(b, b.select(mask, b.mul(x, b.scalar('scale')), -1e30));
    for (const target of targetsFor(shape)) {
      const group = groupOf('rows', [out]);
      await check(device(), group, target, randomLeaves(group.reads, 1));
    }
  });

  test.each(SHAPES.map((shape) => [shape]))('a normalisation that also stores its statistics over %j', async (shape) => {
    const b = new GraphBuilder();
    const x = b.input('x', shape);
    const last = shape.length - 1;
    const mean = b.mul(b.sum(x, [last], true), 1 / shape[last]);
    const centred = b.sub(x, mean);
    const variance = b.mul(b.sum(b.mul(centred, centred), [last], true), 1 / shape[last]);
    const spread = b.sqrt(b.add(variance, 0.01));
    const out = b.add(b.mul(b.div(centred, spread), b.state('weight', [shape[last]])), b.state('bias', [shape[last]]));
    const statistics = [mean, spread].map((node) => b.reshape(node, shape.slice(0, -1)));
    for (const target of targetsFor(shape)) {
      const group = groupOf('rows', [out, ...statistics]);
      await check(device(), group, target, randomLeaves(group.reads, 2), 1e-4);
    }
  });

  test('several independent reductions over several axes, and to one number', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', [6, 5, 7]);
    const y = b.permute(b.input('y', [7, 6, 5]), [1, 2, 0]);
    const both = [b.sum(b.mul(x, y), [1, 2]), b.reduceMax(b.add(x, y), [1, 2]), b.sum(b.abs(x), [1, 2])];
    const all = b.mul(b.sum(b.mul(x, x), [0, 1, 2]), b.scalar('rate'));
    const whole = b.sum(b.cast(b.less(x, y), 'i32'), [0, 1, 2]);
    for (const target of targetsOf(device())) {
      for (const outputs of [both, [all], [whole]]) {
        const group = groupOf('rows', outputs);
        await check(device(), group, target, randomLeaves(group.reads, 3));
      }
    }
  });

  test('the result takes the place of the input', async () => {
    const b = new GraphBuilder();
    for (const shape of [
      [6, 48],
      [3, 2000],
      [9, 7],
    ]) {
      const x = b.input('x', shape);
      const out = softmax(b, x);
      const group = groupOf('rows', [out]);
      for (const target of targetsOf(device())) {
        const values = randomLeaves([x], 4);
        expect(generate(group, target, options)[0].aligned).toEqual([x]);
        const [kernel] = generate(group, target, {
          ...options,
          inPlace: new Map([[out, x]]),
        });
        expect(kernel.bindings).toEqual([x]);
        const found = await run(device(), [kernel], values);
        const apart = await run(device(), generate(group, target, options), values);
        expectClose(found.get(x) ?? [], apart.get(out) ?? [], 0, 'in place');
      }
    }
  });

  test('a reduction over what does not vary along the row', async () => {
    const b = new GraphBuilder();
    const wide = b.broadcast(b.input('x', [5, 1]), [5, 12]);
    const group = groupOf('rows', [b.sum(wide, [1]), b.sum(b.mul(wide, b.scalar('scale')), [1])]);
    for (const target of targetsOf(device())) await check(device(), group, target, randomLeaves(group.reads, 5));
    expect(SCALARS.scale).toBe(1.5);
  });

  test('the text of a small kernel', () => {
    const b = new GraphBuilder();
    const out = b.sum(b.exp(b.input('x', [16, 64])), [1]);
    const [kernel] = generate(
      groupOf('rows', [out]),
      {
        name: 'software',
        subgroup: 8,
        maxBindings: 8,
        maxWorkgroupsPerDimension: 65535,
      },
      options,
    );
    expect(kernel.workgroups).toEqual([16, 1, 1]);
    expect(kernel.wgsl).toMatchInlineSnapshot(`
      "enable subgroups;

      @group(0) @binding(0) var<storage, read_write> b0: array<vec4<f32>>;
      @group(0) @binding(1) var<storage, read_write> b1: array<f32>;

      fn pivot_nan4(x: vec4<f32>) -> vec4<bool> {
        return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
      }

      fn pivot_exp4(x: vec4<f32>, zero: u32) -> vec4<f32> {
        let k = bitcast<vec4<i32>>(fma(x, vec4<f32>(1.4426950408889634f), vec4<f32>(12582912.0))) - vec4<i32>(0x4b400000);
        let n = vec4<f32>(k);
        let part = bitcast<vec4<f32>>(bitcast<vec4<u32>>(fma(n, vec4<f32>(-0.693359375f), x)) ^ vec4<u32>(zero));
        let r = fma(n, vec4<f32>(0.00021219444f), part);
        let p = fma(fma(fma(fma(fma(fma(vec4<f32>(0.000198756915f), r, vec4<f32>(0.0013981999507f)), r, vec4<f32>(0.0083334519073f)), r, vec4<f32>(0.041665795894f)), r, vec4<f32>(0.16666665459f)), r, vec4<f32>(0.50000001201f)), r * r, r);
        var bits = bitcast<vec4<u32>>(bitcast<vec4<i32>>(p + vec4<f32>(1.0)) + (k << vec4<u32>(23u)));
        bits = select(bits, vec4<u32>(0x7f800000u), x > vec4<f32>(88.72283f));
        bits = select(bits, vec4<u32>(0u), x < vec4<f32>(-87.33654f));
        return bitcast<vec4<f32>>(select(bits, bitcast<vec4<u32>>(x), pivot_nan4(x)));
      }

      @compute @workgroup_size(8)
      fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(subgroup_invocation_id) lid: u32) {
        let row = wg.x;
        var a0 = vec4<f32>(0f);
        let x1 = row * 16u + lid;
        let v2 = b0[x1];
        let v3 = pivot_exp4(v2, wg.z);
        a0 = a0 + v3;
        let x4 = row * 16u + lid + 8u;
        let v5 = b0[x4];
        let v6 = pivot_exp4(v5, wg.z);
        a0 = a0 + v6;
        let o7 = (a0.x + a0.y) + (a0.z + a0.w);
        let r8 = subgroupAdd(o7);
        if (lid == 0u) {
          b1[row] = r8;
        }
      }
      "
    `);
  });
});
