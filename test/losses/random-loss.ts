/** Random losses as texts: of numbers a row, tensors of tokens, the number of rows, and all that may mix rows on the way. */
import type { Random } from '../support/random.ts';

/** What losses of a text share. */
export const PRELUDE = `pivot 1
use std.model.scores.{ Scored, Pair }
use std.nn.activation.{ log_sigmoid, sigmoid, relu }
composite layer bent(x: [..]) -> [..] { return x / (1 + abs(x)) }
composite layer centred(x: [M]) -> [M] { return x - mean(x) }
layer spread(x: [M]) -> [] { return sum(x * x) / M }
layer named(x: [M, T]) -> [] { return sum(x) / (M * T) }
`;

/** `loss NAME(..)` with a random body. */
export function randomLoss(random: Random, name: string): string {
  return `layer ${name}_of(a: [N, T], m: [N, T], z: [N, T], q: [N, T]) -> [] {
  return ${scalar(random, 4)}
}
loss ${name}(policy: Pair, reference: Pair) {
  return ${name}_of(policy.chosen.logp, policy.chosen.mask, policy.rejected.logp, reference.chosen.logp)
}
`;
}

function scalar(random: Random, depth: number): string {
  const [s, r, k] = [() => scalar(random, depth - 1), () => row(random, depth - 1), () => tokens(random, depth - 1)];
  if (depth <= 0) return random.pick(['mean(a)', 'mean(sum(a * m, axis: 1))', 'sum(a * m) / sum(m)', '0.7', 'sum(z) / N']);
  return choose(random, [
    [6, () => `mean(${r()})`],
    [3, () => `sum(${r()}) / N`],
    [2, () => `sum(${r()}) / batch_rows()`],
    [3, () => `sum(${k()} * m) / sum(m)`],
    [2, () => `mean(${k()})`],
    [1, () => `sum(${k()}) / (N * 3)`],
    [1, () => `named(${k()})`],
    [1, () => `spread(${r()})`],
    [1, () => `largest(${r()})`],
    [1, () => `sum((${r()})[0:1])`],
    [1, () => `(${r()})[0]`],
    [1, () => `sum((${r()})[1:] * (${r()})[0:N - 1]) / N`],
    [1, () => `sum(einsum("i, j -> i j", ${r()}, ${r()})) / (N * N)`],
    [1, () => `einsum("i, i -> ", ${r()}, ${r()}) / N`],
    [1, () => `sum(concat(${r()}, ${r()}, axis: 0)) / (2 * N)`],
    [1, () => `sum(reshape(${k()}, [N * 3])) / N`],
    [1, () => `mean(largest(reshape(${k()}, [3, N]), axis: 1))`],
    [1, () => `sum(mean(${k()}, axis: 0) * sum(m, axis: 0)) / sum(m)`],
    [1, () => `sum(largest(${k()}, axis: 0))`],
    [3, () => `(${s()} ${random.pick(['+', '-', '*'])} ${s()})`],
    [1, () => `${s()} / (1.5 + abs(${s()}))`],
    [1, () => `stop_gradient(${s()})`],
    [1, () => `${s()} * stop_gradient(${s()})`],
    [1, () => `max(${s()}, 0.1)`],
    [1, () => `bent(0 * mean(a) + ${s()})`],
    [1, () => `(if N > ${random.pick([4, 8, 40])} then ${s()} else ${s()})`],
    [1, () => `${s()} * N / (N + 1)`],
  ]);
}

function row(random: Random, depth: number): string {
  const [s, r, k] = [() => scalar(random, depth - 1), () => row(random, depth - 1), () => tokens(random, depth - 1)];
  if (depth <= 0) return random.pick(['sum(a * m, axis: 1)', 'mean(z, axis: 1)', 'a[:, 1]', 'sum(a - q, axis: 1)', 'sum(m, axis: 1)']);
  return choose(random, [
    [5, () => `sum(${k()}, axis: 1)`],
    [2, () => `sum(${k()} * m, axis: 1) / sum(m, axis: 1)`],
    [1, () => `largest(${k()}, axis: 1)`],
    [4, () => `(${r()} ${random.pick(['+', '-', '*'])} ${r()})`],
    [3, () => `${random.pick(['log_sigmoid', 'tanh', 'relu', 'abs', 'bent', 'sigmoid'])}(${r()})`],
    [1, () => `where(${r()} > 0, ${r()}, 0.5)`],
    [2, () => `(${r()} * ${random.pick(['0.3', 'stop_gradient(' + r() + ')', s()])})`],
    [1, () => `(${r()} - ${random.pick(['mean', 'largest'])}(${r()}))`],
    [1, () => `(${r()} - stop_gradient(${s()}))`],
    [1, () => `centred(${r()})`],
    [1, () => `where(iota(N) == 0, ${r()}, 0)`],
    [1, () => `where(iota(N) < N, ${r()}, 0)`],
    [1, () => `concat((${r()})[1:], (${r()})[0:1], axis: 0)`],
    [1, () => `(${r()} / N)`],
    [1, () => `reshape((${k()})[:, 0:1], [N])`],
    [1, () => `sum(einsum("i t, j t -> i j", ${k()}, ${k()}), axis: ${random.pick([0, 1])}) / N`],
    [1, () => `einsum("n t, n t -> n", ${k()}, ${k()})`],
    [1, () => `einsum("n t, t -> n", ${k()}, mean(${k()}, axis: 0))`],
    [1, () => `sum(reshape(transpose(${k()}, [1, 0]), [N, 3]), axis: 1)`],
  ]);
}

function tokens(random: Random, depth: number): string {
  const [s, r, k] = [() => scalar(random, depth - 1), () => row(random, depth - 1), () => tokens(random, depth - 1)];
  if (depth <= 0) return random.pick(['a', 'm', 'z', 'q', '(a * m)']);
  return choose(random, [
    [5, () => random.pick(['a', 'z', '(a * m)', '(a - q)'])],
    [3, () => `(${k()} ${random.pick(['+', '-', '*'])} ${k()})`],
    [2, () => `${random.pick(['tanh', 'relu', 'bent'])}(${k()})`],
    [2, () => `(${k()} * reshape(${r()}, [N, 1]))`],
    [1, () => `where(m > 0.5, ${k()}, 0)`],
    [1, () => `(${k()} - mean(${k()}, axis: ${random.pick([0, 1])}, keep: true))`],
    [1, () => `(${k()} * ${s()})`],
    [1, () => `(${k()} * float(iota(3)))`],
    [1, () => `concat((${k()})[:, 1:], (${k()})[:, 0:1], axis: 1)`],
    [1, () => `concat((${k()})[1:], (${k()})[0:1], axis: 0)`],
    [1, () => `transpose(transpose(${k()}, [1, 0]), [1, 0])`],
  ]);
}

function choose(random: Random, options: [weight: number, make: () => string][]): string {
  let at = random.below(options.reduce((n, [weight]) => n + weight, 0));
  for (const [weight, make] of options) if ((at -= weight) < 0) return make();
  throw new Error('weights do not add up');
}
