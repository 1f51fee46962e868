/** Every elementwise function keeps the accuracy that its entry states, over its whole domain, on every target that the device takes. */
import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { evaluate } from '../../compiler/graph/evaluate.ts';
import type { BinaryFn, Graph, Node, Output, UnaryFn } from '../../compiler/graph/graph.ts';
import { BINARY } from '../../compiler/graph/primitives/binary.ts';
import { UNARY } from '../../compiler/graph/primitives/unary.ts';
import { TARGETS } from '../../compiler/lower/targets.ts';
import { testDevice } from '../support/device.ts';
import { Random } from '../support/random.ts';
import { runGraph, targetOf } from '../support/run-graph.ts';
import { ulps } from '../support/ulp.ts';

const open = testDevice();

const LARGEST = 3.4028234663852886e38;
const SMALLEST = 2 ** -126;
/** Special values, ties of rounding to whole numbers, ends of domains, multiples of pi/2, and numbers where functions begin to saturate. */
const POSITIVE = [
  ...[0, SMALLEST, LARGEST, Infinity, 1, 2, 3, 4, 5, 0.5, 1.5, 2.5, 1 / 3, 10, 0.1, 1 - 2 ** -24, 1 + 2 ** -23, 2 ** -24, 2 ** 23 - 0.5],
  ...[2 ** 23 + 1, 2 ** 24, 2 ** 24 - 1, 2 ** 31, 2 ** 32, 1e-20, 1e-7, 1e-5, 1e-4, 1e10, 1e19, 1e30],
  ...[16.7, 17.5, 87.3, 88, 88.7, 88.8, 89, 103, 104, 1000, 1599, 1601],
  ...[1, 2, 3, 4, 11, 1000, 1e6].map((n) => (n * Math.PI) / 2),
].map(Math.fround);
const SPECIAL = [NaN, ...POSITIVE, ...POSITIVE.map((x) => -x)];

/** f32 numbers of random bits, without subnormal ones. */
function randomBits(random: Random, count: number): number[] {
  const bits = Uint32Array.from({ length: count }, () => random.next() * 2 ** 32);
  return [...new Float32Array(bits.buffer)].map((x) => (x !== 0 && Math.abs(x) < SMALLEST ? x * 2 ** 24 : x));
}

const random = new Random(3);
const ONE = [...SPECIAL, ...randomBits(random, 2000), ...random.floats(1000, -3, 3), ...random.floats(1000, -100, 100)];
const PAIRS: [number, number][] = [
  ...SPECIAL.flatMap((x) => SPECIAL.map((y): [number, number] => [x, y])),
  ...randomBits(random, 1000).map((x): [number, number] => [x, randomBits(random, 1)[0]]),
  ...[...random.floats(500, -9, 9)].map((x): [number, number] => [x, random.below(41) - 20]),
  ...[...random.floats(500, 0.9, 1.1)].map((x): [number, number] => [x, Math.fround(1500 * random.next() - 750)]),
];

const unary = (Object.keys(UNARY) as UnaryFn[]).filter((fn) => UNARY[fn].takes.includes('f32'));
const binary = (Object.keys(BINARY) as BinaryFn[]).filter((fn) => BINARY[fn].takes.includes('f32'));

/** Numbers, four at a time where their count allows it, and one at a time where it does not. */
function graphOf(count: number, of: { unary?: readonly UnaryFn[]; binary?: readonly BinaryFn[] }): Graph {
  const b = new GraphBuilder();
  const [x, y] = [b.input('x', [count]), b.input('y', [count])];
  const result = (name: string, node: Node): Output => ({ kind: 'output', name, node: b.cast(node, 'f32') });
  return {
    outputs: [
      ...(of.unary ?? []).map((fn) => result(fn, b.unary(fn, x))),
      ...(of.binary ?? []).map((fn) => result(fn, b.binary(fn, x, y))),
    ],
  };
}

const ways = [
  { name: 'fused', fuse: true, target: 'own' },
  { name: 'unfused', fuse: false, target: 'own' },
  { name: 'portable', fuse: true, target: 'portable' },
  { name: 'gpu', fuse: true, target: 'gpu' },
] as const;

describe.each(ways)('$name', ({ fuse, target }) => {
  const run = async (graph: Graph, input: Record<string, number[]>) =>
    (await runGraph(open(), graph, { input }, { fuse, target: target === 'own' ? targetOf(open()) : TARGETS[target] })).output;

  async function check(
    graph: Graph,
    input: Record<string, number[]>,
    ulp: (fn: string) => number,
    anySign: ReadonlySet<string>,
  ): Promise<void> {
    const wanted = evaluate(graph, { input }).output;
    const found = await run(graph, input);
    for (const [fn, exact] of Object.entries(wanted)) {
      const wrong = [...exact].flatMap((value, i) => {
        if (value === 0 && found[fn][i] === 0 && anySign.has(fn)) return [];
        const args = Object.values(input).map((values) => values[i]);
        const off = ulps(found[fn][i], value);
        return off <= Math.max(0.5, ulp(fn)) ? [] : [`${fn}(${args.join(', ')}) is ${found[fn][i]} instead of ${value}`];
      });
      expect(wrong.slice(0, 5)).toEqual([]);
    }
  }

  test.each([ONE.length - (ONE.length % 4), ONE.length - (ONE.length % 4) - 1])('functions of one operand, %i numbers', (count) =>
    check(graphOf(count, { unary }), { x: ONE.slice(0, count) }, (fn) => UNARY[fn as UnaryFn].ulp, new Set()),
  );

  test.each([PAIRS.length - (PAIRS.length % 4), PAIRS.length - (PAIRS.length % 4) - 1])(
    'functions of two operands, %i numbers',
    (count) => {
      const pairs = PAIRS.slice(0, count);
      const input = { x: pairs.map(([x]) => x), y: pairs.map(([, y]) => y) };
      // The larger of 0 and -0 is either.
      return check(graphOf(count, { binary }), input, (fn) => BINARY[fn as BinaryFn].ulp, new Set(['max', 'min']));
    },
  );
});

describe('the oracle has the special values of C99 and torch', () => {
  const one = (fn: UnaryFn, cases: [number, number][]) =>
    cases.forEach(([x, y]) => expect([fn, x, UNARY[fn].evaluate(x)]).toEqual([fn, x, y]));

  test('of one operand', () => {
    one('log', [
      [0, -Infinity],
      [-0, -Infinity],
      [-1, NaN],
      [Infinity, Infinity],
    ]);
    one('log1p', [
      [-1, -Infinity],
      [-2, NaN],
      [-0, -0],
      [Infinity, Infinity],
    ]);
    one('exp', [
      [-Infinity, 0],
      [Infinity, Infinity],
    ]);
    one('expm1', [
      [-Infinity, -1],
      [-0, -0],
      [Infinity, Infinity],
    ]);
    one('tanh', [
      [-Infinity, -1],
      [-0, -0],
    ]);
    one('erf', [
      [-Infinity, -1],
      [Infinity, 1],
      [-0, -0],
    ]);
    one('sqrt', [
      [-1, NaN],
      [-0, -0],
    ]);
    one('sin', [
      [Infinity, NaN],
      [-0, -0],
    ]);
    one('cos', [[-Infinity, NaN]]);
    for (const fn of unary.filter((name) => name !== 'is_finite')) expect([fn, UNARY[fn].evaluate(NaN)]).toEqual([fn, NaN]);
  });

  test('of two operands', () => {
    const pow = (x: number, y: number) => BINARY.pow.evaluate(x, y, 'f32');
    expect([pow(0, 0), pow(NaN, 0), pow(1, NaN), pow(-1, Infinity), pow(-1, -Infinity), pow(1, Infinity)]).toEqual([1, 1, 1, 1, 1, 1]);
    expect([pow(-2, 3), pow(-2, 2), pow(-2, 0.5), pow(-0, 3), pow(-0, -3), pow(0, -2)]).toEqual([-8, 4, NaN, -0, -Infinity, Infinity]);
    for (const fn of ['max', 'min', 'add', 'mul', 'div'] as const)
      expect([fn, BINARY[fn].evaluate(NaN, 1, 'f32'), BINARY[fn].evaluate(1, NaN, 'f32')]).toEqual([fn, NaN, NaN]);
    for (const fn of ['less', 'less_equal', 'equal'] as const) expect([fn, BINARY[fn].evaluate(NaN, NaN, 'f32')]).toEqual([fn, 0]);
  });
});
