import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { generate } from '../../compiler/kernels/generate.ts';
import { testDevice } from '../support/device.ts';
import { check, expectClose, groupOf, options, randomLeaves, run, targetsOf } from './run.ts';

const device = testDevice();

describe('map', () => {
  test.each([[[7]], [[8]], [[3, 5]], [[4, 12]], [[2, 3, 8]], [[65, 129]], [[1]], [[]]])(
    'elementwise work with broadcasting over %j',
    async (shape) => {
      const b = new GraphBuilder();
      const [x, y] = [b.input('x', shape), b.state('y', shape)];
      const bias = b.input('bias', shape.slice(-1));
      const out = b.tanh(b.add(b.mul(x, b.scalar('scale')), b.mul(b.erf(y), bias)));
      const chosen = b.select(b.less(x, y), out, b.neg(out));
      for (const target of targetsOf(device())) {
        const group = groupOf('map', [out, chosen]);
        await check(device(), group, target, randomLeaves(group.reads, 1));
      }
    },
  );

  test('movement of every kind, pushed to the loads', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', [3, 4, 10]);
    const moved = [
      b.permute(x, [2, 0, 1]),
      b.reshape(b.permute(x, [1, 0, 2]), [12, 10]),
      b.slice(x, [1, 1, 2], [2, 3, 8]),
      b.pad(x, [0, 1, 2], [4, 6, 16]),
      b.pad(x, [0, 2, 4], [3, 6, 16]),
      b.pad(b.input('short', [2]), [1], [4]),
      b.reshape(b.slice(b.reshape(x, [12, 10]), [0, 4], [12, 4]), [6, 8]),
      b.concat([x, b.neg(x), b.exp(x)], 1),
      b.concat([b.slice(x, [0, 0, 0], [3, 4, 8]), b.slice(x, [0, 0, 3], [3, 4, 4])], 2),
      b.concat([x, b.slice(x, [0, 0, 3], [3, 4, 3])], 2),
      b.cast(b.iota([5, 8], 1), 'f32'),
      b.cast(b.reshape(b.iota([8, 3], 0), [2, 12]), 'f32'),
    ];
    for (const target of targetsOf(device())) {
      for (const out of moved) {
        const group = groupOf('map', [out]);
        await check(device(), group, target, randomLeaves(group.reads, 2));
      }
    }
  });

  test('gathers by an index that is loaded, of whole numbers too', async () => {
    const b = new GraphBuilder();
    const table = b.input('table', [11, 12]);
    const odd = b.input('odd', [11, 5]);
    const index = b.input('index', [3, 7], 'i32');
    const outs = [b.mul(b.gather(table, index), 2), b.gather(odd, index), b.gather(b.slice(odd, [0, 1], [9, 1]), index), b.add(index, 3)];
    for (const target of targetsOf(device())) {
      for (const out of outs) {
        const group = groupOf('map', [out]);
        await check(device(), group, target, randomLeaves(group.reads, 3, { index: 9 }));
      }
    }
  });

  test('an output takes the place of an input that is read at the same position', async () => {
    const b = new GraphBuilder();
    const [w, g] = [b.state('w', [6, 10]), b.input('g', [6, 10])];
    const out = b.sub(w, b.mul(b.scalar('rate'), g));
    const other = b.mul(w, w);
    const group = groupOf('map', [out, other]);
    for (const target of targetsOf(device())) {
      const values = randomLeaves(group.reads, 4);
      const [plain] = generate(group, target, options);
      expect(plain.aligned).toEqual([w, g]);
      const [kernel] = generate(group, target, {
        ...options,
        inPlace: new Map([[out, w]]),
      });
      expect(kernel.bindings).toEqual([w, g, other]);
      const found = await run(device(), [kernel], values);
      const [before, step] = [values.get(w) ?? [], values.get(g) ?? []];
      expectClose(
        found.get(w) ?? [],
        Array.from(before, (v, i) => v - 0.25 * step[i]),
        1e-6,
        'w',
      );
      expectClose(
        found.get(other) ?? [],
        Array.from(before, (v) => v * v),
        1e-6,
        'w squared',
      );
    }
    const crossed = groupOf('map', [b.add(b.permute(w, [1, 0]), 1)]);
    expect(generate(crossed, targetsOf(device())[0], options)[0].aligned).toEqual([]);
  });

  test('more workgroups than one dimension holds', async () => {
    const b = new GraphBuilder();
    const out = b.add(b.input('x', [1023, 7]), 1);
    const group = groupOf('map', [out]);
    for (const target of targetsOf(device()))
      await check(device(), group, { ...target, maxWorkgroupsPerDimension: 5 }, randomLeaves(group.reads, 5));
  });

  test('the text of a small kernel', () => {
    const b = new GraphBuilder();
    const x = b.input('x', [64, 96]);
    const out = b.mul(b.add(x, b.input('bias', [96])), b.scalar('decay'));
    const [kernel] = generate(groupOf('map', [out]), { name: 'gpu', maxBindings: 8, maxWorkgroupsPerDimension: 65535 }, options);
    expect(kernel.workgroups).toEqual([6, 1, 1]);
    expect(kernel.wgsl).toMatchInlineSnapshot(`
     "@group(0) @binding(0) var<storage, read_write> b0: array<vec4<f32>>;
     @group(0) @binding(1) var<storage, read_write> b1: array<vec4<f32>>;
     @group(0) @binding(2) var<storage, read_write> b2: array<vec4<f32>>;
     @group(0) @binding(3) var<uniform> scalars: array<vec4<f32>, 1>;

     @compute @workgroup_size(256)
     fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
       let q = wg.x * 256u + lid;
       let v0 = b0[q];
       let x1 = q % 24u;
       let v2 = b1[x1];
       let v3 = (v0 + v2);
       let v4 = (v3 * vec4<f32>(scalars[0].y));
       b2[q] = v4;
     }
     "
    `);
  });
});
