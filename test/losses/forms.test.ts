/** Which forms of losses are taken in parts: those of the library, and what people write. */
import { describe, expect, test } from '@jest/globals';
import { compileText } from '../support/compile-text.ts';
import { example } from '../../grammar/diagnostics/example.ts';
import { Losses, universeOf } from './in-parts.ts';
import { PRELUDE } from './random-loss.ts';

/** The body of a layer of a [N, T], m, z, q (see randomLoss), and whether it is taken in parts in training and in evaluation. */
const FORMS: [body: string, training: boolean, evaluation: boolean][] = [
  ['mean(sum(a * m, axis: 1))', true, true],
  ['sum(a * m) / N', true, true],
  ['sum(a * m) / batch_rows()', true, true],
  ['sum(a * m) / sum(m)', true, true],
  ['sum(a * m) / max(sum(m), 1)', true, true],
  ['sum(a) / (N * T)', true, true],
  ['sum(a) / (N - 1)', true, true],
  ['mean(stop_gradient(sigmoid(sum(z, axis: 1))) * sum(a, axis: 1))', true, true],
  ['sum(stop_gradient(exp(mean(z, axis: 1))) * sum(a, axis: 1)) / sum(stop_gradient(exp(mean(z, axis: 1))))', true, true],
  ['mean(sum(a, axis: 1)) + 0.5 * mean(sum(z, axis: 1)) + 2', true, true],
  ['mean(reshape(a, [N * T]))', true, true],
  ['mean(where(m > 0.5, a, 0))', true, true],
  ['mean(bent(sum(a, axis: 1)))', true, true],
  ['spread(sum(a, axis: 1))', true, true],
  ['mean(a) * stop_gradient(mean(z))', true, true],
  ['mean(sum(a, axis: 1) - stop_gradient(mean(sum(z, axis: 1))))', true, true],
  ['mean(max(sum(a, axis: 1), stop_gradient(max(mean(sum(z, axis: 1)), 0))))', true, true],
  // A sum over rows is used as a number, and a gradient flows through it.
  ['mean(a) * mean(a)', false, true],
  ['exp(mean(a))', false, true],
  ['mean(centred(sum(a, axis: 1)))', false, true],
  ['mean(a) / mean(z)', false, true],
  // Rows meet rows, or are told apart by their place.
  ['mean(sum(a, axis: 1)[0:1])', false, false],
  ['sum(a, axis: 1)[0]', false, false],
  ['mean((sum(a, axis: 1)[1:] - sum(a, axis: 1)[:N - 1]) * sum(m, axis: 1)[1:])', false, false],
  ['mean(where(iota(N) == 0, sum(a, axis: 1), 0))', false, false],
  ['largest(sum(a, axis: 1))', false, false],
  ['mean(largest(a, axis: 0))', false, false],
  ['mean(concat(a[1:], a[0:1], axis: 0) * z)', false, false],
  ['mean(einsum("n t, k t -> n k", a, z))', false, false],
  ['mean(largest(reshape(a, [T, N]), axis: 1))', false, false],
  ['mean(reshape(transpose(a, [1, 0]), [N, T])[:, 0])', false, false],
  ['mean(gather(stop_gradient(a), iota(N)) * a)', false, false],
  ['if N > 8 then mean(a) else mean(z)', false, false],
  [
    'sum(sqrt(mean(a * a) + 1) * exp(sqrt(mean(z * z) + mean(a * a) / mean(m))) * mean(a) / exp(mean(z) / sqrt(mean(q * q) / exp(mean(q)))))',
    false,
    false,
  ],
];

const LIBRARY: [loss: string, training: boolean, evaluation: boolean][] = [
  ...['sft', 'softmax_cross_entropy', 'dpo', 'dpo(smoothing: 0.1)', 'dpo_per_token', 'robust_dpo', 'ipo', 'ipo(per_token: false)'],
  ...['hinge', 'exo', 'nca', 'bco', 'sppo', 'apo_zero', 'apo_down', 'discopop', 'dpo_js', 'kto', 'simpo', 'cpo', 'orpo'],
].map((loss): [string, boolean, boolean] => [loss, true, true]);
LIBRARY.push(['siglip', false, false]);

const layers = FORMS.map(
  ([body], i) =>
    `layer f${i}_of(a: [N, T], m: [N, T], z: [N, T], q: [N, T]) -> [] {\n  return ${body}\n}\n` +
    `loss f${i}(policy: Pair, reference: Pair) {\n  return f${i}_of(policy.chosen.logp, policy.chosen.mask, policy.rejected.logp, reference.chosen.logp)\n}\n`,
);
const uses = [...new Set(LIBRARY.map(([loss]) => loss.replace(/\(.*/, '')))].join(', ');
const text = `${PRELUDE}use std.loss.{ ${uses} }\n${layers.join('')}`;

describe.each([3, 4])('on rows of seed %i', (seed) => {
  const losses = new Losses(universeOf(text), seed);

  /** Parts of 8 and of 1 and of 5, whose last is smaller; what is taken in parts is right. */
  function expectParts(loss: string, training: boolean, evaluation: boolean): void {
    const wanted = losses.whole(loss);
    for (const [micro, train] of [
      [8, true],
      [1, true],
      [5, false],
    ] as const) {
      const found = losses.inParts(loss, micro, train);
      const taken = train ? training : evaluation;
      if ('why' in found) expect([micro, taken, found.why]).toEqual([micro, false, found.why]);
      else {
        expect([micro, taken]).toEqual([micro, true]);
        expect(found.length).toBe(train ? wanted.length : 1);
        found.forEach((x, i) => expect(x).toBeCloseTo(wanted[i], 9));
      }
    }
  }

  test.each(FORMS)('%s', (body, training, evaluation) => {
    expectParts(`f${FORMS.findIndex(([one]) => one === body)}`, training, evaluation);
  });

  test.each(LIBRARY)('%s of the library', expectParts);
});

describe('a refusal', () => {
  const stage = (loss: string, rest: string, more = ''): string => example({ loss: `loss ${loss}`, rest, more });
  const own = `use std.model.scores.Scored
loss own(policy: Scored) {
  let rows = sum(policy.logp, axis: 1)
  return mean(rows - largest(rows))
}`;

  test('has the place in the text, and says what mixes rows', () => {
    const source = stage('own', 'batch 8, micro 4\n  steps 4', own);
    const [{ code, message, span, trace }] = compileText(source).diagnostics;
    expect(code).toBe('P0507');
    expect(message).toContain('the largest is taken over rows');
    expect(source.slice(span?.start, span?.end)).toBe('largest(rows)');
    expect(trace?.[0].span.line).toBe(source.split('\n').findIndex((line) => line.includes('loss own')) + 1);
  });

  test('of an evaluation names rows that fill the batches', () => {
    const evaluated = (count: number) =>
      stage('own', `batch 8\n  steps 4\n  eval every 2 steps on scenes.preferences(split: "held-out", count: ${count})`, own);
    const [{ code, help }] = compileText(evaluated(20)).diagnostics;
    expect([code, help]).toEqual(['P0551', 'evaluate on 16 rows']);
    const { plan, diagnostics } = compileText(evaluated(16));
    expect(diagnostics).toEqual([]);
    expect(plan?.tasks.find((task) => task.kind === 'train')).toMatchObject({ evaluate: { batch: 8 } });
    // All rows at once are no parts.
    expect(compileText(evaluated(6)).diagnostics).toEqual([]);
  });
});
