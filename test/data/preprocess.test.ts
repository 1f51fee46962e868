import { describe, expect, test } from '@jest/globals';
import type { Filter } from '../../formats/processor/recipe.ts';
import { readProcessor } from '../../formats/processor/read.ts';
import { geometry, levels, pixelValues, preprocess, resizedSize } from '../../runtime/core/data/preprocess/preprocess.ts';
import { crop, resize } from '../../runtime/core/data/preprocess/resample.ts';
import type { Order } from '../../runtime/core/data/preprocess/resample.ts';
import type { Picture } from '../../runtime/core/data/row.ts';
import { recipeOf } from '../support/recipe.ts';

function pattern(width: number, height: number): Picture {
  return {
    width,
    height,
    rgb: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37 + Math.floor(i / (3 * width)) * 101) % 256),
  };
}

const SIGLIP = { image_processor_type: 'SiglipImageProcessor', size: { height: 6, width: 6 } };

describe('resizing a window', () => {
  test.each<[Filter, Order, number, number]>([
    ['bicubic', 'rows', 9, 31],
    ['bicubic', 'pillow13', 9, 31],
    ['bilinear', 'pillow13', 40, 7],
    ['bilinear', 'rows', 23, 17],
    ['bicubic', 'pillow13', 23, 40],
  ])('%s, %s: the window of %i x %i is cut out of the whole', (filter, order, width, height) => {
    const picture = pattern(23, 17);
    const whole = resize(picture, width, height, { filter, order });
    const window = { x: 2, y: 3, width: 5, height: 4 };
    expect(resize(picture, width, height, { filter, order, window })).toEqual(crop(whole, window));
  });

  test('columns come first where the picture shrinks far more in height, and the bytes differ', () => {
    const tall = pattern(20, 60);
    const [old, now] = (['rows', 'pillow13'] as const).map((order) => resize(tall, 15, 15, { order }).rgb);
    expect(now).not.toEqual(old);
    // Columns first by hand: each pass alone has no order.
    expect(now).toEqual(resize(resize(tall, 20, 15), 15, 15).rgb);
    // At 2 (W - w) exactly, rows still come first.
    const edge = pattern(20, 25);
    expect(resize(edge, 15, 15, { order: 'pillow13' }).rgb).toEqual(resize(edge, 15, 15).rgb);
  });

  test('bilinear halves by a mean of triangle weights', () => {
    // 4 to 2: support 2, weights 0.75, 0.75, 0.25 over the first three samples, then normalised.
    const row: Picture = { width: 4, height: 1, rgb: Uint8Array.from([0, 100, 200, 80].flatMap((v) => [v, v, v])) };
    const [first] = resize(row, 2, 1, { filter: 'bilinear' }).rgb;
    expect(first).toBe(Math.floor((0 * 0.75 + 100 * 0.75 + 200 * 0.25) / 1.75 + 0.5));
  });
});

describe('geometry', () => {
  test('the long side is truncated', () => {
    const to = { kind: 'shortest edge', edge: 42 } as const;
    expect(resizedSize({ width: 640, height: 427 }, to)).toEqual({ width: 62, height: 42 });
    expect(resizedSize({ width: 427, height: 640 }, to)).toEqual({ width: 42, height: 62 });
  });

  test('a picture of one column costs what the crop keeps, and without a crop it is refused', () => {
    const thin = pattern(1, 65535);
    const recipe = recipeOf({ image_processor_type: 'CLIPImageProcessor' });
    const start = performance.now();
    const { width, height } = geometry(thin, recipe);
    expect([width, height]).toEqual([224, 224]);
    expect(performance.now() - start).toBeLessThan(2000);
    const uncropped = { ...recipe, crop: undefined };
    expect(() => geometry(thin, uncropped)).toThrow(
      expect.objectContaining({ code: 'R0531', message: expect.stringContaining('224 x 14679840') }),
    );
  });

  test('padding is the mean, truncated, with the picture in the middle', () => {
    const recipe = recipeOf({ image_processor_type: 'LlavaImageProcessor', do_pad: true, do_resize: false, do_center_crop: false });
    const { width, height, rgb } = geometry({ width: 1, height: 4, rgb: new Uint8Array(12).fill(9) }, recipe);
    expect([width, height]).toEqual([4, 4]);
    expect(Array.from(rgb.subarray(0, 12))).toEqual([122, 116, 104, 9, 9, 9, 122, 116, 104, 122, 116, 104]);
  });

  test('a crop larger than the picture is refused', () => {
    const recipe = recipeOf({ image_processor_type: 'CLIPImageProcessor', size: { shortest_edge: 8 }, crop_size: 9 });
    expect(() => geometry(pattern(20, 20), recipe)).toThrow(expect.objectContaining({ code: 'R0530' }));
  });
});

describe('pixel values', () => {
  test('every operation is rounded to float32', () => {
    const table = levels(recipeOf({ ...SIGLIP, image_mean: [0.1, 0.5, 0.5], image_std: [0.3, 0.5, 0.5] }));
    const f = Math.fround;
    for (const byte of [0, 1, 77, 255]) expect(table[byte]).toBe(f(f(f(byte * (1 / 255)) - f(0.1)) / f(0.3)));
    expect(table[256 + 255]).toBe(1);
    expect(table[256]).toBe(-1);
  });

  test('channels become planes', () => {
    const recipe = { ...recipeOf({ ...SIGLIP, do_resize: false, do_normalize: false, do_rescale: false }) };
    expect(Array.from(pixelValues({ width: 2, height: 1, rgb: Uint8Array.of(1, 2, 3, 4, 5, 6) }, levels(recipe)))).toEqual([
      1, 4, 2, 5, 3, 6,
    ]);
    expect(preprocess(pattern(10, 8), recipeOf(SIGLIP))).toMatchObject({ width: 6, height: 6, values: expect.any(Float32Array) });
  });
});

describe('configurations', () => {
  test('old and new forms are the same recipe', () => {
    const old = recipeOf({ feature_extractor_type: 'CLIPFeatureExtractor', size: 30, crop_size: 28, resample: 3 });
    const now = recipeOf({
      image_processor_type: 'CLIPImageProcessorFast',
      size: { shortest_edge: 30 },
      crop_size: { height: 28, width: 28 },
    });
    expect(old).toEqual(now);
    expect(old).toMatchObject({ resize: { to: { kind: 'shortest edge', edge: 30 }, filter: 'bicubic' }, crop: { width: 28, height: 28 } });
  });

  test('a number is a square where the class is of squares, and the model names the class', () => {
    expect(recipeOf({ size: 30 }, { model: { model_type: 'vit' } })).toMatchObject({
      as: 'ViTImageProcessor',
      resize: { to: { kind: 'exact', width: 30, height: 30 }, filter: 'bilinear' },
      normalise: { mean: [0.5, 0.5, 0.5] },
    });
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['an unknown class', { image_processor_type: 'SiglipImageProcesor' }, /image_processor_type: .*did you mean SiglipImageProcessor/],
    ['a name of Object', { image_processor_type: 'constructor' }, /found "constructor"/],
    ['two means', { image_mean: [0.5, 0.5] }, /image_mean: expected 3 numbers, found 2/],
    ['a deviation of 0', { image_std: [0.5, 0, 0.5] }, /image_std\[1\]: expected a number above 0, found 0/],
    ['an unknown filter', { resample: 99 }, /resample: expected 0 to 5.*found 99/],
    ['another filter', { resample: 1 }, /resample: .*found 1 \(lanczos\)/],
    ['a negative size', { size: { height: -3, width: 3 } }, /size.height: expected a positive whole number, found -3/],
    ['unknown keys of a size', { size: { long_side: 3 } }, /size: expected height and width, or shortest_edge, found long_side/],
    ['a huge size', { size: { height: 100000, width: 100000 } }, /size: expected at most/],
    ['no crop size', { image_processor_type: 'CLIPImageProcessor', crop_size: null }, /crop_size: expected height and width, found null/],
    ['a factor in words', { rescale_factor: '1/255' }, /rescale_factor: .*found "1\/255"/],
    ['a step that is not known', { do_thumbnail: true }, /do_thumbnail: expected a step that is reproduced, found true/],
    [
      'two faults at once',
      { resample: 99, image_mean: 'x' },
      /^preprocessor_config.json: image_mean: expected 3 numbers, found "x"; resample: expected/,
    ],
  ])('%s', (_name, change, message) => {
    expect(() => recipeOf({ ...SIGLIP, ...change })).toThrow(
      expect.objectContaining({ code: 'R0530', message: expect.stringMatching(message) }),
    );
  });

  test('neither class nor model', () => {
    expect(() => recipeOf({ size: 3 })).toThrow(/image_processor_type: expected one of .*found none, and no config.json/);
    expect(() => recipeOf([])).toThrow(/expected an object, found a list/);
  });

  test('the size must be that of the encoder', () => {
    expect(() => recipeOf({ ...SIGLIP, size: { height: 48, width: 48 } }, { side: 32 })).toThrow(/size: expected 32 x 32.*found 48 x 48/);
    // A bare number is the shortest edge of this class, as in transformers 5.
    for (const size of [{ shortest_edge: 32 }, 32])
      expect(() => recipeOf({ ...SIGLIP, size }, { side: 32 })).toThrow(/found a shorter side of 32 and no crop/);
  });
});

describe('processor_config.json of transformers 5', () => {
  const file = (name: string, value: unknown) => ({ file: name, content: JSON.stringify(value) });
  const nested = (value: unknown) => file('processor_config.json', { processor_class: 'LlavaProcessor', image_processor: value });

  test('its image_processor counts, before another file', () => {
    const own = file('preprocessor_config.json', { ...SIGLIP, size: 9 });
    expect(readProcessor({ nested: nested(SIGLIP) })).toMatchObject({ file: 'processor_config.json', recipe: recipeOf(SIGLIP) });
    expect(readProcessor({ own, nested: nested(SIGLIP) })).toMatchObject({ recipe: recipeOf(SIGLIP) });
  });

  test('without one, the older file counts; without both there is none', () => {
    const old = file('processor_config.json', { processor_class: 'LlavaProcessor', patch_size: 14 });
    expect(readProcessor({ own: file('preprocessor_config.json', SIGLIP), nested: old })).toMatchObject({
      file: 'preprocessor_config.json',
    });
    expect(readProcessor({ nested: old })).toBeUndefined();
    expect(readProcessor({})).toBeUndefined();
  });

  test('faults name their place in it', () => {
    expect(() => readProcessor({ nested: nested({ ...SIGLIP, resample: 0 }) })).toThrow(
      /processor_config.json: image_processor.resample: expected 2 \(bilinear\) or 3 \(bicubic\), found 0 \(nearest\)/,
    );
    expect(() => readProcessor({ nested: nested(7) })).toThrow(/image_processor: expected an object, found 7/);
    expect(() => readProcessor({ nested: nested({ size: 3 }) })).toThrow(/image_processor.image_processor_type: expected one of/);
  });
});
