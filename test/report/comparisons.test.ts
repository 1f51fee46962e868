import { describe, expect, test } from '@jest/globals';
import type { Measure } from '../../plan/scores.ts';
import { comparisonsOf, findingOf } from '../../runtime/node/report/comparisons.ts';
import type { Comparison } from '../../runtime/node/report/comparisons.ts';
import type { MeasureRow } from '../../runtime/node/report/measures.ts';
import type { Subject } from '../../runtime/node/report/subjects.ts';
import { statistic } from '../../runtime/node/report/summary.ts';

const arms: Subject[] = ['a', 'b', 'c'].map((arm, colour) => ({ stage: 'post', arm, label: arm, colour, runs: new Map() }));
const start: Subject = { stage: 'align', label: 'align', colour: 0, runs: new Map() };
const subjects = [start, ...arms];

/** A measure with a value for each seed of `start` and of the three arms. */
function row(value: string, better: Measure['better'], cells: number[][]): MeasureRow {
  return {
    probe: 'p',
    score: 's',
    value,
    measure: { better, unit: 'number' },
    part: value.includes('.'),
    judges: [0, 1, 2, 3],
    cells: cells.map((list) => statistic(list.map((v, seed) => [seed, v]))),
    examples: subjects.map(() => new Map()),
    shared: subjects.map(() => false),
    details: {},
  };
}

const clear = [0.1, 0.2, 0.15, 0.12, 0.18];
const noise = [0.1, -0.2, 0.15, -0.12, 0.05];
const base = [1, 2, 3, 4, 5];
const plus = (by: readonly number[], times = 1): number[] => base.map((v, i) => v + times * by[i]);

function only(rows: MeasureRow[]): Comparison {
  const [first] = comparisonsOf(rows, subjects);
  return first;
}

describe('comparisonsOf', () => {
  test('the first arm of a stage against each other; a stage without arms is compared with none', () => {
    const found = comparisonsOf([row('x', 'larger', [base, base, plus(clear), plus(noise)])], subjects);
    expect(found.map(({ baseline, other }) => [baseline.label, other.label])).toEqual([
      ['a', 'b'],
      ['a', 'c'],
    ]);
    expect(found[0].judged[0].judgement).toMatchObject({ verdict: 'ahead', inFavour: 5, pairs: 5 });
    expect(found[0].judged[0].judgement.mean).toBeCloseTo(0.15, 12);
    expect(found[1].judged[0].judgement.verdict).toBe('cannot tell');
  });

  test('where smaller is better, more is behind', () => {
    const { judgement } = only([row('x', 'smaller', [base, base, plus(clear), base])]).judged[0];
    expect(judgement).toMatchObject({ verdict: 'behind', inFavour: 0 });
  });

  test('what is only told, and parts, do not enlarge the family', () => {
    const clearRow = row('x', 'larger', [base, base, plus(clear), base]);
    const alone = only([clearRow]).judged[0].judgement.adjusted;
    const found = only([
      clearRow,
      row('y', 'neither', [base, base, plus(noise), base]),
      row('x.z', 'larger', [base, base, plus(noise), base]),
    ]);
    expect(found.judged.map((one) => one.judgement.adjusted)).toEqual([alone]);
    expect([found.told.length, found.parts.length]).toEqual([1, 1]);
    const two = only([clearRow, row('y', 'larger', [base, base, plus(noise), base])]);
    expect(two.judged[0].judgement.adjusted).toBeCloseTo(2 * (alone ?? 0), 12);
  });

  test('rows that all seeds share are counted; where they were not kept there is no verdict', () => {
    const measured = row('x', 'larger', [base, base, plus(clear), base]);
    const alone = only([measured]).judged[0].judgement;
    const shared = { ...measured, shared: [false, true, true, false] };
    expect(only([shared]).judged[0].judgement).toMatchObject({ verdict: 'no verdict', pairs: 5 });
    expect(only([shared]).judged[0].difference.interval).toBeUndefined();
    // Two rows a seed that differ by one for the second arm: as wide as rows can make it.
    const examples = [[], base, plus(clear)].map((list, arm) => new Map(list.map((v, seed) => [seed, { values: [v - arm, v + arm] }])));
    const counted = only([{ ...shared, examples: [...examples, new Map()] }]).judged[0].judgement;
    expect(counted.mean).toBe(alone.mean);
    expect(counted.verdict).toBe('cannot tell');
    expect((counted.interval?.[1] ?? NaN) - (counted.mean ?? NaN)).toBeGreaterThan(5);
  });

  test('only seeds that both arms have count; an arm without values is not compared', () => {
    const found = comparisonsOf([row('x', 'larger', [base, base, plus(clear).slice(0, 3), []])], subjects);
    expect(found.map(({ other }) => other.label)).toEqual(['b']);
    expect(found[0].judged[0].judgement.pairs).toBe(3);
  });
});

describe('findingOf', () => {
  const rows = (...kinds: ('ahead' | 'behind' | 'open')[]): MeasureRow[] =>
    kinds.map((kind, i) =>
      row(`m${i}`, 'larger', [base, base, kind === 'open' ? plus(noise) : plus(clear, kind === 'ahead' ? 1 : -1), base]),
    );

  test.each([
    [rows('ahead', 'ahead', 'behind', 'open'), 'b is ahead of a in 2 of 4 measures and behind in 1; in 1 one cannot tell.'],
    [rows('ahead'), 'b is ahead of a in 1 of 1 measure and behind in none.'],
    [rows('behind', 'open'), 'b is behind a in 1 of 2 measures and ahead in none; in 1 one cannot tell.'],
    [rows('open', 'open'), 'b against a: in none of 2 measures can one tell which is ahead.'],
  ])('sentence %#', (measures, sentence) => expect(findingOf(only(measures))).toBe(sentence));

  test('one seed: nothing is found', () => {
    expect(findingOf(only([row('x', 'larger', [[1], [1], [2], [1]])]))).toBeUndefined();
  });
});
