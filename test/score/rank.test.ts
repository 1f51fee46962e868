import { describe, expect, test } from '@jest/globals';
import { SCENE_SOURCES } from '../../runtime/core/data/scenes/sources.ts';
import { answering } from '../../runtime/core/score/answering.ts';
import { pairOf, rankNamed, ranks } from '../../runtime/core/score/rank.ts';

const caption = 'nw large red circle ; east small blue ring';

describe('exact', () => {
  test.each([
    ['  red\tring ', 'red ring', 1],
    ['red ring', 'Red ring', 0],
    ['', '', 1],
    ['red', 'red ring', 0],
  ])('%j for %j: %p', (said, truth, rank) => expect(ranks.exact(said, truth)).toBe(rank));
});

describe('overlap', () => {
  test.each([
    ['A dog runs.', 'a dog', 4 / 5],
    ['dog dog dog', 'dog and dog', 4 / 6],
    ['', 'dog', 0],
    ['', '', 1],
    ['cat', 'dog', 0],
    ['été', 'Été', 1],
  ])('%j for %j: %p', (said, truth, rank) => expect(ranks.overlap(said, truth)).toBeCloseTo(rank, 15));
});

describe('correctness', () => {
  test.each([
    ['the caption itself', caption, 1],
    ['its objects in another order', 'east small blue ring ; nw large red circle', 1],
    ['one wrong attribute of eight', 'nw large red circle ; east small blue cross', 7 / 8],
    ['two wrong attributes', 'nw small red circle ; east small blue cross', 6 / 8],
    ['a missing object', 'nw large red circle', 4 / 8],
    ['an object cut short', 'nw large red circle ; east small', 6 / 8],
    ['an object too many', `${caption} ; se small red ring`, 8 / 12],
    ['an object at a wrong place: one is missing, one too many', 'nw large red circle ; se small blue ring', 4 / 12],
    ['the same object twice', 'nw large red circle ; nw large red circle', 4 / 12],
    ['an attribute stated in two ways', 'nw large red green circle ; east small blue ring', 7 / 8],
    ['a semicolon at the end', `${caption} ;`, 1],
    ['words that are not of the language', `${caption} indeed`, 8 / 9],
    ['nothing', '', 0],
    ['semicolons', '; ; ;', 0],
  ])('of a caption: %s', (_, said, rank) => expect(ranks.correctness(said, caption)).toBeCloseTo(rank, 15));

  test.each([
    ['red', 'red', 1],
    ['blue', 'red', 0],
    ['red ring', 'red', 1 / 2],
    ['red blue', 'red', 0],
    ['the one at nw', 'nw', 1],
    ['a large red ring is at nw', 'there is a large red ring at nw', 1],
    ['at nw there is a small blue ring', 'there is a large red ring at nw', 2 / 4],
    ['nw has a large ring', 'the large ring at nw is red', 3 / 4],
    ['a large red ring is at se', 'there is a large red ring at nw', 3 / 4],
    // One statement is compared with all that was said.
    ['nw large red ring ; se small', 'there is a large red ring at nw', 2 / 4],
  ])('of sentences and short answers: %j for %j: %p', (said, truth, rank) => expect(ranks.correctness(said, truth)).toBeCloseTo(rank, 15));

  test('of other texts is the overlap of words, whatever the answer is', () => {
    expect(ranks.correctness('a red dog', 'a brown dog')).toBe(ranks.overlap('a red dog', 'a brown dog'));
    expect(ranks.correctness('red', 'a brown dog')).toBe(0);
    // Words of the language that state nothing.
    expect(ranks.correctness('there is', 'what is there')).toBe(4 / 5);
  });

  test('of generated answers, right and with so many attributes made wrong', async () => {
    const spec = { source: 'scenes.preferences', params: { short: 0.3, sentence: 0.3 }, count: 300 };
    const source = await SCENE_SOURCES[spec.source](spec, { openers: SCENE_SOURCES });
    const kinds = new Map<unknown, number>();
    for (let i = 0; i < spec.count; i++) {
      const { chosen = '', rejected = '', extra = {} } = source.text?.(i) ?? {};
      const changed = extra.changed as string[];
      expect(ranks.correctness(chosen, chosen)).toBe(1);
      // A sentence names four attributes, a caption four an object. One that was moved is missing where it was, and one too many where it is.
      const of = 4 * chosen.split(';').length;
      const wanted = changed.includes('place') ? (of - 4) / (of + 4) : (of - changed.length) / of;
      expect(ranks.correctness(rejected, chosen)).toBeCloseTo(extra.kind === 'short' ? 0 : wanted, 15);
      kinds.set(extra.kind, (kinds.get(extra.kind) ?? 0) + 1);
    }
    expect(Math.min(...kinds.values())).toBeGreaterThan(50);
    expect(kinds.size).toBe(3);
  });

  test('a rank of another name is refused, also one that every object has', () => {
    expect(rankNamed('exact')).toBe(ranks.exact);
    expect(() => rankNamed('toString')).toThrow(expect.objectContaining({ code: 'R0704', cure: expect.stringContaining('correctness') }));
  });
});

describe('pairOf', () => {
  const answers = (list: [string, number][]) => list.map(([said, rank], sample) => ({ said, rank, sample }));

  test('is the best and the worst, of equal ones the first', () => {
    const made = pairOf(
      answers([
        ['b', 0.5],
        ['c', 0.2],
        ['d', 0.9],
        ['e', 0.9],
        ['f', 0.2],
      ]),
    );
    expect(made).toEqual({ best: { said: 'd', rank: 0.9, sample: 2 }, worst: { said: 'c', rank: 0.2, sample: 1 } });
  });

  test.each([
    [
      'tie',
      [
        ['a', 0.5],
        ['b', 0.5],
      ],
    ],
    [
      'same text',
      [
        ['a b', 0.5],
        [' a  b', 0.5],
      ],
    ],
    ['same text', [['a', 1]]],
    ['same text', []],
  ] as [string, [string, number][]][])('gives the reason %s', (reason, list) => expect(pairOf(answers(list))).toEqual({ reason }));

  test('refuses a rank that is no number', () => {
    expect(() =>
      pairOf(
        answers([
          ['a', NaN],
          ['b', 1],
        ]),
      ),
    ).toThrow(expect.objectContaining({ code: 'R0705' }));
  });
});

describe('answering', () => {
  const judge = (rows: Record<string, unknown>[]) => answering({ said: { tensors: new Map(), rows } }, {});

  test('counts exact answers and attributes, also by domain', () => {
    const { values, examples, details } = judge([
      { said: 'red', answer: 'red', kind: 'short', ended: true },
      { said: 'blue', answer: 'red', kind: 'short', ended: true },
      { said: 'nw large red circle', answer: caption, kind: 'caption', ended: false },
      { said: 'a dog', answer: 'a cat', domain: 'pets', kind: 'short', ended: true },
      { said: ' yes ', answer: 'yes' },
    ]);
    expect(values).toEqual({
      exact: 2 / 5,
      attributes: (1 + 0 + 0.5 + 0.5 + 1) / 5,
      'exact.caption': 0,
      'exact.pets': 0,
      'exact.short': 0.5,
    });
    expect(examples).toEqual({
      exact: [1, 0, 0, 0, 1],
      attributes: [1, 0, 0.5, 0.5, 1],
      'exact.caption': [null, null, 0, null, null],
      'exact.pets': [null, null, null, 0, null],
      'exact.short': [1, 0, null, null, null],
    });
    expect(details).toEqual({ rows: 5, domains: { caption: 1, pets: 1, short: 2 }, ended: 3 });
  });

  test('refuses rows without a true answer, and no rows', () => {
    expect(() => judge([{ said: 'red' }])).toThrow(expect.objectContaining({ code: 'R0706' }));
    expect(() => judge([])).toThrow(expect.objectContaining({ code: 'R0707' }));
    expect(() => answering({}, {})).toThrow(expect.objectContaining({ code: 'R0702' }));
  });
});
