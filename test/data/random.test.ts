import { describe, expect, test } from '@jest/globals';
import { cosineOfTurn, keyOf, logarithm, normal, philox, Random, uniform } from '../../runtime/core/random.ts';

const philoxOf = (counter: number[], key: [number, number]) => [...philox(counter, key, new Uint32Array(4))];

function moments(values: Float32Array): {
  mean: number;
  sd: number;
  skew: number;
  kurtosis: number;
} {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const moment = (p: number) => values.reduce((a, b) => a + (b - mean) ** p, 0) / values.length;
  const sd = Math.sqrt(moment(2));
  return { mean, sd, skew: moment(3) / sd ** 3, kurtosis: moment(4) / sd ** 4 };
}

describe('philox', () => {
  // kat_vectors of Random123, philox4x32 with 10 rounds.
  test('gives the published vectors', () => {
    expect(philoxOf([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    const ones = 0xffffffff;
    expect(philoxOf([ones, ones, ones, ones], [ones, ones])).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
    expect(philoxOf([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ]);
  });

  test('keys and streams are apart', () => {
    const keys = ['a.w', 'a.b', 'b.a', '', 'a.w\0'].flatMap((path) => [0, 1, 2 ** 32].map((seed) => keyOf(path, seed).join()));
    expect(new Set(keys).size).toBe(keys.length);
    const firsts = Array.from({ length: 1000 }, (_, stream) => new Random([1, 2], stream).bits());
    expect(new Set(firsts).size).toBe(1000);
  });
});

describe('distributions', () => {
  test('these bits, on every machine', () => {
    expect([...normal('eyes.patch.w', 7, 4, 1)]).toEqual([1.4858134984970093, -1.1970173120498657, -1.8629767894744873, 1.212397813796997]);
    expect([...uniform('eyes.patch.w', 7, 4, 1)]).toEqual([
      -0.33728957176208496, 0.9917408227920532, -0.16151894629001617, -0.13774830102920532,
    ]);
  });

  test('a longer draw begins with the shorter one', () => {
    expect(normal('w', 3, 100, 0.02).subarray(0, 9)).toEqual(normal('w', 3, 9, 0.02));
  });

  test('normal numbers have the moments of a normal distribution', () => {
    const { mean, sd, skew, kurtosis } = moments(normal('w', 1, 40_000, 0.5));
    expect(Math.abs(mean)).toBeLessThan(0.006);
    expect(Math.abs(sd - 0.5)).toBeLessThan(0.005);
    expect(Math.abs(skew)).toBeLessThan(0.03);
    expect(Math.abs(kurtosis - 3)).toBeLessThan(0.07);
  });

  test('uniform numbers fill their interval', () => {
    const values = uniform('w', 1, 40_000, 2);
    const { mean, sd, kurtosis } = moments(values);
    expect(Math.abs(mean)).toBeLessThan(0.015);
    expect(Math.abs(sd - 2 / Math.sqrt(3))).toBeLessThan(0.01);
    expect(Math.abs(kurtosis - 1.8)).toBeLessThan(0.03);
    expect(values.every((v) => v >= -2 && v <= 2)).toBe(true);
  });

  test('logarithm and cosine agree with the engine within rounding', () => {
    const random = new Random([5, 5]);
    for (let i = 0; i < 2000; i++) {
      const x = (random.bits() + 1) / 2 ** 32;
      const small = x * 2 ** -(i % 24);
      expect(Math.abs(logarithm(small) - Math.log(small))).toBeLessThanOrEqual(1e-15 * Math.max(1, -Math.log(small)));
      const u = random.uniform();
      expect(Math.abs(cosineOfTurn(u) - Math.cos(2 * Math.PI * u))).toBeLessThan(1e-15);
    }
    expect([0, 0.25, 0.5, 0.75].map(cosineOfTurn)).toEqual([1, 0, -1, 0]);
    expect(logarithm(1)).toBe(0);
  });

  test('integers below n are uniform, and distinct ones are distinct', () => {
    const random = new Random([9, 9]);
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 30_000; i++) counts[random.below(6)]++;
    // chi squared with 5 degrees of freedom; 25.7 has probability 1e-4.
    expect(counts.reduce((sum, c) => sum + (c - 5_000) ** 2 / 5_000, 0)).toBeLessThan(25.7);
    for (let i = 0; i < 100; i++) expect(new Set(random.distinct(9, 4)).size).toBe(4);
  });
});
