/**
 * Random numbers that are the same on every machine. The generator is counter-based (Philox-4x32-10, Salmon et al.
 * 2011, "Parallel random numbers: as easy as 1, 2, 3"): number i under a key is a pure function of (key, i), so
 * nothing depends on how many numbers were drawn before. Keys are made from readable paths and a seed.
 *
 * Uniform numbers use integers and exact divisions only. Normal ones need a logarithm and a cosine, whose last bit
 * JavaScript engines may choose; `logarithm` and `cosine` below are written in plain arithmetic for that reason.
 */

export type Key = readonly [number, number];

// Bound once: every draw uses them dozens of times, and where globals are intercepted (under Jest) each look-up is slow.
const { floor, imul } = Math;

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of the product of two 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const cross = aHigh * bLow + ((aLow * bLow) >>> 16);
  const middle = aLow * bHigh + (cross % 0x10000);
  return (aHigh * bHigh + floor(cross / 0x10000) + floor(middle / 0x10000)) >>> 0;
}

/** Philox-4x32-10: four 32-bit words for a counter of four words, written to `out`. */
export function philox(counter: ArrayLike<number>, key: Key, out: Uint32Array): Uint32Array {
  let c0 = counter[0] >>> 0;
  let c1 = counter[1] >>> 0;
  let c2 = counter[2] >>> 0;
  let c3 = counter[3] >>> 0;
  let k0 = key[0] >>> 0;
  let k1 = key[1] >>> 0;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0);
    const low0 = imul(M0, c0);
    const high1 = mulHigh(M1, c2);
    const low1 = imul(M1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
  return out;
}

/** A key for a path (`eyes.blocks.3.mlp.up.w`, `scenes/train`) and a seed: FNV-1a of the UTF-8 bytes, mixed by Philox. */
export function keyOf(path: string, seed: number): Key {
  let a = 0x811c9dc5;
  let b = 0xc9dc5118;
  for (const byte of new TextEncoder().encode(path)) {
    a = Math.imul(a ^ byte, 0x01000193) >>> 0;
    b = Math.imul(b ^ byte, 0x0100_01b3) >>> 0;
    b = (b ^ (b >>> 15)) >>> 0;
  }
  const mixed = philox([a, b, seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0], [W0, W1], new Uint32Array(4));
  return [mixed[0], mixed[1]];
}

/** A sequence of random numbers under one key; `stream` tells sequences of the same key apart (a row's index). */
export class Random {
  private readonly key: Key;
  private readonly counter: Uint32Array;
  private readonly words = new Uint32Array(4);
  private used = 4;

  constructor(key: Key, stream = 0) {
    this.key = key;
    this.counter = Uint32Array.of(0, 0, stream, Math.floor(stream / 2 ** 32));
  }

  /** 32 random bits. */
  bits(): number {
    if (this.used === 4) {
      philox(this.counter, this.key, this.words);
      this.used = 0;
      this.counter[0]++;
      if (this.counter[0] === 0) this.counter[1]++;
    }
    return this.words[this.used++];
  }

  /** Uniform in [0, 1), a multiple of 2^-32. */
  uniform(): number {
    return this.bits() / 2 ** 32;
  }

  /** A uniform integer from 0 to n - 1. Rejects the remainder, so that it is exactly uniform. */
  below(n: number): number {
    const limit = 2 ** 32 - (2 ** 32 % n);
    let value = this.bits();
    while (value >= limit) value = this.bits();
    return value % n;
  }

  /** One element of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  /** `count` different integers below n, in random order. */
  distinct(n: number, count: number): number[] {
    const all = Array.from({ length: n }, (_, i) => i);
    for (let i = 0; i < count; i++) {
      const j = i + this.below(n - i);
      [all[i], all[j]] = [all[j], all[i]];
    }
    return all.slice(0, count);
  }

  /** Standard normal (Box and Muller 1958, one of the pair). */
  normal(): number {
    const radius = Math.sqrt(-2 * logarithm((this.bits() + 1) / 2 ** 32));
    return radius * cosineOfTurn(this.uniform());
  }
}

/** n numbers from N(0, std^2), the same for a path and a seed everywhere. */
export function normal(path: string, seed: number, n: number, std: number): Float32Array {
  const random = new Random(keyOf(path, seed));
  const out = new Float32Array(n);
  for (let i = 0; i < n; i++) out[i] = std * random.normal();
  return out;
}

/** n numbers from U(-bound, bound), the same for a path and a seed everywhere. */
export function uniform(path: string, seed: number, n: number, bound: number): Float32Array {
  const random = new Random(keyOf(path, seed));
  const out = new Float32Array(n);
  for (let i = 0; i < n; i++) out[i] = bound * (2 * random.uniform() - 1);
  return out;
}

/** ln x for 2^-32 <= x <= 1, by x = m 2^e and ln m = 2 artanh((m - 1) / (m + 1)); exact to a few units in the last place. */
export function logarithm(x: number): number {
  let exponent = 0;
  let mantissa = x;
  while (mantissa < 0.7071067811865476) {
    mantissa *= 2;
    exponent--;
  }
  const t = (mantissa - 1) / (mantissa + 1);
  const square = t * t;
  // |t| < 0.172, so that the term t^23 is below 1e-18.
  let sum = 0;
  for (let k = 21; k >= 1; k -= 2) sum = sum * square + 1 / k;
  return exponent * 0.6931471805599453 + 2 * t * sum;
}

/** cos(2 pi u) for 0 <= u < 1: folded to an eighth of a turn, then Taylor series of sine or cosine. */
export function cosineOfTurn(u: number): number {
  let turn = u > 0.5 ? 1 - u : u;
  const sign = turn > 0.25 ? -1 : 1;
  if (turn > 0.25) turn = 0.5 - turn;
  const useSine = turn > 0.125;
  const x = 2 * 3.141592653589793 * (useSine ? 0.25 - turn : turn);
  const square = x * x;
  let sum = 1;
  const last = useSine ? 17 : 16;
  for (let k = last; k >= 2; k -= 2) sum = 1 - (sum * square) / (k * (k - 1));
  return sign * (useSine ? x * sum : sum);
}
