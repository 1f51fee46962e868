import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { evaluate, evaluateNodes } from '../../compiler/graph/evaluate.ts';
import type { Bindings } from '../../compiler/graph/evaluate.ts';
import type { Node, OpKind } from '../../compiler/graph/graph.ts';
import { erf } from '../../compiler/graph/primitives/erf.ts';

const b = new GraphBuilder();
const x = b.input('x', [2, 3]);
const table = b.input('table', [4, 2]);
const index = b.input('index', [3], 'i32');
const bindings: Bindings = {
  input: { x: [1, -2, 3, -4, 5, -6], table: [0, 1, 10, 11, 20, 21, 30, 31], index: [2, 0, 2] },
  state: { s: [7, 8] },
  scalar: { alpha: 0.5 },
};

/** Small results that can be checked by eye, one at least for each primitive. */
const expected: { [K in OpKind]: [Node, number[]][] } = {
  input: [[x, [1, -2, 3, -4, 5, -6]]],
  state: [[b.state('s', [2]), [7, 8]]],
  scalar: [[b.scalar('alpha'), [0.5]]],
  constant: [[b.constant(-3), [-3]]],
  iota: [
    [b.iota([2, 3], 0), [0, 0, 0, 1, 1, 1]],
    [b.iota([2, 3], 1), [0, 1, 2, 0, 1, 2]],
  ],
  unary: [
    [b.abs(x), [1, 2, 3, 4, 5, 6]],
    [b.not(b.less(x, 0)), [1, 0, 1, 0, 1, 0]],
    [b.isFinite(b.div(x, b.cast(b.less(0, x), 'f32'))), [1, 0, 1, 0, 1, 0]],
    [b.floor(b.div(x, 2)), [0, -1, 1, -2, 2, -3]],
  ],
  binary: [
    [b.max(x, 2), [2, 2, 3, 2, 5, 2]],
    [b.sub(1, x), [0, 3, -2, 5, -4, 7]],
    [b.equal(x, b.permute(b.reshape(x, [3, 2]), [1, 0])), [1, 0, 0, 0, 0, 1]],
    [b.div(b.cast(x, 'i32'), 2), [0, -1, 1, -2, 2, -3]],
    [b.mul(b.constant(65537, 'i32'), 65537), [131073]],
    [b.sub(b.constant(1, 'u32'), 2), [2 ** 32 - 1]],
  ],
  select: [[b.select(b.less(x, 0), 0, x), [1, 0, 3, 0, 5, 0]]],
  cast: [
    [b.cast(b.div(x, 2), 'i32'), [0, -1, 1, -2, 2, -3]],
    [b.cast(b.mul(x, 1e9), 'i32'), [1e9, -2e9, 2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 1, -(2 ** 31)]],
  ],
  reduce: [
    [b.sum(x, [0]), [-3, 3, -3]],
    [b.reduceMax(x, [1]), [3, 5]],
    [b.mean(x), [-0.5]],
  ],
  contract: [
    [b.einsum('i k, j k -> j i', x, x), [14, -32, -32, 77]],
    [b.einsum('i k, i k -> k', x, x), [17, 29, 45]],
    [b.einsum('a, c -> c a', b.sum(x, [1]), b.sum(x, [0])), [-6, 15, 6, -15, -6, 15]],
  ],
  reshape: [[b.reshape(x, [6, 1]), [1, -2, 3, -4, 5, -6]]],
  permute: [[b.permute(x, [1, 0]), [1, -4, -2, 5, 3, -6]]],
  expand: [[b.broadcast(index, [2, 3]), [2, 0, 2, 2, 0, 2]]],
  slice: [[b.slice(x, [0, 1], [2, 2]), [-2, 3, 5, -6]]],
  pad: [[b.pad(index, [1], [5]), [0, 2, 0, 2, 0]]],
  concat: [[b.concat([b.slice(x, [0, 0], [2, 1]), x], 1), [1, 1, -2, 3, -4, -4, 5, -6]]],
  gather: [[b.gather(table, index), [20, 21, 0, 1, 20, 21]]],
  scatter_add: [[b.scatterAdd(b.permute(x, [1, 0]), index, 4), [-2, 5, 0, 0, 4, -10, 0, 0]]],
  composite: [[b.detach(x), [1, -2, 3, -4, 5, -6]]],
};

describe('the oracle', () => {
  test.each(Object.entries(expected))('%s', (_kind, cases) => {
    for (const [node, values] of cases) {
      const [result] = evaluateNodes([node], bindings);
      expect([...result].map((value) => value + 0)).toEqual(values);
    }
  });

  test('rounds to f32 where asked', () => {
    const node = b.add(b.scalar('alpha'), 0.1);
    const graph = { outputs: [{ kind: 'output' as const, name: 'y', node }] };
    expect(evaluate(graph, bindings).output.y[0]).toBe(0.6);
    expect(evaluate(graph, bindings, { precision: 'f32' }).output.y[0]).toBe(Math.fround(0.5 + Math.fround(0.1)));
  });

  test('names what is not bound, or bound to too little', () => {
    expect(() => evaluateNodes([b.input('absent', [1])], bindings)).toThrow("input 'absent'");
    expect(() => evaluateNodes([b.input('index', [4], 'i32')], bindings)).toThrow('was given 3 values');
  });

  test('refuses an index outside its table', () => {
    expect(() => evaluateNodes([b.gather(b.slice(table, [0, 0], [2, 2]), index)], bindings)).toThrow('index 2 at position 0');
  });
});

describe('erf', () => {
  test('the oracle agrees with tabulated values', () => {
    // Abramowitz and Stegun, table 7.1.
    const known: [number, number][] = [
      [0.1, 0.112462916],
      [0.5, 0.5204998778],
      [1, 0.8427007929],
      [2, 0.995322265],
      [-1.5, -0.9661051465],
    ];
    for (const [at, value] of known) expect(erf(at)).toBeCloseTo(value, 9);
    expect([erf(0), erf(9), erf(-Infinity), erf(NaN)]).toEqual([0, 1, -1, NaN]);
  });
});
