import { describe, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { testDevice } from '../support/device.ts';
import { check, groupOf, randomLeaves, targetsOf } from './run.ts';

const device = testDevice();

describe('scatter', () => {
  test.each([
    [13, [4, 9], [12]],
    [5, [40], [7]],
    [100, [3, 5], []],
    [3, [50], [2, 8]],
  ])('%d rows, index %j, rest %j', async (rows, lead, rest) => {
    const b = new GraphBuilder();
    const values = b.input('values', [...lead, ...rest]);
    const index = b.input('index', lead, 'i32');
    const plain = b.scatterAdd(values, index, rows);
    const worked = b.scatterAdd(b.mul(b.exp(values), b.scalar('rate')), index, rows);
    const flat = b.scatterAdd(
      b.reshape(values, [lead.reduce((n, d) => n * d, 1), ...rest]),
      b.reshape(index, [lead.reduce((n, d) => n * d, 1)]),
      rows,
    );
    for (const target of targetsOf(device())) {
      for (const out of [plain, worked, flat]) {
        const group = groupOf('scatter', [out]);
        await check(device(), group, target, randomLeaves([values, index], 1, { index: rows }));
      }
    }
  });
});
