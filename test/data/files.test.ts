import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { DataSource } from '../../plan/plan.ts';
import { openSource } from '../../runtime/core/data/row.ts';
import type { Picture, Row, RowSource } from '../../runtime/core/data/row.ts';
import { countUnfit } from '../../runtime/core/data/fit.ts';
import { SCENES_WORDS } from '../../runtime/core/data/scenes/words.ts';
import { contentHash } from '../../runtime/node/data/content-hash.ts';
import { decodeFile } from '../../runtime/node/data/pictures/decode.ts';
import { kindOf } from '../../runtime/node/data/pictures/inspect.ts';
import { encodePng, exportScenes } from '../../runtime/node/data/export-rows.ts';
import { NODE_SOURCES } from '../../runtime/node/data/sources.ts';
import { writeSafetensors } from '../../runtime/node/safetensors/files.ts';

const root = await mkdtemp(join(tmpdir(), 'pivot-files-'));
afterAll(() => rm(root, { recursive: true, force: true }));

const context = { openers: NODE_SOURCES, workers: 0, resolve: (path: string) => join(root, path) };
const spec = (source: string, folder: string, count: number, more: Partial<DataSource> = {}): DataSource => ({
  source,
  params: { folder, size: 24 },
  count,
  ...more,
});
const open = (source: string, folder: string, count: number): Promise<RowSource> => openSource(spec(source, folder, count), context);
const rowsOf = (source: RowSource): Promise<Row[]> => Promise.all(Array.from({ length: source.count }, (_, i) => source.row(i)));

/** A picture with some structure: the byte at (x, y, c) is a formula. */
function pattern(width: number, height: number): Picture {
  return {
    width,
    height,
    rgb: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37 + Math.floor(i / (3 * width)) * 11) % 256),
  };
}

/** A folder with these files; a picture is written as PNG, anything but a text as JSON lines. */
async function folder(name: string, files: Record<string, string | Uint8Array | object[]>): Promise<string> {
  for (const [file, content] of Object.entries(files)) {
    const path = join(root, name, file);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, Array.isArray(content) ? content.map((row) => JSON.stringify(row)).join('\n') : content);
  }
  return name;
}

const png = await encodePng(pattern(24, 24));
const user = (...content: object[]) => [{ role: 'user', content }];
const assistant = (text: string) => [{ role: 'assistant', content: [{ type: 'text', text }] }];
const part = (text: string) => ({ type: 'text', text });
const picture = { type: 'image' };

describe('a folder written and read back', () => {
  const scenes: DataSource = { source: 'scenes.preferences', params: { seed: 5, size: 24 }, count: 12 };

  test('preferences are the same, pixel for pixel', async () => {
    await exportScenes(join(root, 'pairs'), scenes);
    expect(await rowsOf(await open('files.preferences', 'pairs', 12))).toEqual(await rowsOf(await openSource(scenes, context)));
    expect((await readdir(root)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await expect(exportScenes(join(root, 'pairs'), scenes)).rejects.toMatchObject({ code: 'R0524' });
  });

  test('so are captions', async () => {
    const captions = { ...scenes, source: 'scenes.captions' };
    await exportScenes(join(root, 'captions'), captions);
    expect(await rowsOf(await open('files.captions', 'captions', 12))).toEqual(await rowsOf(await openSource(captions, context)));
  });

  test('only as many rows as the text counts, and never fewer', async () => {
    expect((await open('files.preferences', 'pairs', 5)).count).toBe(5);
    await expect(open('files.preferences', 'pairs', 13)).rejects.toMatchObject({ code: 'R0513', cure: 'set count to 12, or add rows' });
  });

  test('a folder that changed after compiling is refused', async () => {
    const content = contentHash(join(root, 'pairs'));
    await openSource(spec('files.preferences', 'pairs', 12, { content }), context);
    await expect(openSource(spec('files.preferences', 'pairs', 12, { content: 'f'.repeat(32) }), context)).rejects.toMatchObject({
      code: 'R0523',
    });
  });

  test('texts are scanned without pictures, and rows named by line', async () => {
    const source = await open('files.preferences', 'pairs', 12);
    const tokenizer = { kind: 'words' as const, words: [...SCENES_WORDS], pad: 0, end: 1 };
    const unfit = countUnfit(source, { layout: 'pairs', image: 24, imageTokens: 9, prompt: 8, answer: 1 }, tokenizer);
    expect(unfit.count).toBe(12);
    expect(unfit.examples[2]).toMatch(/chosen of row 3 \(pairs\/rows.jsonl, line 3\) has \d+ tokens with its end token, and answer is 1/);
  });
});

describe('forms of rows', () => {
  const expected = [{ prompt: 'what is it', chosen: 'a cat', rejected: 'a dog' }];
  const texts = async (name: string, rows: object[], source = 'files.preferences') => {
    await folder(name, { 'a.jsonl': rows, 'x.png': png });
    const opened = await open(source, name, rows.length);
    return rows.map((_, i) => opened.text?.(i));
  };

  test.each<[string, object]>([
    ['plain', { image: 'x.png', prompt: 'what is it', chosen: 'a cat', rejected: 'a dog' }],
    ['marked', { images: ['x.png'], prompt: '<image>what is it', chosen: 'a cat', rejected: 'a dog' }],
    [
      'messages',
      { images: ['x.png'], prompt: user(picture, part('what is it')), chosen: assistant('a cat'), rejected: assistant('a dog') },
    ],
    [
      'string-content',
      {
        image: 'x.png',
        prompt: [{ role: 'user', content: 'what is it' }],
        chosen: assistant('a cat'),
        rejected: [{ role: 'assistant', content: 'a dog' }],
      },
    ],
    [
      'implicit',
      {
        image: 'x.png',
        chosen: [...user(picture, part('what is '), part('it')), ...assistant('a cat')],
        rejected: [...user(picture, part('what is '), part('it')), ...assistant('a dog')],
      },
    ],
  ])('preferences, %s', async (name, row) => {
    expect(await texts(`form-${name}`, [row])).toEqual(expected);
  });

  test.each<[string, object]>([
    ['answer', { image: 'x.png', prompt: 'what is it', answer: 'a cat' }],
    ['completion', { images: ['x.png'], prompt: user(picture, part('what is it')), completion: assistant('a cat') }],
    ['messages', { images: ['x.png'], messages: [...user(picture, part('what is it')), ...assistant('a cat')] }],
  ])('captions, %s', async (name, row) => {
    expect(await texts(`caption-${name}`, [row], 'files.captions')).toEqual([{ prompt: 'what is it', answer: 'a cat' }]);
  });

  test('files in the order of their names, blank lines passed over, other columns kept', async () => {
    const row = (prompt: string, more = {}) => JSON.stringify({ image: 'in/x.png', prompt, chosen: 'a', rejected: 'b', ...more });
    await folder('several', {
      'b.jsonl': row('3'),
      'a.jsonl': `\uFEFF${row('1', { id: 7 })}\r\n\n${row('2\u2028')}\n`,
      'in/x.png': png,
      'notes.txt': 'no rows',
    });
    const source = await open('files.preferences', 'several', 3);
    expect([0, 1, 2].map((i) => source.text?.(i).prompt)).toEqual(['1', '2\u2028', '3']);
    expect(source.text?.(0).extra).toEqual({ id: 7 });
    expect([0, 1, 2].map((i) => source.place?.(i))).toEqual([
      { file: 'several/a.jsonl', line: 1 },
      { file: 'several/a.jsonl', line: 3 },
      { file: 'several/b.jsonl', line: 1 },
    ]);
  });

  test('boxes follow the picture when it is resized', async () => {
    await folder('boxes', {
      'a.jsonl': [{ image: 'x.png', prompt: 'p', answer: 'a', boxes: [{ x: 10, y: 20, w: 30, h: 40 }] }],
      'x.png': await encodePng(pattern(48, 96)),
    });
    const row = await (await open('files.captions', 'boxes', 1)).row(0);
    expect(row.boxes).toEqual([{ x: 5, y: 5, w: 15, h: 10 }]);
    expect(row.image).toMatchObject({ width: 24, height: 24 });
  });
});

describe('faults', () => {
  const good = { image: 'x.png', prompt: 'p', chosen: 'a', rejected: 'b' };

  test.each<[string, object | string, RegExp]>([
    ['no JSON', '{"image": ', /a.jsonl:2: not valid JSON/],
    ['a list', '[1]', /a.jsonl:2: not a JSON object/],
    [
      'a missing column',
      { image: 'x.png', prompt: 'p', chosen: 'a' },
      /a.jsonl:2: rejected: there is no such column; the row has image, prompt, chosen/,
    ],
    ['no picture', { ...good, image: undefined }, /a.jsonl:2: images: 0 pictures; a row has one/],
    ['an empty list of pictures', { ...good, image: undefined, images: [] }, /a.jsonl:2: images: 0 pictures; a row has one/],
    ['two pictures', { ...good, image: undefined, images: ['x.png', 'x.png'] }, /a.jsonl:2: images: 2 pictures/],
    ['a missing picture', { ...good, image: 'y.png' }, /a.jsonl:2: image: y.png does not exist/],
    ['a path upwards', { ...good, image: '../x.png' }, /a.jsonl:2: image: ..\/x.png leaves the folder/],
    ['a path from the root', { ...good, image: '/etc/hostname' }, /\/etc\/hostname leaves the folder/],
    ['a link out', { ...good, image: 'link.png' }, /link.png leaves the folder by a link/],
    ['SVG under another name', { ...good, image: 'svg.png' }, /svg.png is neither PNG, JPEG nor WebP/],
    ['a folder', { ...good, image: 'sub' }, /sub cannot be read \(EISDIR\)/],
    ['a number as text', { ...good, chosen: 3 }, /a.jsonl:2: chosen: expected text, found 3/],
    [
      'a system text',
      {
        ...good,
        prompt: [
          { role: 'system', content: 's' },
          { role: 'user', content: 'u' },
        ],
      },
      /prompt: 2 messages \(system, user\)/,
    ],
    ['a picture behind words', { ...good, prompt: user(part('what is'), picture) }, /prompt: the picture stands behind words/],
    ['a mark behind words', { ...good, prompt: 'what <image>' }, /prompt: the picture stands behind words/],
    [
      'an answer with a picture',
      { ...good, prompt: user(picture, part('p')), chosen: [{ role: 'assistant', content: [picture] }] },
      /chosen\[0\].content\[0\]: an answer with a picture/,
    ],
    [
      'an answer of the user',
      { ...good, prompt: user(picture, part('p')), chosen: user(part('a')) },
      /chosen\[0\].role: expected assistant, since it is an answer, found user/,
    ],
    [
      'an unknown part',
      { ...good, prompt: user({ type: 'video' }) },
      /prompt\[0\].content\[0\].type: expected text or image, found the text "video"/,
    ],
    ['bad boxes', { ...good, boxes: [[1, 2, 3, 4]] }, /boxes: must be a list of/],
  ])('%s is refused', async (name, row, message) => {
    const files = {
      'a.jsonl': `${JSON.stringify(good)}\n${typeof row === 'string' ? row : JSON.stringify(row)}`,
      'x.png': png,
      'svg.png': '<svg xmlns="http://www.w3.org/2000/svg"/>',
      'sub/y.txt': '',
    };
    const at = await folder(`fault ${name}`, files);
    await writeFile(join(root, 'outside.png'), png);
    await symlink(join(root, 'outside.png'), join(root, at, 'link.png'));
    await expect(open('files.preferences', at, 2)).rejects.toMatchObject({
      code: 'R0520',
      message: expect.stringMatching(message),
      place: { file: `${at}/a.jsonl`, line: 2 },
    });
  });

  test('several faults come in one answer, ten at most', async () => {
    await folder('many', {
      'a.jsonl': Array.from({ length: 13 }, () => ({ ...good, chosen: undefined })),
      'b.jsonl': [{ ...good, image: 'no.png' }],
      'x.png': png,
    });
    const error: unknown = await open('files.preferences', 'many', 14).catch((e: unknown) => e);
    const message = error instanceof Error ? error.message : '';
    expect(message).toMatch(/^14 faults in the rows of many:/);
    expect(message.split('\n').length).toBe(12);
    expect(message).toMatch(/many\/b.jsonl:1: image: no.png does not exist\n {2}and 4 more$/);
  });

  test('a folder that is missing, is a file, or has no rows', async () => {
    await folder('empty', { 'x.png': png });
    await expect(open('files.preferences', 'nowhere', 1)).rejects.toMatchObject({ code: 'R0522', message: 'there is no folder nowhere' });
    await expect(open('files.preferences', 'empty/x.png', 1)).rejects.toMatchObject({ code: 'R0522' });
    await expect(open('files.preferences', 'empty', 1)).rejects.toMatchObject({
      code: 'R0522',
      message: expect.stringMatching(/^there is no file of rows \(.jsonl, .*\) in empty$/),
    });
  });

  test('a picture that breaks off names its file, line and row when it is read', async () => {
    await folder('cut', { 'a.jsonl': [good, { ...good, image: 'cut.png' }], 'x.png': png, 'cut.png': png.subarray(0, 200) });
    const source = await open('files.preferences', 'cut', 2);
    await expect(source.row(1)).rejects.toMatchObject({
      code: 'R0521',
      message: expect.stringMatching(/^cut\/a.jsonl:2: image: cut.png cannot be decoded/),
      place: { file: 'cut/a.jsonl', line: 2, row: 2 },
    });
    expect((await source.row(0)).image).toEqual(pattern(24, 24));
  });
});

describe('pictures', () => {
  test('kinds are told by the first bytes', async () => {
    const raw = sharp(pattern(8, 8).rgb, { raw: { width: 8, height: 8, channels: 3 } });
    expect(
      [
        await raw.clone().png().toBuffer(),
        await raw.clone().jpeg().toBuffer(),
        await raw.clone().webp().toBuffer(),
        await raw.clone().gif().toBuffer(),
      ].map(kindOf),
    ).toEqual(['PNG', 'JPEG', 'WebP', undefined]);
  });

  test('gray, transparent and turned pictures become RGB', async () => {
    const path = join(root, 'one.png');
    const gray = Uint8Array.from({ length: 12 }, (_, i) => i * 20);
    await writeFile(
      path,
      await sharp(gray, { raw: { width: 4, height: 3, channels: 1 } })
        .png()
        .toBuffer(),
    );
    expect((await decodeFile(path)).picture).toEqual({
      width: 4,
      height: 3,
      rgb: Uint8Array.from({ length: 36 }, (_, i) => Math.floor(i / 3) * 20),
    });
    const rgba = Uint8Array.of(1, 2, 3, 0, 4, 5, 6, 128);
    await writeFile(
      path,
      await sharp(rgba, { raw: { width: 2, height: 1, channels: 4 } })
        .png()
        .toBuffer(),
    );
    expect((await decodeFile(path)).picture).toEqual({ width: 2, height: 1, rgb: Uint8Array.of(1, 2, 3, 4, 5, 6) });
    const two = Uint8Array.of(10, 20, 30, 40, 50, 60);
    await writeFile(
      path,
      await sharp(two, { raw: { width: 2, height: 1, channels: 3 } })
        .png()
        .withMetadata({ orientation: 6 })
        .toBuffer(),
    );
    expect((await decodeFile(path)).picture).toEqual({ width: 1, height: 2, rgb: two });
  });
});

describe('the content hash', () => {
  test('depends on names and contents below a folder, and on nothing else', async () => {
    const at = join(root, await folder('hashed', { 'a.txt': 'one', 'sub/b.txt': 'two' }));
    const first = contentHash(at);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    await folder('hashed-again', { 'sub/b.txt': 'two', 'a.txt': 'one', '.DS_Store': 'x' });
    expect(contentHash(join(root, 'hashed-again'))).toBe(first);
    await writeFile(join(at, 'a.txt'), 'One');
    const changed = contentHash(at);
    await writeFile(join(at, 'a.txt'), 'one');
    await writeFile(join(at, 'c.txt'), '');
    expect(new Set([first, changed, contentHash(at)]).size).toBe(3);
    // sha256sum of "one", cut to 128 bits.
    expect(contentHash(join(at, 'a.txt'))).toBe('7692c3ad3540bb803c020b3aee66cd88');
  });
});

describe('tensors', () => {
  const tensors = (file: string, count: number) => openSource({ source: 'tensors', params: { file }, count }, context);

  test('rows along the first axis', async () => {
    await writeSafetensors(join(root, 'rows.safetensors'), [
      { name: 'x', dtype: 'f32', shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { name: 'id', dtype: 'i32', shape: [3], data: Int32Array.of(7, 8, 9) },
    ]);
    const row = await (await tensors('rows.safetensors', 3)).row(1);
    expect(row.tensors?.get('x')).toEqual({ name: 'x', dtype: 'f32', shape: [1, 2], data: Float32Array.of(3, 4) });
    expect(row.tensors?.get('id')).toEqual({ name: 'id', dtype: 'i32', shape: [1], data: Int32Array.of(8) });
    await expect(tensors('rows.safetensors', 4)).rejects.toMatchObject({ code: 'R0513' });
  });

  test('columns of different lengths, and a missing file', async () => {
    await writeSafetensors(join(root, 'odd.safetensors'), [
      { name: 'x', dtype: 'f32', shape: [2], data: new Float32Array(2) },
      { name: 'y', dtype: 'f32', shape: [3], data: new Float32Array(3) },
    ]);
    await expect(tensors('odd.safetensors', 2)).rejects.toMatchObject({ code: 'R0512', message: expect.stringContaining('x [2], y [3]') });
    await expect(tensors('no.safetensors', 2)).rejects.toMatchObject({ code: 'R0504' });
  });
});

test('exported rows carry the columns of other trainers', async () => {
  const text = await readFile(join(root, 'pairs', 'rows.jsonl'), 'utf8');
  expect(Object.keys(JSON.parse(text.split('\n')[0]) as object)).toEqual(
    expect.arrayContaining(['image', 'prompt', 'chosen', 'rejected', 'boxes']),
  );
});
