import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { generate } from '../../compiler/kernels/generate.ts';
import { isScratch } from '../../compiler/kernels/kernel.ts';
import { testDevice } from '../support/device.ts';
import { check, groupOf, options, randomLeaves, targetsOf } from './run.ts';

const device = testDevice();

describe('columns', () => {
  test.each([[[2, 3]], [[100, 7]], [[257, 12]], [[33, 9, 40]], [[1000, 1]], [[5000, 4]], [[3, 500]], [[1, 8]]])(
    'sums over leading axes of %j',
    async (shape) => {
      const b = new GraphBuilder();
      const [x, y] = [b.input('x', shape), b.input('y', shape)];
      const axes = shape.slice(1).map((_, axis) => axis);
      const sum = b.sum(b.mul(x, y), axes);
      const max = b.reduceMax(b.abs(x), axes);
      for (const target of targetsOf(device())) {
        const group = groupOf('columns', [sum, max]);
        const kernels = await check(device(), group, target, randomLeaves(group.reads, 1));
        expect(kernels.length).toBe(kernels[0].bindings.some(isScratch) ? 2 : 1);
      }
    },
  );

  test('keeps several axes', async () => {
    const b = new GraphBuilder();
    const x = b.permute(b.input('x', [6, 130, 3]), [1, 2, 0]);
    const group = groupOf('columns', [b.sum(b.exp(x), [0])]);
    for (const target of targetsOf(device())) await check(device(), group, target, randomLeaves(group.reads, 2));
  });

  test('a long sum of few columns is cut into chunks', () => {
    const b = new GraphBuilder();
    const group = groupOf('columns', [b.sum(b.input('x', [2048, 192]), [0])]);
    for (const target of targetsOf(device())) {
      const kernels = generate(group, target, options);
      expect(kernels).toHaveLength(2);
      expect(kernels[0].bindings.find(isScratch)?.shape[1]).toBe(192);
    }
  });
});
