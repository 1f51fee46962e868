import sharp from 'sharp';
import { describe, expect, test } from '@jest/globals';
import type { Picture } from '../../runtime/core/data/row.ts';
import { inferno } from '../../runtime/node/report/colours.ts';
import { imagePng, mapPng } from '../../runtime/node/report/pictures.ts';

async function pixels(uri: string): Promise<{ width: number; at: (x: number, y: number) => number[] }> {
  const [head, body] = uri.split(',');
  expect(head).toBe('data:image/png;base64');
  const { data, info } = await sharp(Buffer.from(body, 'base64'))
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, at: (x, y) => [...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3)] };
}

const image: Picture = { width: 2, height: 2, rgb: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9) };

describe('pictures', () => {
  test('a small image is enlarged without smoothing', async () => {
    const { width, at } = await pixels(await imagePng(image, []));
    expect(width).toBe(384);
    expect([at(0, 0), at(191, 191), at(192, 0), at(0, 192), at(383, 383)]).toEqual([
      [255, 0, 0],
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
      [9, 9, 9],
    ]);
  });

  test('a large image is reduced', async () => {
    const large = { width: 800, height: 400, rgb: new Uint8Array(800 * 400 * 3).fill(77) };
    const { width, at } = await pixels(await imagePng(large, []));
    expect([width, at(10, 10)]).toEqual([384, [77, 77, 77]]);
  });

  test('boxes are framed in white, also where they leave the image', async () => {
    const { at } = await pixels(
      await imagePng(image, [
        { x: 1, y: 1, w: 1e9, h: 1 },
        { x: -5, y: -5, w: 1, h: 1 },
      ]),
    );
    expect(at(192 + 2, 300)).toEqual([255, 255, 255]);
    expect(at(100, 100)).toEqual([255, 0, 0]);
  });

  test('the largest value of a map is brightest, wherever the map’s scale lies', async () => {
    const bright = async (map: number[]): Promise<number[]> => {
      const { at } = await pixels(await mapPng(map, 2, undefined, [], [2, 2]));
      return [
        [96, 96],
        [288, 96],
        [96, 288],
        [288, 288],
      ].map(([x, y]) => at(x, y).reduce((a, b) => a + b, 0));
    };
    const [a, b, c, d] = await bright([0, 1e-6, 2e-6, 4e-6]);
    expect(a < b && b < c && c < d).toBe(true);
    expect(await bright([0, 1, 2, 4])).toEqual([a, b, c, d]);
    expect(new Set(await bright([0, 0, 0, 0]))).toEqual(new Set([a]));
  });

  test('the colour map goes through its ends and grows lighter all the way', () => {
    expect([inferno(-1), inferno(2)]).toEqual([
      [0, 0, 4],
      [252, 255, 164],
    ]);
    const light = Array.from({ length: 33 }, (_, i) => inferno(i / 32)).map(([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b);
    expect(light.every((value, i) => i === 0 || value > light[i - 1])).toBe(true);
  });
});
