/** A loss on parts of a batch is the loss on the batch, in value and gradient, or it is refused. */
import { expect, test } from '@jest/globals';
import { Random } from '../support/random.ts';
import { Losses, universeOf } from './in-parts.ts';
import { PRELUDE, randomLoss } from './random-loss.ts';

/** Rows at once: those of training, and one that leaves a smaller last part, as evaluations have it. */
const MICRO = [8, 1];
const WITH_REST = 5;

/** Both are sums in float64, of numbers of about the size of 1, in another order. */
function expectEqual(found: readonly number[], wanted: readonly number[]): void {
  const scale = Math.max(1, ...wanted.map(Math.abs));
  found.forEach((x, i) => expect(Math.abs(x - wanted[i]) / scale).toBeLessThan(1e-9));
}

/** Whether the loss is taken in parts; where it is, it must be right. */
function check(losses: Losses, name: string): { training: boolean; evaluation: boolean } {
  const wanted = losses.whole(name);
  const training = MICRO.map((micro) => losses.inParts(name, micro, true));
  for (const found of training) if (!('why' in found)) expectEqual(found, wanted);
  const evaluation = losses.inParts(name, WITH_REST, false);
  if (!('why' in evaluation)) expectEqual(evaluation, wanted.slice(0, 1));
  return { training: training.every((found) => !('why' in found)), evaluation: !('why' in evaluation) };
}

/** `COUNT=2000 npm test -- -i test/losses` for more. */
const CHUNK = 100;
const COUNT = Number(process.env.COUNT ?? 100);

test(`${COUNT} random losses are right in parts, or refused`, () => {
  const random = new Random(7);
  const names = Array.from({ length: COUNT }, (_, i) => `l${i}`);
  const texts = names.map((name) => randomLoss(random, name));
  // A text has a largest size.
  const ofChunk = new Map<number, Losses>();
  const lossesOf = (i: number): Losses => {
    const from = i - (i % CHUNK);
    const losses = ofChunk.get(from) ?? new Losses(universeOf(PRELUDE + texts.slice(from, from + CHUNK).join('')), 1);
    ofChunk.set(from, losses);
    return losses;
  };
  const taken = { training: 0, evaluation: 0 };
  names.forEach((name, i) => {
    try {
      const { training, evaluation } = check(lossesOf(i), name);
      taken.training += Number(training);
      taken.evaluation += Number(evaluation);
    } catch (error) {
      throw new Error(texts[i], { cause: error });
    }
  });
  // Neither all nor none: about a quarter of them mix no rows.
  expect(taken.training).toBeGreaterThan(COUNT / 8);
  expect(taken.training).toBeLessThan(COUNT / 2);
  expect(taken.evaluation).toBeGreaterThan(taken.training);
});
