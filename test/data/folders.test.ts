import { afterAll, describe, expect, test } from '@jest/globals';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readClassFolder } from '../../runtime/node/data/folders/classes.ts';
import { readCoco } from '../../runtime/node/data/folders/coco.ts';
import { readMaskFolder, readMaskPair } from '../../runtime/node/data/folders/masks.ts';
import { rowPage, rowText, showRow } from '../../runtime/node/data/show-row.ts';
import { png as pngOf, pngChunk, pngHeader } from '../support/png.ts';
import { lines, png, rowsFolder } from '../support/rows-folder.ts';
import { recipeOf } from '../support/recipe.ts';

const { root, put, remove } = await rowsFolder();
afterAll(remove);

describe('a folder for each class', () => {
  test('classes by code point, pictures by name, all else passed over', async () => {
    await put({
      'c/b/2.png': png,
      'c/b/10.JPEG': png,
      'c/B/1.png': png,
      'c/\u{10000}/1.png': png,
      'c/\uff5e/1.webp': png,
      'c/b/.DS_Store': 'x',
      'c/b/notes.txt': 'x',
      'c/list.csv': 'x',
    });
    const { classes, pictures, passedOver } = await readClassFolder(join(root, 'c'), 'c');
    // By code unit the letter beyond the basic plane would come before U+FF5E.
    expect(classes).toEqual(['B', 'b', '\uff5e', '\u{10000}']);
    expect(pictures.map(({ name, label }) => [name, label])).toEqual([
      ['B/1.png', 0],
      ['b/10.JPEG', 1],
      ['b/2.png', 1],
      ['\uff5e/1.webp', 2],
      ['\u{10000}/1.png', 3],
    ]);
    expect(passedOver).toEqual(['list.csv', 'b/notes.txt']);
  });

  test('another split has the labels of the first, and no class of its own', async () => {
    await put({ 'd/b/1.png': png });
    expect((await readClassFolder(join(root, 'd'), 'd', ['a', 'b'])).pictures).toMatchObject([{ label: 1 }]);
    await expect(readClassFolder(join(root, 'd'), 'd', ['a'])).rejects.toMatchObject({
      code: 'R0522',
      message: expect.stringContaining('a class b'),
    });
  });

  test('a link out of the folder, and a folder without pictures', async () => {
    await put({ 'e/a/1.png': png, 'empty/a/x.txt': '' });
    await symlink(join(root, 'd', 'b', '1.png'), join(root, 'e', 'a', '2.png'));
    await expect(readClassFolder(join(root, 'e'), 'e')).rejects.toThrow(/a\/2.png leaves the folder by a link/);
    await expect(readClassFolder(join(root, 'empty'), 'empty')).rejects.toMatchObject({ code: 'R0522' });
  });
});

describe('masks', () => {
  const mask = (width: number): Uint8Array =>
    pngOf(
      pngHeader(width, 2, 8, 3),
      Uint8Array.from({ length: 2 * (width + 1) }, (_, i) => (i % (width + 1) === 0 ? 0 : i)),
      [pngChunk('PLTE', new Uint8Array(48))],
    );

  test('each picture has its mask, of its size', async () => {
    await put({ 'm/images/a.jpg': png, 'm/masks/a.png': mask(2), 'n/images/a.png': png, 'n/masks/a.png': mask(3) });
    const [pair, ...others] = await readMaskFolder(join(root, 'm'), 'm');
    expect(others).toEqual([]);
    expect(await readMaskPair(pair)).toMatchObject({ picture: { width: 2, height: 2 }, index: Uint8Array.of(1, 2, 4, 5) });
    const [other] = await readMaskFolder(join(root, 'n'), 'n');
    await expect(readMaskPair(other)).rejects.toThrow(/masks\/a.png has 3 x 2 pixels, and images\/a.png 2 x 2/);
  });

  test('one without the other', async () => {
    await put({
      'o/images/a.png': png,
      'o/masks/b.png': mask(2),
      'p/images/a.png': png,
      'p/masks/a.png': mask(2),
      'p/masks/b.png': mask(2),
    });
    await expect(readMaskFolder(join(root, 'o'), 'o')).rejects.toThrow(/images\/a.png has no mask/);
    await expect(readMaskFolder(join(root, 'p'), 'p')).rejects.toThrow(/masks\/b.png belongs to no picture/);
  });
});

describe('COCO', () => {
  const file = {
    categories: [{ id: 7, name: 'cat' }],
    images: [{ id: 3, file_name: 'a.png', width: 20, height: 10 }],
    annotations: [{ image_id: 3, category_id: 7, bbox: [1, 2, 19, 8], iscrowd: 0 }],
  };
  const read = async (change: object) => {
    await put({ 'boxes.json': JSON.stringify({ ...file, ...change }) });
    return readCoco(join(root, 'boxes.json'), 'boxes.json');
  };

  test('boxes of a picture', async () => {
    const { categories, pictures } = await read({});
    expect(categories.get(7)).toBe('cat');
    expect(pictures).toEqual([{ name: 'a.png', width: 20, height: 10, boxes: [{ x: 1, y: 2, w: 19, h: 8, category: 7, crowd: false }] }]);
  });

  test.each<[string, object, RegExp]>([
    ['no list', { images: {} }, /images: expected a list, found an object/],
    ['an unknown image', { annotations: [{ ...file.annotations[0], image_id: 4 }] }, /annotations\[0\].image_id: .*found 4/],
    ['an unknown category', { annotations: [{ ...file.annotations[0], category_id: 1 }] }, /annotations\[0\].category_id: .*found 1/],
    [
      'a box beyond the picture',
      { annotations: [{ ...file.annotations[0], bbox: [1, 2, 20, 8] }] },
      /annotations\[0\].bbox: .*within 20 x 10/,
    ],
    ['three numbers', { annotations: [{ ...file.annotations[0], bbox: [1, 2, 3] }] }, /annotations\[0\].bbox/],
    ['a name that is a number', { categories: [{ id: 7, name: 5 }] }, /categories\[0\].name: expected text, found 5/],
  ])('%s', async (_name, change, message) => {
    await expect(read(change)).rejects.toMatchObject({ code: 'R0520', message: expect.stringMatching(message) });
  });
});

describe('a row shown', () => {
  const row = { image: 'p.png', question: 'What <b>?', chosen: 'A.\n', rejected: 'B.' };

  test('in lines, and as a page with its picture as the encoder sees it', async () => {
    await put({ 's.jsonl': lines([row, { ...row, chosen: 'C.' }, { broken: 1 }]), 'p.png': png });
    // What is wrong with later rows is not asked for.
    const shown = await showRow(join(root, 's.jsonl'), 's.jsonl', 2);
    expect(rowText(shown)).toBe(
      [
        's.jsonl:2: row 2 of 3, layout flat',
        'image 0: p.png, 2 x 2',
        'prompt:',
        '  user: [image 0] "What <b>?"',
        'chosen:',
        '  assistant: "C."',
        'rejected:',
        '  assistant: "B."',
      ].join('\n'),
    );
    const recipe = recipeOf({ image_processor_type: 'ViTImageProcessor', size: 5 });
    const page = await rowPage(shown, { pictures: { recipe, folder: 'some/encoder' }, notes: [] });
    expect(page).toContain('of some/encoder');
    expect(page).toContain('seen as 5 x 5');
    expect(page).toContain('What &lt;b&gt;?');
    expect(page).toMatch(/<img src="data:image\/png;base64,[A-Za-z0-9+/=]+" alt="p.png" width="5" height="5">/);
    await expect(showRow(join(root, 's.jsonl'), 's.jsonl', 3)).rejects.toMatchObject({ code: 'R0520' });
    await expect(showRow(join(root, 's.jsonl'), 's.jsonl', 0)).rejects.toMatchObject({ code: 'R0513' });
  });
});
