/** The example that the README begins with. */
import { expect, test } from '@jest/globals';
import { testRuns } from './run-example.ts';

const metrics = testRuns(['quickstart.pivot']);

test('DPO begins at ln 2, on training and on held-out rows', () => {
  const lines = metrics('quickstart.pivot', 'post.dpo@0');
  const first = lines.find((line) => line.loss !== undefined);
  const evaluated = lines.find((line) => line.eval_loss !== undefined);
  expect(Math.abs((first?.loss ?? 0) - Math.LN2)).toBeLessThan(1e-6);
  expect(Math.abs((evaluated?.eval_loss ?? 0) - Math.LN2)).toBeLessThan(1e-6);
});
