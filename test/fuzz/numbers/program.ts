/**
 * Random programs over vectors of 16 numbers and their gradients. Program i of a seed depends on nothing else, so that one that failed can be
 * made again alone.
 */
import { gradients } from '../../../compiler/gradient/gradient.ts';
import type { GraphBuilder } from '../../../compiler/graph/builder.ts';
import type { BinaryFn, Node, Output, UnaryFn } from '../../../compiler/graph/graph.ts';
import { Random } from '../../support/random.ts';

export const LANES = 16;
const SIDE = 4;
const INPUTS = 3;

export interface Drawn {
  outputs: Output[];
  inputs: Record<string, Float32Array>;
}

const UNARY: readonly UnaryFn[] = ['neg', 'exp', 'expm1', 'log', 'log1p', 'sqrt', 'tanh', 'erf', 'sin', 'cos', 'abs', 'floor'];
const BINARY: readonly BinaryFn[] = ['add', 'sub', 'mul', 'div', 'max', 'min', 'pow', 'add', 'sub', 'mul', 'mul'];
const CONSTANTS = [0, -0, 1, -1, 2, 0.5, 3, -2, 1e-30, 1e30, -1e30, 3.4028234663852886e38, Infinity, -Infinity, NaN, 2 ** -126, 88, 1e-7];
const EXTREMES = [
  0,
  -0,
  1,
  -1,
  2,
  -2,
  0.5,
  -3,
  Infinity,
  -Infinity,
  NaN,
  3.4028234663852886e38,
  2 ** -126,
  88.5,
  -88.5,
  1e-20,
  -1e19,
  1e5,
  16777216,
];

/** Numbers of ordinary size, of random exponents, and special ones. */
function values(random: Random): Float32Array {
  return Float32Array.from({ length: LANES }, () => {
    if (random.chance(0.25)) return random.pick(EXTREMES);
    if (random.chance(0.25)) return (random.chance(0.5) ? 1 : -1) * 2 ** (random.next() * 250 - 125);
    if (random.chance(0.2)) return random.below(9) - 4;
    return random.next() * 8 - 4;
  });
}

/** Adds program `index` of a seed to a builder. */
export function draw(b: GraphBuilder, seed: number, index: number): Drawn {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const inputs: Record<string, Float32Array> = {};
  const leaves = Array.from({ length: INPUTS }, (_, i) => {
    const name = `p${index}.x${i}`;
    inputs[name] = values(random);
    return b.input(name, [LANES]);
  });
  const pool = [...leaves];
  const pick = () => random.pick(random.chance(0.6) ? pool.slice(-3) : pool);
  const square = (x: Node) => b.reshape(x, [SIDE, SIDE]);
  const flat = (x: Node) => b.reshape(b.broadcast(x, [SIDE, SIDE]), [LANES]);
  const operand = () => (random.chance(0.2) ? b.full([LANES], random.pick(CONSTANTS)) : pick());
  const condition = (): Node => {
    const [x, y] = [pick(), operand()];
    const test = random.pick([
      () => b.less(x, y),
      () => b.lessEqual(x, y),
      () => b.equal(x, y),
      () => b.isFinite(x),
      () => b.and(b.less(x, y), b.isFinite(y)),
    ])();
    return random.chance(0.3) ? b.not(test) : test;
  };
  const softmax = (x: Node) => {
    const e = b.exp(b.sub(x, b.detach(b.reduceMax(x, [-1], true))));
    return b.div(e, b.sum(e, [-1], true));
  };
  const steps: [number, () => Node][] = [
    [5, () => b.unary(random.pick(UNARY), pick())],
    [7, () => b.binary(random.pick(BINARY), pick(), operand())],
    [1, () => b.binary(random.pick(BINARY), operand(), pick())],
    [1, () => b.pow(pick(), random.pick([0, 0.5, -0.5, 1, 2, 3, 4, 5, -1, -2, -5, 1.5]))],
    [2, () => b.select(condition(), pick(), operand())],
    [1, () => b.mul(b.cast(condition(), 'f32'), pick())],
    [1, () => flat(b.sum(square(pick()), [random.below(2)], true))],
    [1, () => flat(b.reduceMax(square(pick()), [random.below(2)], true))],
    [0.5, () => flat(softmax(square(pick())))],
    [0.5, () => flat(b.einsum('i k, k j -> i j', square(pick()), square(pick())))],
    [0.3, () => flat(b.permute(square(pick()), [1, 0]))],
  ];
  const total = steps.reduce((sum, [weight]) => sum + weight, 0);
  const count = 2 + random.below(6);
  for (let i = 0; i < count; i++) {
    let at = random.next() * total;
    const step = steps.find(([weight]) => (at -= weight) < 0) ?? steps[0];
    pool.push(step[1]());
  }
  const y = pool[pool.length - 1];
  const outputs: Output[] = [{ kind: 'output', name: `p${index}.y`, node: y }];
  const slopes = gradients(b, b.sum(y), leaves);
  slopes.forEach((node, i) => {
    if (node) outputs.push({ kind: 'output', name: `p${index}.d${i}`, node });
  });
  return { outputs, inputs };
}
