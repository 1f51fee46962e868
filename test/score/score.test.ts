import { expect, test } from '@jest/globals';
import { scoreNamed, scores } from '../../runtime/core/score/score.ts';

test('scores are found by the name that a plan gives', () => {
  for (const name of Object.keys(scores)) expect(scoreNamed(name)).toBe(scores[name]);
});

test('an unknown score is refused, also one that every object has', () => {
  expect(() => scoreNamed('toString')).toThrow(expect.objectContaining({ code: 'R0701', cure: expect.stringContaining('logistic') }));
});
