import { describe, expect, test } from '@jest/globals';
import { Random } from '../../runtime/core/random.ts';
import { crossEntropy, likeliest } from '../../runtime/core/score/softmax-regression.ts';

const [n, width, classes] = [7, 3, 4];
const random = new Random([3, 4]);
const draw = (length: number): Float64Array => Float64Array.from({ length }, () => 2 * random.uniform() - 1);
const examples = { features: draw(n * width), label: Int32Array.from({ length: n }, (_, i) => i % classes), n, width };
const x = draw(classes * (width + 1));

function logit(row: number, c: number): number {
  let sum = x[c * (width + 1) + width];
  for (let d = 0; d < width; d++) sum += x[c * (width + 1) + d] * examples.features[row * width + d];
  return sum;
}

describe('crossEntropy', () => {
  test('is what its formula says, for a count of rows that fours do not divide', () => {
    let loss = 0;
    for (let row = 0; row < n; row++) {
      const all = Array.from({ length: classes }, (_, c) => Math.exp(logit(row, c))).reduce((a, b) => a + b);
      loss += (Math.log(all) - logit(row, examples.label[row])) / n;
    }
    const squares = x.reduce((sum, w, i) => (i % (width + 1) === width ? sum : sum + w * w), 0);
    const value = crossEntropy(examples, examples.label, classes, 0.3)(x, new Float64Array(x.length));
    expect(value).toBeCloseTo(loss + 0.15 * squares, 12);
  });

  test('has the gradient that finite differences give', () => {
    const objective = crossEntropy(examples, examples.label, classes, 0.3);
    const gradient = new Float64Array(x.length);
    objective(x, gradient);
    const unused = new Float64Array(x.length);
    gradient.forEach((slope, i) => {
      const at = (step: number): number =>
        objective(
          Float64Array.from(x, (v, j) => (i === j ? v + step : v)),
          unused,
        );
      expect(slope).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 8);
    });
  });
});

test('the likeliest class has the largest logit, and the first of equal ones', () => {
  const expected = Array.from({ length: n }, (_, row) => {
    const logits = Array.from({ length: classes }, (__, c) => logit(row, c));
    return logits.indexOf(Math.max(...logits));
  });
  expect([...likeliest(x, examples, classes)]).toEqual(expected);
  expect(new Set(expected).size).toBeGreaterThan(1);
  expect([...likeliest(new Float64Array(x.length), examples, classes)]).toEqual(Array(n).fill(0));
});
