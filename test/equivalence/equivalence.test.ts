/** One computation done in two ways gives one result: batches in parts, pairs in one sequence or two, references ahead or beside. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { TARGETS } from '../../compiler/lower/targets.ts';
import type { TrainTask } from '../../plan/plan.ts';
import { testDevice } from '../support/device.ts';
import type { Trained } from '../support/train-plan.ts';
import { expectEqual, lossesOf, run } from './runs.ts';

const open = testDevice();
const DPO = 'dpo(beta: 0.1)';
type Run = Trained & { task: TrainTask };

function rolesOf({ task }: Run): string[] {
  return Object.keys(Object.values(task.programs)[0]).sort();
}

describe('preference pairs', () => {
  let dpo: Run;
  beforeAll(async () => {
    dpo = await run(open(), { loss: DPO });
  });

  test('the first loss is ln 2', () => {
    expect(Math.abs(lossesOf(dpo)[0] - Math.LN2)).toBeLessThan(1e-6);
  });

  test('a batch of 8 equals 2 x 4 accumulated', async () => {
    const parts = await run(open(), { loss: DPO, micro: 4 });
    expect(rolesOf(parts)).toEqual(['micro', 'reference', 'update']);
    expectEqual(parts, dpo);
  });

  test('two answers after one prefix equal two sequences', async () => {
    const separate = await run(open(), { loss: DPO, fields: ['pack separate'] });
    expect(separate.task.hash).not.toBe(dpo.task.hash);
    expectEqual(separate, dpo);
  });

  test('a cached reference equals a live one', async () => {
    const live = await run(open(), { loss: DPO, fields: ['reference live'] });
    expect([rolesOf(dpo), rolesOf(live)]).toEqual([['reference', 'step'], ['step']]);
    expect(live.reference).toBeUndefined();
    expect(live.task.state.some((s) => s.name.startsWith('reference:'))).toBe(true);
    expectEqual(live, dpo);
  });

  test('fused programs equal unfused ones', async () => {
    expectEqual(await run(open(), { loss: DPO, fuse: false }), dpo);
  });

  test('layers that are computed again give what kept ones give', async () => {
    const again = await run(open(), { loss: DPO, fields: ['recompute layers'] });
    expect(again.task.hash).not.toBe(dpo.task.hash);
    expectEqual(again, dpo);
    expectEqual(await run(open(), { loss: DPO, micro: 4, fields: ['recompute layers'] }), dpo);
  });

  test('portable programs equal those for this device', async () => {
    const portable = await run(open(), { loss: DPO, target: TARGETS.portable });
    expect(Object.keys(dpo.task.programs)).not.toEqual(['portable']);
    expectEqual(portable, dpo);
  });
});

describe('one answer a row', () => {
  test('a batch of 8 equals 2 x 4 accumulated, where the mean is over the tokens of the whole batch', async () => {
    const whole = await run(open(), { loss: 'sft' });
    const parts = await run(open(), { loss: 'sft', micro: 4 });
    expect(rolesOf(parts)).toEqual(['micro', 'totals', 'update']);
    expectEqual(parts, whole);
  });
});
