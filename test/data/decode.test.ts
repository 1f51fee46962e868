import { afterAll, describe, expect, test } from '@jest/globals';
import { transform } from '@swc/core';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';
import { resize } from '../../runtime/core/data/preprocess/resample.ts';
import type { Picture } from '../../runtime/core/data/row.ts';
import { decodeFile } from '../../runtime/node/data/pictures/decode.ts';

const pictures = fileURLToPath(new URL('./pictures/', import.meta.url));
const repository = fileURLToPath(new URL('../../', import.meta.url));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Expected {
  width: number;
  height: number;
  decoded: string;
  resized48?: string;
}

const recorded = JSON.parse(await readFile(join(pictures, 'expect.json'), 'utf8')) as { pictures: Record<string, Expected> };
const cases = Object.entries(recorded.pictures);

describe('pictures are read as Pillow reads them', () => {
  test.each(cases)('%s', async (name, expected) => {
    const { picture, stored } = await decodeFile(join(pictures, name));
    expect(stored).toEqual({ width: expected.width, height: expected.height });
    expect(sha256(picture.rgb)).toBe(expected.decoded);
    if (expected.resized48 !== undefined) expect(sha256((await decodeFile(join(pictures, name), 48)).picture.rgb)).toBe(expected.resized48);
  });

  test('several of them are resized in the record', () => {
    expect(cases.filter(([, { resized48 }]) => resized48 !== undefined).length).toBeGreaterThanOrEqual(4);
  });
});

describe('resizing', () => {
  const flat = (width: number, height: number, value: number): Picture => ({
    width,
    height,
    rgb: new Uint8Array(width * height * 3).fill(value),
  });

  test('a flat picture stays flat, at any size', () => {
    for (const [w, h] of [
      [1, 1],
      [7, 40],
      [24, 24],
      [100, 3],
    ])
      expect(resize(flat(13, 9, 201), w, h)).toEqual(flat(w, h, 201));
  });

  test('the same size is the same picture', () => {
    const picture = flat(5, 6, 1);
    expect(resize(picture, 5, 6)).toBe(picture);
  });

  test('mirroring and resizing change places', () => {
    const picture: Picture = { width: 11, height: 2, rgb: Uint8Array.from({ length: 66 }, (_, i) => (i * 73) % 256) };
    const mirror = ({ width, height, rgb }: Picture): Picture => ({
      width,
      height,
      rgb: rgb.map((_, i) => rgb[(Math.floor(i / (3 * width)) * width + width - 1 - (Math.floor(i / 3) % width)) * 3 + (i % 3)]),
    });
    expect(resize(mirror(picture), 6, 2)).toEqual(mirror(resize(picture, 6, 2)));
  });
});

describe('threads', () => {
  // Threads start from compiled files only, so that the few that they need are compiled here as the package is.
  const files = [
    'plan/errors.ts',
    'plan/visible.ts',
    'runtime/core/data/codes.ts',
    'runtime/core/data/preprocess/preprocess.ts',
    'formats/processor/recipe.ts',
    'runtime/core/data/preprocess/resample.ts',
    'runtime/node/data/foreign.ts',
    ...['size', 'png', 'jpeg', 'webp', 'white', 'inspect', 'decode', 'decode-worker', 'decode-pool'].map(
      (name) => `runtime/node/data/pictures/${name}.ts`,
    ),
  ];
  let compiled = '';
  afterAll(() => rm(compiled, { recursive: true, force: true }));

  async function compile(): Promise<string> {
    const cache = join(repository, 'node_modules', '.cache');
    await mkdir(cache, { recursive: true });
    compiled = await mkdtemp(join(cache, 'pivot-threads-'));
    await writeFile(join(compiled, 'package.json'), '{"type":"module"}');
    for (const file of files) {
      const { code } = await transform(await readFile(join(repository, file), 'utf8'), {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      });
      const path = join(compiled, file.replace(/\.ts$/, '.js'));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, code.replace(/(from '\.[^']*|from "\.[^"]*)\.ts(['"])/g, '$1.js$2'));
    }
    return compiled;
  }

  test('pixels and errors are those of the calling thread, and a finished process ends', async () => {
    const script = join(await compile(), 'run.js');
    await writeFile(
      script,
      `import { createHash } from 'node:crypto';
       import { openDecoder } from './runtime/node/data/pictures/decode-pool.js';
       const decoder = openDecoder(2);
       const names = JSON.parse(process.argv[2]);
       const all = await Promise.all([...names, ...names].map((name) => decoder.decode(name, 48)));
       const error = await decoder.decode('missing.png', 48).catch((e) => e.message);
       console.log(JSON.stringify({ hashes: all.map((d) => createHash('sha256').update(d.picture.rgb).digest('hex')), stored: all.map((d) => d.stored), error }));
       if (process.argv[3] === 'close') await decoder.close();`,
    );
    const names = cases.map(([name]) => join(pictures, name));
    const here = await Promise.all(names.map((name) => decodeFile(name, 48)));
    const hashes = here.map((d) => sha256(d.picture.rgb));
    const stored = here.map((d) => d.stored);
    for (const how of ['close', 'leave']) {
      const run = spawnSync(process.execPath, [script, JSON.stringify(names), how], {
        encoding: 'utf8',
        timeout: 60_000,
        env: { ...process.env, NODE_OPTIONS: '' },
      });
      expect([run.status, run.stderr]).toEqual([0, '']);
      expect(JSON.parse(run.stdout)).toEqual({
        hashes: [...hashes, ...hashes],
        stored: [...stored, ...stored],
        error: expect.stringContaining('ENOENT'),
      });
    }
  });
});
