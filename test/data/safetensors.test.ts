import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeSafetensors, encodeSafetensors } from '../../runtime/core/safetensors/format.ts';
import type { Tensor } from '../../runtime/core/safetensors/format.ts';
import { halfToFloat } from '../../runtime/core/safetensors/convert.ts';
import { openSafetensors, readSafetensors, writeSafetensors } from '../../runtime/node/safetensors/files.ts';

const folder = await mkdtemp(join(tmpdir(), 'pivot-safetensors-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const TENSORS: Tensor[] = [
  { name: 'eyes.w', dtype: 'f32', shape: [2, 3], data: Float32Array.of(1, -0, NaN, Infinity, 1e-45, 0.1) },
  { name: '7', dtype: 'i32', shape: [3], data: Int32Array.of(-1, 0, 2147483647) },
  { name: 'none', dtype: 'f32', shape: [0, 4], data: new Float32Array(0) },
  { name: 'count', dtype: 'u32', shape: [], data: Uint32Array.of(4294967295) },
];

/** A file with the given header and `bytes` bytes of data. */
function file(header: unknown, bytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + json.length + bytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  return out;
}

const entry = (dtype: string, shape: number[], begin: number, end: number) => ({ dtype, shape, data_offsets: [begin, end] });

describe('safetensors in memory', () => {
  test('what is written is read back, in order and to the bit', () => {
    const { tensors, metadata } = decodeSafetensors(encodeSafetensors(TENSORS, { format: 'pt', note: 'ü' }), 'a');
    expect(metadata).toEqual({ format: 'pt', note: 'ü' });
    expect(new Set(tensors.map((t) => t.name))).toEqual(new Set(TENSORS.map((t) => t.name)));
    for (const tensor of TENSORS) {
      const read = tensors.find((t) => t.name === tensor.name);
      expect(read).toEqual(tensor);
    }
  });

  test('the data begins at a multiple of eight', () => {
    for (const name of ['a', 'ab', 'abc', 'abcd']) {
      const bytes = encodeSafetensors([{ name, dtype: 'f32', shape: [1], data: Float32Array.of(1) }]);
      expect((bytes.length - 4) % 8).toBe(0);
    }
  });

  test('half precision, long and small integers are widened', () => {
    const bytes = file(
      { h: entry('F16', [2], 0, 4), b: entry('BF16', [1], 4, 6), u: entry('U8', [2], 6, 8), l: entry('I64', [1], 8, 16) },
      16,
    );
    const data = new DataView(bytes.buffer, bytes.length - 16);
    data.setUint16(0, 0x3555, true);
    data.setUint16(2, 0x8001, true);
    data.setUint16(4, 0xc049, true);
    data.setUint8(7, 200);
    data.setBigInt64(8, -5n, true);
    const read = Object.fromEntries(decodeSafetensors(bytes, 'a').tensors.map((t) => [t.name, [t.dtype, ...t.data]]));
    expect(read).toEqual({ h: ['f32', 0.333251953125, -(2 ** -24)], b: ['f32', -3.140625], u: ['u32', 0, 200], l: ['i32', -5] });
    expect([halfToFloat(0x7c00), halfToFloat(0xfc00), halfToFloat(0x7e00), halfToFloat(0x7bff)]).toEqual([Infinity, -Infinity, NaN, 65504]);
    data.setBigInt64(8, 1n << 31n, true);
    expect(() => decodeSafetensors(bytes, 'a')).toThrow(expect.objectContaining({ code: 'R0502' }));
  });

  const f32 = (begin: number, end: number) => entry('F32', [(end - begin) / 4], begin, end);
  test.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /0 bytes/],
    ['a length beyond the file', file('{}', 0).subarray(0, 9), /header of 2 bytes; expected at most 1/],
    ['an absurd length', new Uint8Array(16).fill(255), /header of 18446744073709551615 bytes/],
    ['no JSON', file('{ ', 0), /not valid JSON at line 1, column 3/],
    ['invalid UTF-8', file('{}', 0).map((b, i) => (i === 9 ? 0xff : b)), /not valid UTF-8/],
    ['a list', file('[]', 0), /expected an object, found a list/],
    ['an unknown type', file({ a: entry('F31', [1], 0, 4) }, 4), /dtype should be .* found F31/],
    ['an inherited name as type', file({ a: entry('toString', [1], 0, 4) }, 4), /dtype should be/],
    ['a negative shape', file({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 4), /shape should be .* found \[-1\]/],
    ['three offsets', file({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 8] } }, 4), /data_offsets/],
    ['too few bytes for the shape', file({ a: entry('F32', [2], 0, 4) }, 4), /expected 8 bytes for F32 \[2\], found 4/],
    ['data beyond the file', file({ a: f32(0, 8) }, 4), /ends at byte/],
    ['an overlap', file({ a: f32(0, 8), b: f32(4, 12) }, 12), /b overlaps/],
    ['a gap', file({ a: f32(0, 4), b: f32(8, 12) }, 12), /expected a tensor at byte 4 of the data, found that the next, b, begins at 8/],
    ['bytes at the end', file({ a: f32(0, 4) }, 5), /expected 66 bytes, found 67 bytes/],
    [
      'a name given twice',
      file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8),
      /the key "a" stands twice/,
    ],
    ['metadata that is no text', file({ __metadata__: { a: 1 } }, 0), /__metadata__.a/],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, 'broken.safetensors')).toThrow(
      expect.objectContaining({ code: 'R0501', message: expect.stringMatching(message) }),
    );
  });

  test('a tensor of a type that nothing computes with is refused only when read', () => {
    expect(() => decodeSafetensors(file({ a: entry('F64', [1], 0, 8) }, 8), 'a')).toThrow(/stored as F64/);
  });
});

describe('safetensors on disk', () => {
  test('written atomically, read whole, by tensor and by row', async () => {
    const path = join(folder, 'new', 'a.safetensors');
    await writeSafetensors(path, TENSORS, { step: '3' });
    await writeSafetensors(path, TENSORS, { step: '4' });
    expect(await readdir(join(folder, 'new'))).toEqual(['a.safetensors']);
    const whole = await readSafetensors(path);
    expect(whole.metadata).toEqual({ step: '4' });
    for (const tensor of TENSORS) expect(whole.tensors.get(tensor.name)).toEqual(tensor);
    const opened = await openSafetensors(path);
    expect(opened.info('eyes.w')).toMatchObject({ shape: [2, 3], fileDtype: 'F32' });
    expect((await opened.readRows('eyes.w', 1, 1)).data).toEqual(Float32Array.of(Infinity, 1e-45, 0.1));
    await expect(opened.readRows('eyes.w', 1, 2)).rejects.toThrow(RangeError);
    await expect(opened.read('eyes.v')).rejects.toMatchObject({ code: 'R0503', cure: expect.stringContaining('eyes.w') });
    await opened.close();
  });

  test('a missing file and a broken one are told apart', async () => {
    await expect(openSafetensors(join(folder, 'no.safetensors'))).rejects.toMatchObject({ code: 'R0504' });
    await writeFile(join(folder, 'short'), 'abc');
    await expect(openSafetensors(join(folder, 'short'))).rejects.toMatchObject({ code: 'R0501' });
  });
});
