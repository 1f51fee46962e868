import { describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { openSource } from '../../runtime/core/data/row.ts';
import type { Row, RowSource } from '../../runtime/core/data/row.ts';
import { classOf, mainObject, patchClasses, sceneClasses } from '../../runtime/core/data/scenes/labels.ts';
import { boxOf, drawScene, sceneKey } from '../../runtime/core/data/scenes/scene.ts';
import type { Scene, SceneObject } from '../../runtime/core/data/scenes/scene.ts';
import {
  COLOURS,
  PLACES,
  SCENES_END,
  SCENES_LONGEST_ANSWER,
  SCENES_LONGEST_PROMPT,
  SCENES_LONGEST_TAGS,
  SCENES_PAD,
  SCENES_WORDS,
  SHAPES,
  SIZES,
} from '../../runtime/core/data/scenes/words.ts';
import { CORE_SOURCES } from '../../runtime/core/data/sources.ts';

type Params = Record<string, string | number | boolean>;
const open = (source: string, params: Params = {}, count = 1000, exchanged?: number): Promise<RowSource> =>
  openSource({ source, params, count, ...(exchanged === undefined ? {} : { exchanged }) }, { openers: CORE_SOURCES });
const texts = (source: RowSource): Row[] => Array.from({ length: source.count }, (_, i) => source.text?.(i) ?? {});
const words = (text: string | undefined): string[] => (text ?? '').split(' ');

/** The scenes that a split shows, as the sources draw them. */
function scenesOf(split: string, count: number, seed = 0): Scene[] {
  const set = { seed, split };
  return Array.from({ length: count }, (_, i) => drawScene(set, sceneKey(set, 'objects'), i));
}

/** Whether a text is true of a scene, decided from the words alone. */
function isTrue(scene: Scene, prompt: string, answer: string): boolean {
  const said = words(answer);
  const asked = words(prompt);
  const fits = (list: string[]) => (o: SceneObject) =>
    list.every(
      (w) =>
        ![...COLOURS, ...SHAPES, ...SIZES, ...PLACES].includes(w as never) || [o.colour, o.shape, o.size, o.place].includes(w as never),
    );
  if (prompt === 'describe') {
    const parts = answer.split(' ; ');
    return parts.length === scene.objects.length && parts.every((part, i) => fits(words(part))(scene.objects[i]));
  }
  const meant = scene.objects.filter(fits(asked));
  return meant.length === 1 && fits(said)(meant[0]);
}

describe('the words', () => {
  test('the list of the standard library is the same', async () => {
    expect(JSON.parse(await readFile(new URL('../../stdlib/data/scenes.words.json', import.meta.url), 'utf8'))).toEqual(SCENES_WORDS);
  });

  test('no word twice, 64 at most, every one used, padding and end in none', async () => {
    expect(new Set(SCENES_WORDS).size).toBe(SCENES_WORDS.length);
    expect(SCENES_WORDS.length).toBeLessThanOrEqual(64);
    const used = new Set(
      texts(await open('scenes.captions', { sentence: 0.3 }, 1200)).flatMap((r) => [...words(r.prompt), ...words(r.answer)]),
    );
    expect([...used].sort()).toEqual(SCENES_WORDS.filter((_, id) => id !== SCENES_PAD && id !== SCENES_END).sort());
  });

  test('the longest prompt and answer are as declared', async () => {
    const rows = [
      ...texts(await open('scenes.preferences', {}, 1200)),
      ...texts(await open('scenes.captions', {}, 1200)),
      ...texts(await open('scenes.questions', {}, 1200)),
    ];
    const answers = rows.flatMap((r) => [r.answer, r.chosen, r.rejected]).filter((a) => a !== undefined);
    expect(Math.max(...rows.map((r) => words(r.prompt).length))).toBe(SCENES_LONGEST_PROMPT);
    expect(Math.max(...answers.map((a) => words(a).length))).toBe(SCENES_LONGEST_ANSWER);
    const tags = texts(await open('scenes.tags'));
    expect(Math.max(...tags.map((r) => words(r.answer).length))).toBe(SCENES_LONGEST_TAGS);
  });
});

describe('scenes', () => {
  test('two to four objects in different cells, no two of one look, in reading order', () => {
    const scenes = scenesOf('train', 1000);
    for (const { objects } of scenes) {
      const cells = objects.map((o) => o.cell);
      expect(cells).toEqual([...new Set(cells)].sort((a, b) => a - b));
      expect(new Set(objects.map((o) => `${o.colour} ${o.shape}`)).size).toBe(objects.length);
    }
    const share = (n: number) => scenes.filter((s) => s.objects.length === n).length / scenes.length;
    for (const n of [2, 3, 4]) expect(Math.abs(share(n) - 1 / 3)).toBeLessThan(0.05);
  });

  test('a row depends on seed, split and index, and not on the count', async () => {
    const few = await open('scenes.captions', { seed: 3 }, 20);
    const many = await open('scenes.captions', { seed: 3 }, 2000);
    expect(await few.row(19)).toEqual(await many.row(19));
    const elsewhere: Params[] = [{ seed: 4 }, { seed: 3, split: 'held-out' }];
    const others = await Promise.all(elsewhere.map((params) => open('scenes.captions', params, 20)));
    for (const other of others) expect((await other.row(19)).image?.rgb).not.toEqual((await few.row(19)).image?.rgb);
  });

  test('no picture stands in two splits, of two seeds, or among rows of a seed that the text names', async () => {
    const seen = new Set<string>();
    let drawn = 0;
    for (const split of ['train', 'held-out', 'train/held-out'])
      for (const seed of [0, 1, 2 ** 32, 2 ** 40])
        for (const fixed of [false, true]) {
          const source = await open('scenes.captions', { split, seed, fixed }, 40);
          for (let i = 0; i < 40; i++, drawn++) seen.add(Buffer.from((await source.row(i)).image?.rgb ?? []).toString('latin1'));
        }
    expect(seen.size).toBe(drawn);
  });

  test('which answers are exchanged follows the seed of the rows', async () => {
    const which = async (params: Params): Promise<boolean[]> =>
      texts(await open('scenes.preferences', params, 200, 0.5)).map((row) => row.extra?.exchanged === true);
    const [first, second] = [await which({ seed: 0 }), await which({ seed: 1 })];
    expect(await which({ seed: 0, split: 'held-out' })).toEqual(first);
    // Of independent halves as many agree as not.
    expect(Math.abs(first.filter((one, i) => one === second[i]).length - 100)).toBeLessThan(30);
  });

  test('the words of a picture do not depend on its size, nor does reading them need the picture', async () => {
    for (const name of ['scenes.captions', 'scenes.preferences', 'scenes.questions', 'scenes.tags']) {
      const small = await open(name, { size: 24 }, 50);
      const large = await open(name, { size: 48 }, 50);
      for (let i = 0; i < 50; i++) {
        const { boxes, ...text } = large.text?.(i) ?? {};
        expect(small.text?.(i)).toEqual({ ...text, boxes: boxes?.map(({ x, y, w, h }) => ({ x: x / 2, y: y / 2, w: w / 2, h: h / 2 })) });
      }
      const { image, ...rest } = await small.row(7);
      expect(rest).toEqual(small.text?.(7));
      expect(image?.rgb.length).toBe(24 * 24 * 3);
    }
  });

  test('the bytes of a picture are these, on every machine', async () => {
    const { image } = await (await open('scenes.captions', { seed: 1 })).row(0);
    const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(image?.rgb ?? []));
    expect(Buffer.from(digest).toString('hex')).toBe('ef542e9c57cb6f5d8671de0c11258463b4d20c2f870eaf6dc71191374ba038ac');
  });

  test('an object has its colour where it stands', async () => {
    const scenes = scenesOf('train', 60);
    const source = await open('scenes.captions', { size: 48 });
    for (const [i, scene] of scenes.entries()) {
      const { rgb } = (await source.row(i)).image ?? { rgb: new Uint8Array(0) };
      for (const object of scene.objects.filter((o) => o.shape === 'square')) {
        const { x, y, w, h } = boxOf(object, 48);
        const mean = [0, 0, 0];
        for (let p = 0; p < w * h; p++) {
          const at = ((y + Math.floor(p / w)) * 48 + x + (p % w)) * 3;
          for (let c = 0; c < 3; c++) mean[c] += rgb[at + c] / (w * h);
        }
        const [r, g, b] = mean;
        if (object.colour === 'red') expect(r).toBeGreaterThan(2 * Math.max(g, b));
        if (object.colour === 'green') expect(g).toBeGreaterThan(1.5 * Math.max(r, b));
        if (object.colour === 'white') expect(Math.min(r, g, b)).toBeGreaterThan(130);
        if (object.colour === 'yellow') expect(Math.min(r, g)).toBeGreaterThan(2 * b);
      }
    }
  });

  test.each<[string, Params, string]>([
    ['scenes.captions', { size: 32 }, 'R0512'],
    ['scenes.captions', { short: 0.8, sentence: 0.4 }, 'R0512'],
    ['scenes.objects', { attribute: 'place' }, 'R0512'],
    ['scenes.masks', { patch: 5 }, 'R0512'],
    ['scenes.captions', { seed: 'a' }, 'R0512'],
    ['scenes.caption', {}, 'R0511'],
    ['toString', {}, 'R0511'],
  ])('%s %o is refused', async (source, params, code) => {
    await expect(open(source, params)).rejects.toMatchObject({ code, cure: expect.any(String) });
  });
});

describe('texts', () => {
  test('answers are true, and in the shares asked for', async () => {
    const scenes = scenesOf('train', 1200);
    const rows = texts(await open('scenes.captions', {}, 1200));
    rows.forEach((row, i) => expect([i, isTrue(scenes[i], row.prompt ?? '', row.answer ?? '')]).toEqual([i, true]));
    const share = (kind: string) => rows.filter((r) => r.extra?.kind === kind).length / rows.length;
    expect(Math.abs(share('short') - 0.4)).toBeLessThan(0.045);
    expect(Math.abs(share('sentence') - 0.1)).toBeLessThan(0.02);
    for (const question of texts(await open('scenes.questions', { split: 'train' }, 500)).entries())
      expect(isTrue(scenes[question[0]], question[1].prompt ?? '', question[1].answer ?? '')).toBe(true);
  });

  test('the chosen answer is true and the rejected false, by one or two words of the object in the box', async () => {
    const scenes = scenesOf('train', 1200);
    const rows = texts(await open('scenes.preferences', {}, 1200));
    rows.forEach((row, i) => {
      expect([i, isTrue(scenes[i], row.prompt ?? '', row.chosen ?? '')]).toEqual([i, true]);
      expect([i, isTrue(scenes[i], row.prompt ?? '', row.rejected ?? '')]).toEqual([i, false]);
      const chosen = words(row.chosen);
      const rejected = words(row.rejected);
      expect(rejected.length).toBe(chosen.length);
      const changed = row.extra?.changed;
      expect(chosen.filter((w, at) => w !== rejected[at]).length).toBe(Array.isArray(changed) ? changed.length : -1);
      expect(scenes[i].objects.map((o) => boxOf(o, 24))).toContainEqual(row.boxes?.[0]);
    });
    const both = rows.filter((r) => Array.isArray(r.extra?.changed) && r.extra.changed.length === 2).length;
    expect(both / rows.length).toBeGreaterThan(0.2);
    for (const attribute of ['colour', 'shape', 'size', 'place'])
      expect(rows.some((r) => JSON.stringify(r.extra?.changed) === `["${attribute}"]`)).toBe(true);
  });

  test('exchanging swaps the answers of that share and nothing else', async () => {
    const straight = texts(await open('scenes.preferences'));
    const mixed = texts(await open('scenes.preferences', {}, 1000, 0.3));
    let swapped = 0;
    mixed.forEach((row, i) => {
      const { extra, ...rest } = straight[i];
      if (row.extra?.exchanged === true) {
        swapped++;
        expect(row).toEqual({ ...rest, chosen: rest.rejected, rejected: rest.chosen, extra: { ...extra, exchanged: true } });
      } else {
        expect(row).toEqual(straight[i]);
      }
    });
    expect(Math.abs(swapped / 1000 - 0.3)).toBeLessThan(0.05);
    expect(texts(await open('scenes.preferences', {}, 1000, 1)).every((r) => r.extra?.exchanged === true)).toBe(true);
  });

  test('tags name the colours and shapes of two objects', async () => {
    const scenes = scenesOf('train', 300);
    texts(await open('scenes.tags', {}, 300)).forEach((row, i) => {
      const said = new Set(words(row.answer));
      const pairs = scenes[i].objects.flatMap((a) =>
        scenes[i].objects.filter((b) => a !== b).map((b) => new Set<string>([a.colour, a.shape, b.colour, b.shape])),
      );
      expect(pairs.some((pair) => pair.size === said.size && [...pair].every((w) => said.has(w)))).toBe(true);
    });
  });
});

describe('labels', () => {
  test('a picture is labelled by its only large object; every class occurs', async () => {
    const set = { seed: 0, split: 'probe', main: true };
    const source = await open('scenes.objects', {}, 1200);
    const names = sceneClasses('shape-colour');
    const seen = new Set<number>();
    for (let i = 0; i < 1200; i++) {
      const { objects } = drawScene(set, sceneKey(set, 'objects'), i);
      const large = objects.filter((o) => o.size === 'large');
      expect(large.length).toBe(1);
      const label = source.text?.(i).label ?? -1;
      expect(names[label]).toBe(`${large[0].colour} ${large[0].shape}`);
      seen.add(label);
    }
    expect(seen.size).toBe(48);
    const object = mainObject(drawScene(set, sceneKey(set, 'objects'), 0));
    expect(sceneClasses('shape')[classOf(object, 'shape')]).toBe(object.shape);
    expect(sceneClasses('colour')[classOf(object, 'colour')]).toBe(object.colour);
  });

  test('patches of a large square are the square, patches beside it ground', () => {
    const square: SceneObject = { cell: 4, place: 'centre', colour: 'red', shape: 'square', size: 'large', jitter: [0, 0] };
    const ring: SceneObject = { cell: 0, place: 'nw', colour: 'blue', shape: 'ring', size: 'small', jitter: [0, 0] };
    const labels = patchClasses({ objects: [ring, square] }, 24, 4, 'shape');
    const s = 1 + SHAPES.indexOf('square');
    const r = 1 + SHAPES.indexOf('ring');
    // The small ring covers pixels 0 to 5: 4 of 6 in the first patches, less than a quarter of the corner patch.
    expect([...labels]).toEqual([
      r,
      r,
      0,
      0,
      0,
      0,
      r,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      s,
      s,
      0,
      0,
      0,
      0,
      s,
      s,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
    ]);
    const colours = patchClasses({ objects: [square] }, 24, 12, 'colour');
    expect([...colours]).toEqual([0, 0, 0, 0]);
    expect(patchClasses({ objects: [square] }, 24, 8, 'colour')[4]).toBe(1 + COLOURS.indexOf('red'));
  });
});
