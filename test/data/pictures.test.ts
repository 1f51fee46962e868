import { describe, expect, test } from '@jest/globals';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { decodeBytes } from '../../runtime/node/data/pictures/decode.ts';
import { inspectPicture } from '../../runtime/node/data/pictures/inspect.ts';
import { readMask } from '../../runtime/node/data/pictures/mask.ts';
import { png, pngChunk, pngHeader, SIGNATURE } from '../support/png.ts';

const [width, height] = [9, 7];
const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 53) % 256);
/** Rows with filter 0. */
const rows = Buffer.concat(
  Array.from({ length: height }, (_, y) => Buffer.concat([Buffer.of(0), rgb.subarray(y * width * 3, (y + 1) * width * 3)])),
);
const header = pngHeader(width, height, 8, 2);
const sound = png(header, rows);
const data = pngChunk('IDAT', deflateSync(rows));
const end = pngChunk('IEND', new Uint8Array(0));
const of = (...chunks: Uint8Array[]): Uint8Array => Buffer.concat([SIGNATURE, ...chunks]);
const jpeg = await sharp(rgb, { raw: { width, height, channels: 3 } })
  .jpeg()
  .toBuffer();
const webp = await sharp(rgb, { raw: { width, height, channels: 3 } })
  .webp()
  .toBuffer();

test('a sound picture, also with comments and bytes behind its end', async () => {
  for (const bytes of [sound, Buffer.concat([sound, Buffer.from('behind')]), png(header, rows, [pngChunk('tEXt', Buffer.from('k\0v'), 1)])])
    expect((await decodeBytes(bytes)).picture).toEqual({ width, height, rgb });
});

test('a comment that unfolds to 40 MB is never unpacked', async () => {
  const comment = pngChunk('zTXt', Buffer.concat([Buffer.from('k\0\0'), deflateSync(new Uint8Array(40_000_000))]));
  const before = process.memoryUsage().rss;
  expect((await decodeBytes(png(header, rows, [comment]))).picture.rgb).toEqual(rgb);
  expect(process.memoryUsage().rss - before).toBeLessThan(30_000_000);
});

describe('refused', () => {
  const short = deflateSync(rows.subarray(0, 2 * (1 + width * 3)));
  const filter = Uint8Array.from(rows);
  filter[0] = 9;
  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /expected a picture .*found 0 bytes/],
    ['HTML', Buffer.from('<!DOCTYPE html><html>'), /found HTML/],
    ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00'), /git lfs pull/],
    ['SVG', Buffer.from('<?xml version="1.0"?><!-- x --><svg xmlns="http://www.w3.org/2000/svg"/>'), /found SVG/],
    ['a signature', SIGNATURE, /nothing stands behind the signature/],
    [
      'a cut PNG',
      sound.subarray(0, sound.length - 30),
      new RegExp(`chunk IDAT at byte 33: expected ${sound.length} bytes or more, found ${sound.length - 30} bytes`),
    ],
    ['no end', sound.subarray(0, sound.length - 12), /no chunk IEND at byte \d+/],
    ['no data', of(header, end), /no chunk IDAT/],
    ['a wrong checksum', of(header, pngChunk('IDAT', deflateSync(rows), 7), end), /checksum of chunk IDAT at byte 33/],
    ['a wrong checksum of transparency', png(header, rows, [pngChunk('tRNS', new Uint8Array(6), 7)]), /checksum of chunk tRNS at byte 33/],
    [
      'two palettes',
      png(header, rows, [pngChunk('PLTE', new Uint8Array(3)), pngChunk('PLTE', new Uint8Array(3))]),
      /two chunks PLTE, the second at byte 48/,
    ],
    ['a wrong checksum of the header', of(pngChunk('IHDR', header.subarray(8, 21), 7), data, end), /checksum of chunk IHDR at byte 8/],
    ['no width', png(pngHeader(0, 7, 8, 2), rows), /IHDR at byte 8 says 0 x 7/],
    ['three bits', png(pngHeader(9, 7, 3, 2), rows), /colour type 2 with 3 bits/],
    ['interlace 2', png(pngHeader(9, 7, 8, 2, 2), rows), /interlace 2/],
    ['no palette', png(pngHeader(9, 7, 8, 3), rows), /no chunk PLTE/],
    ['a critical chunk', png(header, rows, [pngChunk('VITL', Uint8Array.of(1))]), /chunk VITL at byte 33 is unknown/],
    [
      'interrupted data',
      of(header, data, pngChunk('tEXt', Buffer.from('k\0v')), data, end),
      /IDAT are interrupted by chunk tEXt at byte \d+/,
    ],
    [
      'too few rows',
      of(header, pngChunk('IDAT', short), end),
      new RegExp(`expected ${rows.length} bytes, found ${2 * (1 + width * 3)} bytes`),
    ],
    ['an unknown filter', png(header, filter), /chunk IDAT at byte 33 name filter type 9 in row 1/],
    ['a bomb', png(pngHeader(50000, 50000, 8, 2), rows), /50000 x 50000 is too large/],
    ['a cut JPEG', jpeg.subarray(0, jpeg.length - 40), new RegExp(`no end marker EOI.*found ${jpeg.length - 40} bytes`)],
    ['a JPEG cut in its header', jpeg.subarray(0, 100), /segment DQT at byte \d+ claims .*found 100 bytes/],
    ['a cut WebP', webp.subarray(0, webp.length - 8), new RegExp(`expected ${webp.length} bytes, found ${webp.length - 8} bytes`)],
  ])('%s', async (_name, bytes, message) => {
    await expect(decodeBytes(bytes)).rejects.toMatchObject({
      code: expect.stringMatching(/^R05(21|31)$/),
      message: expect.stringMatching(message),
    });
  });

  test('a JPEG that promises more rows than it has', async () => {
    const taller = Buffer.from(jpeg);
    const frame = taller.indexOf(Buffer.of(0xff, 0xc0));
    taller.writeUInt16BE(height * 40, frame + 5);
    await expect(decodeBytes(taller)).rejects.toThrow(/SOF0 promises/);
    taller.writeUInt16BE(0, frame + 5);
    expect(() => inspectPicture(taller)).toThrow(/SOF0 at byte \d+ says 9 x 0/);
  });

  test('CMYK', async () => {
    const cmyk = await sharp(rgb, { raw: { width, height, channels: 3 } })
      .toColourspace('cmyk')
      .jpeg()
      .toBuffer();
    await expect(decodeBytes(cmyk)).rejects.toThrow(/CMYK/);
  });
});

test('gray of 16 bits is cut off at 255, as Pillow does', async () => {
  const words = Buffer.alloc(2 * (1 + 2 * 2));
  for (const [at, value] of [
    [1, 7],
    [3, 255],
    [6, 256],
    [8, 60000],
  ])
    words.writeUInt16BE(value, at);
  const { picture } = await decodeBytes(png(pngHeader(2, 2, 16, 0), words));
  expect(Array.from(picture.rgb)).toEqual([7, 255, 255, 255].flatMap((v) => [v, v, v]));
});

test('transparency is dropped, or laid on white', async () => {
  const rgba = Uint8Array.of(10, 20, 30, 0, 10, 20, 30, 255, 100, 0, 255, 128);
  const bytes = await sharp(rgba, { raw: { width: 3, height: 1, channels: 4 } })
    .png()
    .toBuffer();
  expect(Array.from((await decodeBytes(bytes)).picture.rgb)).toEqual([10, 20, 30, 10, 20, 30, 100, 0, 255]);
  const white = (await decodeBytes(bytes, { transparency: 'white' })).picture.rgb;
  expect(Array.from(white)).toEqual([255, 255, 255, 10, 20, 30, 177, 127, 255]);
});

describe('masks', () => {
  const palette = pngChunk('PLTE', new Uint8Array(48).fill(9));
  const packed = (index: number[][], depth: number, filter = 0): Uint8Array => {
    let above: number[] = [];
    const out = index.map((row) => {
      const bytes: number[] = [];
      row.forEach((value, x) => {
        const at = Math.floor((x * depth) / 8);
        bytes[at] = (bytes[at] ?? 0) | (value << (8 - depth - ((x * depth) % 8)));
      });
      const coded = bytes.map((byte, i) => {
        const [left, up, corner] = [bytes[i - 1] ?? 0, above[i] ?? 0, i > 0 ? (above[i - 1] ?? 0) : 0];
        const nearest = [left, up, corner].sort((a, b) => Math.abs(left + up - corner - a) - Math.abs(left + up - corner - b))[0];
        return (byte - [0, left, up, (left + up) >> 1, nearest][filter]) & 255;
      });
      above = bytes;
      return [filter, ...coded];
    });
    return Uint8Array.from(out.flat());
  };
  const index = Array.from({ length: 6 }, (_, y) => Array.from({ length: 5 }, (_, x) => (x * 3 + y * y) % 16));

  test.each([
    [4, 0],
    [8, 0],
    [8, 1],
    [8, 2],
    [8, 3],
    [8, 4],
  ])('%i bits, filter %i: indices, though all colours are one', (depth, filter) => {
    const mask = readMask(png(pngHeader(5, 6, depth, 3), packed(index, depth, filter), [palette]));
    expect(mask).toEqual({ width: 5, height: 6, index: Uint8Array.from(index.flat()) });
  });

  test('one and two bits', () => {
    for (const depth of [1, 2]) {
      const small = index.map((row) => row.map((value) => value % 2 ** depth));
      expect(Array.from(readMask(png(pngHeader(5, 6, depth, 3), packed(small, depth), [palette])).index)).toEqual(small.flat());
    }
  });

  test('interlaced', () => {
    const starts = [0, 4, 0, 2, 0, 1, 0].map((x, i) => [x, [0, 0, 4, 0, 2, 0, 1][i], [8, 8, 4, 4, 2, 2, 1][i], [8, 8, 8, 4, 4, 2, 2][i]]);
    const passes = starts.map(([x, y, across, down]) =>
      index.filter((_, at) => at >= y && (at - y) % down === 0).map((row) => row.filter((_, at) => at >= x && (at - x) % across === 0)),
    );
    const bytes = Buffer.concat(passes.filter((pass) => pass.length > 0 && pass[0].length > 0).map((pass) => packed(pass, 8)));
    expect(Array.from(readMask(png(pngHeader(5, 6, 8, 3, 1), bytes, [palette])).index)).toEqual(index.flat());
  });

  test('gray of 8 bits is indices; colours, fewer bits of gray, and other formats are refused', () => {
    expect(Array.from(readMask(png(pngHeader(5, 6, 8, 0), packed(index, 8))).index)).toEqual(index.flat());
    expect(() => readMask(png(pngHeader(5, 6, 4, 0), packed(index, 4)))).toThrow(/colour type 0 of 4 bits/);
    expect(() => readMask(sound)).toThrow(/colour type 2 of 8 bits/);
    expect(() => readMask(jpeg)).toThrow(/a mask is a PNG/);
  });
});
