import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import type { Node } from '../../compiler/graph/graph.ts';
import { affine, atLane, quad } from '../../compiler/kernels/index/access.ts';
import { flatten, unflatten } from '../../compiler/kernels/index/coordinates.ts';
import {
  add,
  confine,
  constant,
  div,
  inRange,
  lane,
  mod,
  plus,
  scale,
  substitute,
  variable,
} from '../../compiler/kernels/index/expression.ts';
import type { Index } from '../../compiler/kernels/index/expression.ts';
import { affineView } from '../../compiler/kernels/index/view.ts';
import { Random } from '../support/random.ts';

const i = variable('i', 19, 0);
const j = variable('j', 6, 0);

/** The value of an index where its variables have these values. */
function at(index: Index, values: Record<string, number>): number {
  return substitute(index, (v) => (v.name in values ? constant(values[v.name]) : undefined)).constant;
}

describe('positions', () => {
  test('a reshape there and back is nothing', () => {
    const q = variable('q', 2 * 3 * 8 - 1, 0);
    expect(flatten(unflatten(q, [2, 3, 8]), [2, 3, 8]).key).toBe('q');
    expect(flatten(unflatten(flatten(unflatten(q, [2, 3, 8]), [2, 3, 8]), [6, 8]), [6, 8]).key).toBe('q');
    expect(flatten(unflatten(flatten(unflatten(q, [4, 12]), [4, 12]), [2, 3, 8]), [2, 3, 8]).key).toBe('q');
  });

  test('axes that split or merge in place stay affine', () => {
    const [row, column] = unflatten(add(scale(i, 12), variable('c', 11, 0)), [20, 12]);
    expect([row.key, column.key]).toEqual(['i', 'c']);
    expect(unflatten(add(scale(i, 7), j), [4, 5, 7]).map((index) => index.key)).toEqual(['(i)/5', '(i)%5', 'j']);
  });

  test('four lanes of a quad are divided as a quad', () => {
    const four = add(scale(i, 4), lane);
    expect(div(four, 8).key).toBe('(i)/2');
    expect(mod(four, 8).key).toBe('#+4*(i)%2');
    expect(quad(add(scale(j, 80), mod(four, 8)))?.key).toBe('(i)%2+20*j');
    expect(quad(mod(four, 6))).toBeUndefined();
    expect(quad(plus(four, 2))).toBeUndefined();
    expect(confine(plus(four, -8), 31).key).toBe('#+4*(i+-2)<7');
    expect(inRange(plus(four, -8), 32)).toMatchObject({ extent: 8, index: { key: 'i+-2' } });
    expect(inRange(four, 80)).toBe(true);
    expect(inRange(plus(four, 80), 80)).toBe(false);
    expect(atLane(plus(four, 3), 2).key).toBe('4*i+5');
  });

  test('random expressions keep their value and their range', () => {
    const random = new Random(5);
    const leaves = [i, j, lane, variable('k', 3, 0)];
    for (let round = 0; round < 1000; round++) {
      const values: Record<string, number> = { i: random.below(20), j: random.below(7), '#': random.below(4), k: random.below(4) };
      let index: Index = constant(random.below(9));
      let value = index.constant;
      const text: string[] = [`${value}`];
      for (let step = 0; step < 6; step++) {
        const by = 1 + random.below(24);
        const leaf = random.pick(leaves);
        const leafValue = values[leaf.terms[0].key];
        const kind = random.pick(['add', 'scale', 'div', 'mod', 'confine', 'split'] as const);
        text.push(`${kind} ${by} ${leaf.key}`);
        if (kind === 'add') [index, value] = [add(index, scale(leaf, by)), value + by * leafValue];
        if (kind === 'scale') [index, value] = [scale(index, 1 + (by % 5)), value * (1 + (by % 5))];
        if (kind === 'div') [index, value] = [div(index, by), Math.floor(value / by)];
        if (kind === 'mod') [index, value] = [mod(index, by), value % by];
        if (kind === 'confine') {
          index = confine(plus(index, -4), by);
          // Outside the range, any place within it will do.
          value = value - 4 >= 0 && value - 4 <= by ? value - 4 : Math.min(Math.max(at(index, values), 0), by);
        }
        if (kind === 'split') [index, value] = [add(scale(div(index, by), by), mod(index, by), leaf), value + leafValue];
        const test = inRange(plus(index, -by), 12);
        const known = typeof test === 'boolean' ? test : at(test.index, values) >= 0 && at(test.index, values) < test.extent;
        expect([text, at(index, values), index.min <= value && value <= index.max, known]).toEqual([
          text,
          value,
          true,
          value - by >= 0 && value - by < 12,
        ]);
      }
    }
  });

  test('strides of a sum of variables', () => {
    expect(affine(plus(add(scale(i, 3), j), 5), ['j', 'i'])).toEqual({ strides: [1, 3], offset: 5 });
    expect(affine(div(i, 3), ['i'])).toBeUndefined();
  });
});

describe('views', () => {
  const b = new GraphBuilder();
  const x = b.input('x', [4, 6, 10]);
  const realised = (node: Node) => node === x;

  test('reshapes, permutations, slices and expansions of a tensor', () => {
    expect(affineView(x, realised)).toEqual({ base: x, strides: [60, 10, 1], offset: 0 });
    const heads = b.permute(b.reshape(b.slice(x, [0, 0, 2], [4, 6, 6]), [4, 6, 3, 2]), [0, 2, 1, 3]);
    expect(affineView(heads, realised)).toEqual({ base: x, strides: [60, 2, 10, 1], offset: 2 });
    const wide = b.expand(b.slice(x, [0, 1, 0], [4, 1, 10]), [4, 5, 10]);
    expect(affineView(wide, realised)).toEqual({ base: x, strides: [60, 0, 1], offset: 10 });
    expect(affineView(b.reshape(x, [24, 10]), realised)?.strides).toEqual([10, 1]);
  });

  test('what merges axes that lie apart, or computes, is no view', () => {
    expect(affineView(b.reshape(b.permute(x, [1, 0, 2]), [24, 10]), realised)).toBeUndefined();
    expect(affineView(b.reshape(b.slice(x, [0, 0, 0], [4, 5, 10]), [20, 10]), realised)).toBeUndefined();
    expect(affineView(b.neg(x), realised)).toBeUndefined();
    expect(affineView(b.pad(x, [1, 0, 0], [5, 6, 10]), realised)).toBeUndefined();
  });
});
