import { describe, expect, test } from '@jest/globals';
import type { Collate, Tokenizer } from '../../plan/plan.ts';
import { collate, collatePrompts } from '../../runtime/core/data/collate.ts';
import type { Batch } from '../../runtime/core/data/collate.ts';
import { openSource } from '../../runtime/core/data/row.ts';
import type { Picture, Row, RowSource } from '../../runtime/core/data/row.ts';
import {
  SCENES_END,
  SCENES_LONGEST_ANSWER,
  SCENES_LONGEST_PROMPT,
  SCENES_PAD,
  SCENES_WORDS,
} from '../../runtime/core/data/scenes/words.ts';
import { checkFit, countUnfit } from '../../runtime/core/data/fit.ts';
import { CORE_SOURCES } from '../../runtime/core/data/sources.ts';

const WORDS: Tokenizer = { kind: 'words', words: ['.', '!', 'what', 'where', 'red', 'blue', 'ring'], pad: 0, end: 1 };
const SCENES: Tokenizer = { kind: 'words', words: [...SCENES_WORDS], pad: SCENES_PAD, end: SCENES_END };
const PAIRS: Collate = { layout: 'pairs', image: 2, imageTokens: 2, prompt: 3, answer: 3 };

/** A picture of 2 x 2 pixels whose bytes are 0, 1, 2, ... */
const image: Picture = { width: 2, height: 2, rgb: Uint8Array.from({ length: 12 }, (_, i) => i) };
const lists = (batch: Batch) =>
  Object.fromEntries([...batch].filter(([name]) => name !== 'image').map(([name, data]) => [name, [...data]]));
const where = (...indices: number[]) => ({ source: { name: 'rows' }, indices });

describe('pairs', () => {
  test('by hand: two pairs, one short and one that fills its room', () => {
    const rows: Row[] = [
      { image, prompt: 'what red', chosen: 'ring', rejected: '' },
      { image, prompt: 'where red ring', chosen: 'red ring', rejected: 'blue' },
    ];
    // Per row: image image | prompt prompt prompt | chosen chosen chosen | rejected rejected rejected
    expect(lists(collate(rows, PAIRS, WORDS, where(0, 1)))).toEqual({
      tokens: [0, 2, 4, 6, 1, 0, 1, 0, 0, /* second row */ 3, 4, 6, 4, 6, 1, 5, 1, 0],
      position: [0, 1, 0, 2, 3, 4, 5, 5, 4, 4, 4, /* second row */ 0, 1, 2, 3, 4, 5, 6, 7, 5, 6, 6],
      segment: [0, 0, 3, 0, 0, 1, 1, 3, 2, 3, 3, /* second row */ 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3],
      'chosen.mask': [1, 1, 0, 1, 1, 1],
      'rejected.mask': [1, 0, 0, 1, 1, 0],
    });
  });

  test('prompts alone are the beginning of the same sequences, and ask for no answer', () => {
    const rows: Row[] = [
      { image, prompt: 'what red' },
      { image, prompt: 'where red ring', chosen: 'a word that nobody knows' },
    ];
    const layout = { layout: 'pairs' as const, image: 2, imageTokens: 2, prompt: 3, answer: 3 };
    expect(lists(collatePrompts(rows, layout, WORDS, where(0, 1)))).toEqual({
      tokens: [0, 2, 4, /* second row */ 3, 4, 6],
      position: [0, 1, 0, 2, 3, /* second row */ 0, 1, 2, 3, 4],
      segment: [0, 0, 3, 0, 0, /* second row */ 0, 0, 0, 0, 0],
    });
    expect(() => collatePrompts([{ image, prompt: 'what red ring ring' }], layout, WORDS, where(0))).toThrow(/4 tokens/);
  });

  test('pixels are planes of (v / 255 - 0.5) / 0.5', () => {
    const pixels = collate([{ image, prompt: 'what', chosen: '', rejected: '' }], PAIRS, WORDS, where(0)).get('image') ?? [];
    expect([...pixels]).toEqual([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11].map((v) => Math.fround((v / 255 - 0.5) / 0.5)));
  });

  test('in any pair the answers begin at one position, right behind the prompt', async () => {
    const layout: Collate = { layout: 'pairs', image: 24, imageTokens: 9, prompt: 8, answer: 24 };
    const source = await openSource({ source: 'scenes.preferences', params: {}, count: 200 }, { openers: CORE_SOURCES });
    const indices = Array.from({ length: 200 }, (_, i) => i);
    const batch = collate(await Promise.all(indices.map((i) => source.row(i))), layout, SCENES, where(...indices));
    const length = 9 + 8 + 48;
    const { position, segment, tokens } = lists(batch);
    for (const n of indices) {
      const at = (i: number) => n * length + i;
      const real = Array.from({ length }, (_, i) => i).filter((i) => segment[at(i)] !== 3);
      const positionsOf = (s: number) => real.filter((i) => segment[at(i)] === s).map((i) => position[at(i)]);
      const shared = positionsOf(0);
      expect(shared).toEqual(shared.map((_, i) => i));
      for (const s of [1, 2]) expect(positionsOf(s)).toEqual(positionsOf(s).map((_, i) => shared.length + i));
      expect(segment[at(9 + 7)]).toBe(0);
      // The last real token of either answer is the end token; padding is the pad token.
      for (const [s, start] of [
        [1, 8],
        [2, 32],
      ]) {
        const count = positionsOf(s).length;
        expect(tokens[n * 56 + start + count - 1]).toBe(SCENES_END);
        expect(tokens.slice(n * 56 + start + count, n * 56 + start + 24).every((t) => t === SCENES_PAD)).toBe(true);
      }
    }
  });

  test.each<[string, Row, string, RegExp]>([
    [
      'too long an answer',
      { image, prompt: 'what', chosen: 'red red red', rejected: '' },
      'R0515',
      /chosen of row 8 of rows has 4 tokens with its end token, and answer is 3/,
    ],
    [
      'too long a prompt',
      { image, prompt: 'what what what what', chosen: '', rejected: '' },
      'R0515',
      /prompt of row 8 of rows has 4 tokens, and prompt is 3/,
    ],
    ['an empty prompt', { image, prompt: ' ', chosen: 'red', rejected: '' }, 'R0515', /prompt of row 8 of rows has no word/],
    ['an unknown word', { image, prompt: 'what', chosen: 'rde', rejected: '' }, 'R0514', /chosen of row 8 of rows has the word "rde"/],
    ['the end token as a word', { image, prompt: 'what', chosen: '!', rejected: '' }, 'R0514', /"!"/],
    ['no second answer', { image, prompt: 'what', chosen: 'red' }, 'R0516', /row 8 of rows has no rejected/],
    ['no picture', { prompt: 'what', chosen: 'red', rejected: '' }, 'R0516', /row 8 of rows has no picture/],
    [
      'another size',
      { image: { ...image, width: 4 }, prompt: 'what', chosen: 'red', rejected: '' },
      'R0518',
      /row 8 of rows has 4 x 2 pixels/,
    ],
  ])('%s is refused', (_, row, code, message) => {
    const good: Row = { image, prompt: 'what', chosen: 'red', rejected: 'blue' };
    expect(() => collate([good, row], PAIRS, WORDS, where(3, 7))).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message), cure: expect.any(String), place: { file: 'rows', row: 8 } }),
    );
  });

  test('the cure names the nearest word', () => {
    expect(() => collate([{ image, prompt: 'wat', chosen: '', rejected: '' }], PAIRS, WORDS, where(0))).toThrow(
      expect.objectContaining({ cure: expect.stringContaining('"what"') }),
    );
  });
});

describe('the other layouts', () => {
  const answers: Collate = { ...PAIRS, layout: 'answers' };

  test('answers: one answer, and of a pair the chosen one', () => {
    const expected = {
      tokens: [0, 0, 2, 4, 1, 0],
      position: [0, 1, 0, 0, 2, 3, 4, 4],
      segment: [0, 0, 3, 3, 0, 1, 1, 3],
      mask: [1, 1, 0],
    };
    expect(lists(collate([{ image, prompt: 'what', answer: 'red' }], answers, WORDS, where(0)))).toEqual(expected);
    expect(lists(collate([{ image, prompt: 'what', chosen: 'red', rejected: 'blue' }], answers, WORDS, where(0)))).toEqual(expected);
  });

  test('contrast: the words of the caption, without an end', () => {
    const batch = collate(
      [
        { image, answer: 'red ring' },
        { image, answer: 'blue' },
      ],
      { layout: 'contrast', image: 2, answer: 3 },
      WORDS,
      where(0, 1),
    );
    expect(lists(batch)).toEqual({ tokens: [4, 6, 0, 5, 0, 0], mask: [1, 1, 0, 1, 0, 0] });
  });

  test('classes and patches: labels as i32', () => {
    const classes = collate(
      [
        { image, label: 3 },
        { image, label: 0 },
      ],
      { layout: 'classes', image: 2 },
      undefined,
      where(0, 1),
    );
    expect(classes.get('label')).toEqual(Int32Array.of(3, 0));
    const layout: Collate = { layout: 'patches', image: 2, patches: 4 };
    expect(collate([{ image, patchLabels: Uint8Array.of(0, 6, 1, 0) }], layout, undefined, where(0)).get('label')).toEqual(
      Int32Array.of(0, 6, 1, 0),
    );
    expect(() => collate([{ image, patchLabels: Uint8Array.of(0, 6) }], layout, undefined, where(0))).toThrow(
      /labels of 2 patches, and the encoder sees 4/,
    );
    expect(() => collate([{ image }], { layout: 'classes', image: 2 }, undefined, where(0))).toThrow(/row 1 of rows has no label/);
  });

  test('tensors: columns under the names of the inputs', () => {
    const row = (v: number): Row => ({
      tensors: new Map([['x', { name: 'x', dtype: 'f32', shape: [1, 2], data: Float32Array.of(v, -v) }]]),
    });
    expect(lists(collate([row(1), row(2)], { layout: 'tensors', columns: { input: 'x' } }, undefined, where(0, 1)))).toEqual({
      input: [1, -1, 2, -2],
    });
    expect(() => collate([row(1)], { layout: 'tensors', columns: { input: 'y' } }, undefined, where(4))).toThrow(
      /row 5 of rows has no tensor y/,
    );
  });
});

describe('conversations', () => {
  const CHAT: Collate & { layout: 'answers' } = { layout: 'answers', image: 2, imageTokens: 2, prompt: 5, answer: 5, pictures: 2 };
  const pixels = new Float32Array(12).fill(1);
  const PICTURE = 9;
  // Two answers: 5 6 and 8, with 7 between them, which nobody learns.
  const rows: Row[] = [
    { pixels, ids: { prompt: [3, PICTURE, 4], answer: [5, 6, 7, 8], learnt: Uint8Array.of(1, 1, 0, 1), last: 3, image: PICTURE } },
    { pixels: new Float32Array(0), ids: { prompt: [3], answer: [5], image: PICTURE } },
  ];
  const short = { ...CHAT, prompt: 4 };

  test('a prompt to answer ends before the last answer; image tokens are counted through the batch', () => {
    const prompts = collatePrompts([rows[1], rows[0]], CHAT, undefined, where(0, 1));
    expect(lists(prompts)).toEqual({
      tokens: [0, 0, 0, 0, 0, 0, 0, 0, 3, /* second row */ 0, 0, 3, PICTURE, PICTURE, 4, 5, 6, 7],
      position: [0, 0, 0, 0, 0, 0, 0, 0, 0, /* second row */ 0, 0, 0, 1, 2, 3, 4, 5, 6],
      segment: [3, 3, 3, 3, 3, 3, 3, 3, 0, /* second row */ 3, 3, 0, 0, 0, 0, 0, 0, 0],
      seen: [0, 0, 0, 0, 0, 0, 0, 0, 0, /* second row */ 0, 0, 0, 5, 6, 0, 0, 0, 0],
    });
    expect([...(prompts.get('image') ?? [])]).toEqual([
      ...new Array<number>(24).fill(0),
      ...new Array<number>(12).fill(1),
      ...new Array<number>(12).fill(0),
    ]);
  });

  test('one that does not fit is named with what would help, whatever its answer', () => {
    expect(() => collatePrompts(rows, short, undefined, where(0, 1))).toThrow(
      expect.objectContaining({ code: 'R0515', cure: expect.stringContaining('declare prompt: 5') }),
    );
    const source: RowSource = { name: 'rows', count: 2, row: (i) => rows[i], text: (i) => rows[i] };
    expect(countUnfit(source, short, undefined, 5, true)).toMatchObject({ count: 1 });
    expect(countUnfit(source, { ...short, answer: 1 }, undefined, 5, true)).toMatchObject({ count: 1 });
    expect(countUnfit(source, short, undefined)).toMatchObject({ count: 0 });
  });
});

describe('the scan before training', () => {
  const layout = (prompt: number, answer: number): Collate => ({ layout: 'pairs', image: 24, imageTokens: 9, prompt, answer });
  const open = (count: number): Promise<RowSource> =>
    openSource({ source: 'scenes.preferences', params: {}, count }, { openers: CORE_SOURCES });

  test('scenes fit the lengths that they declare, and no less', async () => {
    const source = await open(800);
    expect(countUnfit(source, layout(SCENES_LONGEST_PROMPT, SCENES_LONGEST_ANSWER + 1), SCENES)).toEqual({ count: 0, examples: [] });
    expect(countUnfit(source, layout(SCENES_LONGEST_PROMPT, SCENES_LONGEST_ANSWER), SCENES).count).toBeGreaterThan(0);
    expect(countUnfit(source, layout(SCENES_LONGEST_PROMPT - 1, SCENES_LONGEST_ANSWER + 1), SCENES).count).toBeGreaterThan(0);
  });

  test('all rows are counted, the first few named', async () => {
    const source = await open(300);
    const long = Array.from({ length: 300 }, (_, i) => i).filter((i) => (source.text?.(i).chosen ?? '').split(' ').length > 9);
    const unfit = countUnfit(source, layout(8, 10), SCENES, 2);
    expect(unfit.count).toBe(long.length);
    expect(unfit.examples).toEqual([expect.stringContaining(`row ${long[0] + 1} of`), expect.stringContaining(`row ${long[1] + 1} of`)]);
    expect(() => checkFit(source, layout(8, 10), SCENES)).toThrow(
      new RegExp(`${long.length} of 300 rows .* and ${long.length - 5} more`, 's'),
    );
    expect(() => checkFit(source, layout(8, 24), SCENES)).not.toThrow();
  });
});

describe('mixes', () => {
  test('rows of the parts in turn', async () => {
    const part = (source: string, count: number) => ({ source, params: {}, count });
    const spec = { source: 'mix', params: {}, count: 5, mix: [part('scenes.captions', 2), part('scenes.questions', 3)] };
    const mix = await openSource(spec, { openers: CORE_SOURCES });
    const captions = await openSource(part('scenes.captions', 2), { openers: CORE_SOURCES });
    const questions = await openSource(part('scenes.questions', 3), { openers: CORE_SOURCES });
    expect(await Promise.all([0, 1, 2, 3, 4].map((i) => mix.row(i)))).toEqual([
      ...(await Promise.all([0, 1].map((i) => captions.row(i)))),
      ...(await Promise.all([0, 1, 2].map((i) => questions.row(i)))),
    ]);
    expect(mix.text?.(3)).toEqual(questions.text?.(1));
    await expect(openSource({ ...spec, count: 6 }, { openers: CORE_SOURCES })).rejects.toMatchObject({ code: 'R0513' });
  });
});
