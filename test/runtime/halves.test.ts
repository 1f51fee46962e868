import { describe, expect, test } from '@jest/globals';
import { packHalves, unpackHalves } from '../../runtime/core/executor/halves.ts';
import { halfToFloat } from '../../runtime/core/safetensors/convert.ts';

const ALL = Uint16Array.from({ length: 65536 }, (_, i) => i);

describe('f32 as 16-bit floats', () => {
  test('every finite f16 comes back, subnormals and negative zero too', () => {
    const finite = ALL.filter((h) => ((h >> 10) & 31) !== 31);
    const values = Float32Array.from(finite, halfToFloat);
    expect([...packHalves(values, 'f16', 'w')]).toEqual([...finite]);
    const again = unpackHalves(finite, 'f16');
    expect(new Uint32Array(again.buffer)).toEqual(new Uint32Array(values.buffer));
  });

  test('every finite bf16 comes back', () => {
    const finite = ALL.filter((h) => ((h >> 7) & 255) !== 255);
    const values = unpackHalves(finite, 'bf16');
    expect([...packHalves(values, 'bf16', 'w')]).toEqual([...finite]);
    expect(unpackHalves(Uint16Array.of(0x3f80, 0xc049), 'bf16')).toEqual(Float32Array.of(1, -3.140625));
  });

  test('an odd number of values fills its last word', () => {
    expect(packHalves(Float32Array.of(1, 2, 3), 'bf16', 'w')).toEqual(Uint16Array.of(0x3f80, 0x4000, 0x4040, 0));
  });

  test.each([
    ['bf16', 1 + 2 ** -8],
    ['f16', 1 + 2 ** -11],
    ['f16', 65536],
    ['f16', 2 ** -25],
    ['f16', 3 * 2 ** -25],
  ] as const)('%s has no %d', (half, value) => {
    expect(() => packHalves(Float32Array.of(0, value), half, 'eyes.w')).toThrow(expect.objectContaining({ code: 'R0129' }));
    expect(() => packHalves(Float32Array.of(0, value), half, 'eyes.w')).toThrow(/eyes\.w holds .* at element 1/);
  });
});
