/** `pivot ask` on a run of a small text with two arms. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { ROOT, pivotChild } from './pivot.ts';
import { folderOf } from '../support/run-folder.ts';

const PICTURE = join(ROOT, 'examples', 'rows', 'images', '03.png');
let folder = '';
let run = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pivot-ask-'));
  run = join(folder, 'run');
  const text = (await readFile(join(ROOT, 'test', 'cli', 'tiny.pivot'), 'utf8'))
    .replace('stage tune {', 'compare tune {\n  arm slow { optimize adamw(lr: 1e-4) }\n  arm fast { optimize adamw(lr: 3e-2) }')
    .replace('  optimize adamw(lr: rate)\n', '')
    .replace(/^export .*$/m, '');
  await writeFile(join(folder, 'tiny.pivot'), text);
  const { code, stderr } = await pivotChild(['run', join(folder, 'tiny.pivot'), '-o', run]);
  if (code !== 0) throw new Error(stderr);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ask = (...words: string[]) => pivotChild(['ask', ...words]);

describe('answers', () => {
  test('one line an arm, with log-probabilities; a single arm says the same; a map beside the picture for each', async () => {
    const png = join(folder, 'maps.png');
    const all = await ask(run, PICTURE, 'what colour is the circle', '--cam', png);
    expect(all.stderr).toBe('');
    expect(all.code).toBe(0);
    const lines = all.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^tune\.slow {2}.*\(log-probability -\d+\.\d{3}\)$/);
    expect(lines[1]).toMatch(/^tune\.fast {2}.*\(log-probability -\d+\.\d{3}\)$/);
    expect(lines[0].slice(11)).not.toBe(lines[1].slice(11));
    const one = await ask(run, PICTURE, 'what colour is the circle', '--arm', 'fast');
    expect(one.stdout).toBe(`${lines[1].slice(11)}\n`);
    const { width, height, format } = await sharp(png).metadata();
    expect([width, height, format]).toEqual([3 * 384 + 2 * 8, 384, 'png']);
  });

  test('drawn ones are the same for a seed', async () => {
    const drawn = () => ask(run, PICTURE, 'what shape is the red one', '--arm', 'slow', '--temperature', '1');
    const first = await drawn();
    expect(first.stdout).toMatch(/log-probability/);
    expect(await drawn()).toEqual(first);
  });
});

describe('what cannot be asked', () => {
  const refused = async (words: string[], code: string, ...texts: string[]): Promise<void> => {
    const outcome = await ask(...words);
    expect(outcome.code).toBe(1);
    expect(outcome.stdout).toBe('');
    expect(outcome.stderr).toContain(`error ${code}: `);
    for (const text of texts) expect(outcome.stderr).toContain(text);
  };

  test('names all unknown words, and the nearest known ones', () =>
    refused([run, PICTURE, 'wat color is the circle'], 'R0655', '"wat", "color"', '"what" for "wat"', '"colour" for "color"'));

  test('questions that are empty or too long', async () => {
    await refused([run, PICTURE, ' '], 'R0655', 'no word');
    await refused([run, PICTURE, 'what what what what what what what what'], 'R0655', '8 words', '7 at most');
  });

  test('arms, stages and seeds that are not there', async () => {
    await refused([run, PICTURE, 'what', '--arm', 'fats'], 'R0652', 'did you mean fast?');
    await refused([run, PICTURE, 'what', '--stage', 'post'], 'R0652', 'there is tune');
    await refused([run, PICTURE, 'what', '--seed', '3'], 'R0652', 'its seeds are 0');
    await refused([run, PICTURE, 'what', '--seed', '-1'], 'C0108');
  });

  test('a folder that is no run, and a run that is not finished', async () => {
    await refused([join(folder, 'nowhere'), PICTURE, 'what'], 'R0213', 'plan.json');
    const half = join(folder, 'half');
    await mkdir(half);
    await cp(run, half, { recursive: true });
    await rm(join(folderOf(half, 'tune.fast@0'), 'done.json'));
    await refused([half, PICTURE, 'what'], 'R0653', 'tune.fast@0 is not trained to the end', '--arm');
    expect((await ask(half, PICTURE, 'what', '--arm', 'slow')).code).toBe(0);
  });

  test('pictures that are missing or broken', async () => {
    await refused([run, join(folder, 'none.png'), 'what'], 'R0654', 'there is no picture');
    const broken = join(folder, 'broken.png');
    await writeFile(broken, (await readFile(PICTURE)).subarray(0, 60));
    await refused([run, broken, 'what'], 'R0654', 'broken.png cannot be read');
    await writeFile(broken, 'GIF89a');
    await refused([run, broken, 'what'], 'R0654', 'expected a picture (PNG, JPEG, WebP)');
  });
});
