/**
 * Texts at the edges of numbers: outside the domain of a function, near 0, at infinity, with NaN. Values and gradients are those of torch in
 * float64, on the oracle and on the device, fused, unfused and for the portable target.
 */
import { describe, expect, test } from '@jest/globals';
import { evaluate } from '../../compiler/graph/evaluate.ts';
import { TARGETS } from '../../compiler/lower/targets.ts';
import { testDevice } from '../support/device.ts';
import { layerGraph } from '../support/layer-text.ts';
import type { LayerInput } from '../support/layer-text.ts';
import { runGraph } from '../support/run-graph.ts';

const open = testDevice();

interface Case {
  name: string;
  text: string;
  inputs: Record<string, LayerInput>;
  want: Record<string, number[]>;
}

const of = (name: string, body: string, x: number[], y: number[], slope?: number[]): Case => ({
  name,
  text: `use std.nn.activation.{ sigmoid, log_sigmoid, softplus, softmax, log_softmax }\nlayer f(x: [N]) -> [N] { return ${body} }`,
  inputs: { x: { data: x } },
  want: { y, ...(slope ? { 'd:x': slope } : {}) },
});
const rows = (name: string, text: string, width: number, x: number[], want: Record<string, number[]>): Case => ({
  name,
  text,
  inputs: { x: { data: x, shape: [x.length / width, width] } },
  want,
});
const two = (name: string, body: string, x: number[], y: number[], want: Record<string, number[]>): Case => ({
  name,
  text: `layer f(x: [N], y: [N]) -> [N] { return ${body} }`,
  inputs: { x: { data: x }, y: { data: y } },
  want,
});
const given = (name: string, body: string, t: string, x: number[], want: Record<string, number[]>): Case => ({
  name,
  text: `layer g(x: [N], t: []) -> [N] { return ${body} }\nlayer f(x: [N]) -> [N] { return g(x, t: ${t}) }`,
  inputs: { x: { data: x } },
  want,
});

const powers: Case[] = [
  of('x ^ 5', 'x ^ 5', [-2, -1, 0, 1, 2], [-32, -1, 0, 1, 32], [80, 5, 0, 5, 80]),
  of('x ^ 6', 'x ^ 6', [-2, 2, 1, 0], [64, 64, 1, 0], [-192, 192, 6, 0]),
  of('x ^ -5', 'x ^ -5', [-2, 2, 1], [-0.03125, 0.03125, 1], [-0.078125, -0.078125, -5]),
  of('x ^ 2.5', 'x ^ 2.5', [-1, 0, 4], [NaN, 0, 32], [NaN, 0, 20]),
  of('x ^ 1.5 far out', 'x ^ 1.5', [1e30, Infinity, 1e-30], [Infinity, Infinity, 1e-45], [1.5e15, Infinity, 1.5e-15]),
  given('the exponent is a number of the program', 'x ^ t', '2', [-3, 0, 3], { y: [9, 0, 9], 'd:x': [-6, 0, 6] }),
  given('the exponent is 0', 'x ^ t', '0', [-3, 0, 3], { y: [1, 1, 1], 'd:x': [0, 0, 0] }),
  given('the exponent is 3', 'x ^ t', '3', [-3, 0, 3], { y: [-27, 0, 27], 'd:x': [27, 0, 27] }),
  two('x ^ y', 'x ^ y', [-2, -2, 0, 0, 2, 2, 0, -1], [2, 3, 0, 1, 0, -1, -1, 0.5], {
    y: [4, -8, 1, 0, 1, 0.5, Infinity, NaN],
    'd:x': [-4, 12, 0, 1, 0, -0.25, -Infinity, NaN],
    'd:y': [NaN, NaN, 0, 0, Math.LN2, 0.5 * Math.LN2, -Infinity, NaN],
  }),
];

const nan: Case[] = [
  of('relu', 'max(x, 0)', [NaN, 1, -1, Infinity], [NaN, 1, 0, Infinity], [1, 1, 0, 1]),
  of('relu of four and one', 'max(0, x)', [1, -1, NaN, 2, NaN], [1, 0, NaN, 2, NaN]),
  of('min', 'min(x, 0)', [NaN, 1, -1, -Infinity], [NaN, 0, -1, -Infinity]),
  of('tanh', 'tanh(x)', [NaN, 1, Infinity, -Infinity], [NaN, 0.7615941559557649, 1, -1]),
  of('erf', 'erf(x)', [NaN, 1, Infinity, -Infinity], [NaN, 0.8427007929497149, 1, -1]),
  of('sigmoid', 'sigmoid(x)', [NaN, Infinity, -Infinity], [NaN, 1, 0]),
  of('log_sigmoid', 'log_sigmoid(x)', [NaN, Infinity, -Infinity], [NaN, 0, -Infinity], [NaN, 0, 1]),
  of('x * 0', 'x * 0', [Infinity, NaN, 1], [NaN, NaN, 0]),
  of('0 / x', '0 / x', [0, NaN, 1, Infinity], [NaN, NaN, 0, 0]),
  of('x - x', 'x - x', [Infinity, NaN, 1], [NaN, NaN, 0]),
  of('x / x', 'x / x', [Infinity, NaN, 0, 2], [NaN, NaN, NaN, 1]),
  of('x + 1 - x', '(x + 1) - x', [Infinity, NaN, 2], [NaN, NaN, 1]),
  of('a root squared', 'sqrt(x) * sqrt(x)', [-1, NaN, 4], [NaN, NaN, 4]),
  of('a quotient times its divisor', '(1 / x) * x', [0, Infinity, NaN, 2], [NaN, NaN, NaN, 1]),
  of('a product over its factor', '(2 * x) / x', [0, Infinity, NaN, 2], [NaN, NaN, NaN, 2]),
  of('log of exp', 'log(exp(x))', [100, -200, NaN], [Infinity, -Infinity, NaN]),
  of('exp of log', 'exp(log(x))', [-1, NaN, 0], [NaN, NaN, 0]),
  of('1 / -0', '1 / (x + 0)', [-0, 0], [Infinity, Infinity]),
  of('1 / -(x - x)', '1 / -(x - 1)', [1], [-Infinity]),
  of(
    'comparisons',
    'where(x < 1, 1, 0.0) + where(x <= 1, 2, 0.0) + where(x >= 1, 4, 0.0) + where(x > 1, 8, 0.0)',
    [NaN, 0, 1, 2],
    [0, 3, 6, 12],
  ),
  of('equality', 'where(x == x, 1, 0.0) + where(x != x, 2, 0.0) + where(x == 1, 4, 0.0) + where(x != 1, 8, 0.0)', [NaN, 0, 1], [10, 9, 5]),
  of('a negated comparison', 'where(not (x < 1), 1, 0.0)', [NaN, 0, 1], [1, 0, 1]),
  of('is_finite', 'where(is_finite(x * 2), 1, 0.0)', [NaN, 1e38, 2e38, -2e38], [0, 1, 0, 0]),
  of('a product in two steps', 'x * 1e30 * 1e30', [0, 1e-30, 1e10], [0, 1e30, Infinity]),
];

const largest = 'layer f(x: [N, K]) -> [N] { return largest(x, axis: -1) }';
const down = 'layer f(x: [N, K]) -> [K] { return largest(x, axis: 0) }';
const softmax = 'use std.nn.activation.softmax\nlayer f(x: [N, K]) -> [N, K] { return softmax(x) }';
const logSoftmax = 'use std.nn.activation.log_softmax\nlayer f(x: [N, K]) -> [N, K] { return log_softmax(x) }';
const over: Case[] = [
  rows('largest', largest, 3, [NaN, 1, -1, 1, 2, 3, -Infinity, -Infinity, -Infinity, 1, NaN, Infinity], { y: [NaN, 3, -Infinity, NaN] }),
  rows('largest of long rows', largest, 300, [...Array<number>(299).fill(1), NaN, ...Array<number>(300).fill(-Infinity)], {
    y: [NaN, -Infinity],
  }),
  rows('largest of columns', down, 2, [NaN, 1, 5, 2, 3, -Infinity], { y: [NaN, 2] }),
  rows('softmax', softmax, 2, [-Infinity, -Infinity, NaN, 1, -Infinity, 1, 1000, -1000, Infinity, 1], {
    y: [NaN, NaN, NaN, NaN, 0, 1, 1, 0, NaN, NaN],
  }),
  rows('softmax over one', softmax, 1, [1, -Infinity, NaN], { y: [1, NaN, NaN] }),
  rows('log_softmax', logSoftmax, 2, [-Infinity, -Infinity, NaN, 1, -Infinity, 1, 1000, 0], {
    y: [NaN, NaN, NaN, NaN, -Infinity, 0, 0, -1000],
  }),
];

const domains: Case[] = [
  of('log', 'log(x)', [0, 1e-37, -1, Infinity, NaN], [-Infinity, -85.19565, NaN, Infinity, NaN]),
  of('exp', 'exp(x)', [100, -200, Infinity, -Infinity], [Infinity, 0, Infinity, 0]),
  of('sqrt', 'sqrt(x)', [-1, 0, Infinity], [NaN, 0, Infinity], [NaN, Infinity, 0]),
  of('sin', 'sin(x)', [1e5, 1e10, 3e38, Infinity], [0.0357487979720165, -0.48750602508751067, Math.sin(Math.fround(3e38)), NaN]),
  of('cos', 'cos(x)', [1e5, 1e10, 3e38, Infinity], [-0.9993608073704556, 0.873119622676856, Math.cos(Math.fround(3e38)), NaN]),
  of('log1p', 'log1p(x)', [-1, -2, 1e-10, 3e38], [-Infinity, NaN, 1e-10, Math.log(Math.fround(3e38))]),
  of('expm1', 'expm1(x)', [-200, 100, 1e-10, -1e-20], [-1, Infinity, 1e-10, -1e-20]),
  {
    name: 'the mean of a logarithm',
    text: 'layer f(p: [N]) -> [] { return -mean(log(p)) }',
    inputs: { p: { data: [0, 0.5, 1, 1] } },
    want: { y: [Infinity] },
  },
];

const small = [1e-20, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3];
const margins = [-87, -50, -20, -15, -5, -1e-4, 0, 1e-4, 1, 10, 12, 15, 17, 20, 50, 87];
const sigmoid = (x: number) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const logSigmoid = (x: number) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));
const digits: Case[] = [
  of(
    'tanh near 0',
    'tanh(x)',
    small,
    small.map(Math.tanh),
    small.map((x) => 1 - Math.tanh(x) ** 2),
  ),
  of(
    'sigmoid',
    'sigmoid(x)',
    margins,
    margins.map(sigmoid),
    margins.map((x) => sigmoid(x) * sigmoid(-x)),
  ),
  of(
    'log_sigmoid',
    'log_sigmoid(x)',
    margins,
    margins.map(logSigmoid),
    margins.map((x) => sigmoid(-x)),
  ),
  of(
    'softplus',
    'softplus(x)',
    margins,
    margins.map((x) => -logSigmoid(-x)),
    margins.map(sigmoid),
  ),
  of('log of sigmoid', 'log(sigmoid(x))', [-10, -15, -17, -20, -50], [-10, -15, -17, -20, -50].map(logSigmoid)),
];

const constants: Case[] = [
  given('1 / 0 in the other branch', 'where(x > 0, x, 1 / t)', '0', [1, 2], { y: [1, 2] }),
  given('log(0)', 'x * log(t)', '0', [1, 2], { y: [-Infinity, -Infinity] }),
  given('log(-1)', 'x * log(t)', '-1', [1, 2], { y: [NaN, NaN] }),
  given('exp(100)', 'x * exp(-t)', '-100', [1, 2], { y: [Infinity, Infinity] }),
  given('-1 / 0 beside a finite one', 'max(x, -1 / t)', '0', [1, -2], { y: [1, -2] }),
  given('1 / -0', 'x / t', '-0', [1, -1], { y: [-Infinity, Infinity] }),
  of('the largest number', 'min(x, 3.4028235e38) - 3.4028234663852886e38', [Infinity, 0], [0, -3.4028234663852886e38]),
  of('a subnormal number', 'x + 1e-40 * 0', [1, 2], [1, 2]),
  {
    name: 'whole numbers over 0',
    text: 'layer f(x: [N], i: ids [N]) -> [N] { return x + where(i > 5, float(i / 0), 0.0) }',
    inputs: { x: { data: [1, 2] }, i: { data: [1, 2], dtype: 'i32' } },
    want: { y: [1, 2] },
  },
];

/** f32 of an exact value, to `relative`; not-a-numbers, infinities and zeros as they are. Subnormal values may be 0. */
function expectNear(found: ArrayLike<number>, want: readonly number[], relative: number, what: string): void {
  const wrong = want.flatMap((value, i) => {
    const exact = Math.abs(value) > 3.4028235677973366e38 ? Math.sign(value) * Infinity : value;
    const got = found[i];
    const near = Object.is(got, exact) || got === exact || Math.abs(got - exact) <= Math.max(relative * Math.abs(exact), 2 ** -126);
    const right = Number.isFinite(exact) ? near : Object.is(got, exact);
    return right ? [] : [`${what}[${i}] is ${got} instead of ${exact}`];
  });
  expect(found.length).toBe(want.length);
  expect(wrong).toEqual([]);
}

describe.each(Object.entries({ powers, nan, over, domains, digits, constants }))('%s', (_kind, cases) => {
  test.each(cases)('$name', async ({ text, inputs, want }) => {
    const { graph, bindings } = layerGraph(text, inputs);
    const wanted = { outputs: graph.outputs.filter(({ name }) => name in want) };
    expect(wanted.outputs.map(({ name }) => name).sort()).toEqual(Object.keys(want).sort());
    const compare = (output: Record<string, ArrayLike<number>>, relative: number, way: string) =>
      Object.entries(want).forEach(([name, values]) => expectNear(output[name], values, relative, `${way}: ${name}`));
    compare(evaluate(wanted, bindings, { precision: 'f32' }).output, 1e-6, 'oracle');
    for (const fuse of [true, false])
      compare((await runGraph(open(), wanted, bindings, { fuse })).output, 1e-6, fuse ? 'fused' : 'unfused');
    compare((await runGraph(open(), wanted, bindings, { fuse: true, target: TARGETS.portable })).output, 1e-6, 'portable');
  });
});
