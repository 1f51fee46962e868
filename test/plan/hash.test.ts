import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { canonicalJson, hashOf, hashText, sha256 } from '../../plan/hash.ts';

describe('sha256', () => {
  test('agrees with node:crypto at every length around the block size', () => {
    for (let length = 0; length < 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 131 + length) & 255);
      expect(sha256(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'));
    }
  });

  test('hashes text as UTF-8', () => {
    const text = 'crème – 画像 🙂'.repeat(100);
    expect(hashText(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 32));
  });
});

describe('canonical JSON', () => {
  test('does not depend on the order of keys, nor on undefined members', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true, e: undefined })).toBe('{"a":true,"b":[1,{"c":"x","d":null}]}');
    expect(hashOf({ x: 1, y: 2 })).toBe(hashOf({ y: 2, x: 1 }));
    expect(hashOf({ x: 1, y: 2 })).not.toBe(hashOf({ x: 2, y: 1 }));
  });

  test('refuses what JSON cannot hold', () => {
    expect(() => canonicalJson([NaN])).toThrow(TypeError);
    expect(() => canonicalJson([undefined])).toThrow(TypeError);
    expect(() => canonicalJson(() => 1)).toThrow(TypeError);
  });
});
