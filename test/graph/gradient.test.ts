import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { GatherIndexError } from '../../compiler/graph/errors.ts';
import { evaluateNodes } from '../../compiler/graph/evaluate.ts';
import type { Bindings } from '../../compiler/graph/evaluate.ts';
import type { BinaryFn, Node, OpKind, UnaryFn } from '../../compiler/graph/graph.ts';
import { elements } from '../../compiler/graph/shape.ts';
import { nodesOf } from '../../compiler/graph/walk.ts';
import { gradients } from '../../compiler/gradient/gradient.ts';
import { randomGraph } from '../support/random-graph.ts';
import { Random } from '../support/random.ts';

/** An expression of the inputs x [3, 5], y [5] and p [3, 5] (positive), whose gradients are compared with differences. */
type Build = (b: GraphBuilder, x: Node, y: Node, p: Node) => Node;

const random = new Random(11);
const values = {
  x: random.floats(15),
  y: random.floats(5),
  p: random.floats(15, 0.5, 2),
  weights: random.floats(400),
  index: [2, 0, 2, 1],
  other: [1],
};
const shapes = { x: [3, 5], y: [5], p: [3, 5] };
type Name = keyof typeof shapes;
const names: readonly Name[] = ['x', 'y', 'p'];

function checkGradient(build: Build): void {
  const b = new GraphBuilder();
  const [x, y, p] = names.map((name) => b.input(name, shapes[name]));
  const result = build(b, x, y, p);
  // Weighted, so that no gradient vanishes by symmetry.
  const weights = b.reshape(b.slice(b.input('weights', [400]), [0], [elements(result.shape)]), result.shape);
  const loss = b.sum(b.mul(result, weights));
  const slopes = gradients(b, loss, [x, y, p]);
  expect(slopes.some((slope) => slope !== undefined)).toBe(true);
  const at = (input: Record<string, ArrayLike<number>>) => evaluateNodes([loss], { input })[0][0];
  slopes.forEach((slope, i) => {
    const name = names[i];
    if (slope) expect(slope.shape).toEqual(shapes[name]);
    const exact = slope ? evaluateNodes([slope], { input: values })[0] : new Float64Array(elements(shapes[name]));
    exact.forEach((value, k) => expect(Math.abs(value - difference(at, name, k))).toBeLessThan(1e-7 * Math.max(1, Math.abs(value))));
  });
}

/** Central difference of fourth order. */
function difference(at: (input: Record<string, ArrayLike<number>>) => number, name: Name, k: number): number {
  const step = 1e-3;
  const shifted = (by: number) => at({ ...values, [name]: Float64Array.from(values[name]).map((v, i) => (i === k ? v + by : v)) });
  return (8 * (shifted(step) - shifted(-step)) - (shifted(2 * step) - shifted(-2 * step))) / (12 * step);
}

const unaryCases: Record<UnaryFn, Build> = {
  neg: (b, x) => b.neg(x),
  exp: (b, x) => b.exp(x),
  expm1: (b, x) => b.expm1(x),
  log: (b, _x, _y, p) => b.log(p),
  log1p: (b, _x, _y, p) => b.log1p(p),
  sqrt: (b, _x, _y, p) => b.sqrt(p),
  tanh: (b, x) => b.tanh(x),
  erf: (b, x) => b.erf(x),
  sin: (b, x) => b.sin(x),
  cos: (b, x) => b.cos(x),
  abs: (b, x) => b.abs(x),
  // Steps: the gradient comes from the rest of the expression alone.
  floor: (b, x) => b.add(x, b.floor(b.mul(x, 1e-3))),
  not: (b, x) => b.select(b.not(b.less(x, 0)), b.mul(x, x), x),
  is_finite: (b, x) => b.select(b.isFinite(x), b.mul(x, x), x),
};

const binaryCases: Record<BinaryFn, Build> = {
  add: (b, x, y) => b.add(x, y),
  sub: (b, x, y) => b.sub(y, x),
  mul: (b, x, y) => b.mul(b.mul(x, y), x),
  div: (b, x, y, p) => b.div(b.mul(x, y), p),
  max: (b, x, y) => b.max(x, y),
  min: (b, x, y) => b.min(x, y),
  pow: (b, x, _y, p) => b.binary('pow', p, x),
  less: (b, x, y) => b.select(b.less(x, y), b.mul(x, 2), y),
  less_equal: (b, x, y) => b.select(b.lessEqual(x, y), b.mul(x, 2), y),
  equal: (b, x, y) => b.select(b.equal(x, y), x, b.mul(y, x)),
  and: (b, x, y) => b.select(b.and(b.less(x, 1), b.less(y, 1)), x, y),
  or: (b, x, y) => b.select(b.or(b.less(x, -1), b.less(y, -1)), x, y),
};

const kindCases: Record<OpKind, Build[]> = {
  input: [(_b, x) => x],
  state: [(b, x) => b.add(x, b.mul(x, x))],
  scalar: [(_b, _x, y) => y],
  constant: [(b, x) => b.mul(x, 3)],
  iota: [(b, x) => b.mul(x, b.cast(b.iota([3, 5], 1), 'f32'))],
  unary: Object.values(unaryCases),
  binary: Object.values(binaryCases),
  select: [(b, x, y) => b.select(b.less(y, 0), b.mul(x, y), b.exp(x))],
  cast: [(b, x) => b.mul(x, b.cast(b.cast(b.less(x, 0), 'f32'), 'f32'))],
  reduce: [
    (b, x) => b.sum(b.mul(x, x), [1]),
    (b, x) => b.sum(b.mul(x, x), [0], true),
    (b, x) => b.sum(b.exp(x)),
    (b, x) => b.reduceMax(x, [1]),
    (b, x, y) => b.reduceMax(b.mul(x, y), [0], true),
    (b, x) => b.mean(b.mul(x, x), [1]),
  ],
  contract: [
    (b, x, _y, p) => b.einsum('i k, j k -> i j', x, p),
    (b, x, _y, p) => b.einsum('i k, j k -> j i', x, p),
    (b, x, _y, p) => b.einsum('k i, k j -> j i', x, p),
    (b, x, _y, p) => b.einsum('n k, n k -> n', x, p),
    (b, x, y) => b.einsum('n k, k -> n', x, y),
    (b, x, y) => b.einsum('n k, j -> j k n', x, y),
    (b, x, y) => b.einsum('n k, k -> k n', x, y),
    (b, x, _y, p) => b.einsum('n k, m k -> ', x, p),
    (b, x) => b.einsum('i k, j k -> i j', x, x),
    (b, x, _y, p) => {
      const heads = (z: Node) => b.reshape(b.slice(z, [0, 0], [3, 4]), [3, 2, 2]);
      return b.einsum('t h d, s h d -> h t s', heads(x), heads(p));
    },
  ],
  reshape: [(b, x) => b.mul(b.reshape(x, [5, 3]), b.reshape(x, [5, 3]))],
  permute: [(b, x) => b.exp(b.permute(b.reshape(x, [3, 1, 5]), [2, 0, 1]))],
  expand: [(b, x, y) => b.mul(b.broadcast(y, [2, 3, 5]), x)],
  slice: [(b, x) => b.exp(b.slice(x, [1, 2], [2, 2]))],
  pad: [(b, x) => b.exp(b.pad(x, [1, 0], [5, 7]))],
  concat: [(b, x, y, p) => b.exp(b.concat([x, b.reshape(y, [1, 5]), p, x], 0))],
  gather: [
    (b, x) => b.exp(b.gather(x, b.input('index', [4], 'i32'))),
    (b, x) => b.exp(b.gather(x, b.reshape(b.input('index', [4], 'i32'), [2, 2]))),
    (b, x) => b.exp(b.gather(x, b.slice(b.input('index', [4], 'i32'), [1], [2]))),
    (b, x) => b.exp(b.gather(x, b.permute(b.reshape(b.input('index', [4], 'i32'), [2, 2]), [1, 0]))),
    (b, x) => {
      const index = b.input('index', [4], 'i32');
      return b.exp(b.gather(x, b.concat([b.slice(index, [2], [2]), index, b.input('other', [1], 'i32')], 0)));
    },
  ],
  scatter_add: [(b, x) => b.exp(b.scatterAdd(b.reshape(b.slice(x, [0, 0], [2, 4]), [4, 2]), b.input('index', [4], 'i32'), 3))],
  composite: [(b, x, y) => gated(b, x, y), (b, x) => gated(b, x, x), (b, x) => gated(b, x, b.exp(b.neg(x)))],
};

/** A composite of two operands, differentiated through its definition. */
function gated(b: GraphBuilder, x: Node, y: Node): Node {
  const inner = new GraphBuilder();
  const [p, q] = [inner.input('arg0', x.shape), inner.input('arg1', y.shape)];
  return b.composite('gated', [x, y], { outputs: [{ kind: 'output', name: 'out', node: inner.mul(inner.tanh(p), inner.add(p, q)) }] });
}

describe('against finite differences', () => {
  test.each(Object.entries(kindCases))('%s', (_kind, builds) => builds.forEach(checkGradient));

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('a random graph, seed %i', (seed) => {
    const { graph, bindings, builder: b } = randomGraph({ seed, smooth: true, steps: 8, maxElements: 300 });
    const loss = graph.outputs.map(({ node }) => b.mean(b.mul(node, node))).reduce((sum, x) => b.add(sum, x));
    const states = nodesOf({ outputs: [{ kind: 'output', name: 'loss', node: loss }] }).filter(({ op }) => op.kind === 'state');
    const slopes = gradients(b, loss, states);
    const choose = new Random(seed);
    states.forEach((state, i) => {
      const { op } = state;
      const slope = slopes[i];
      if (op.kind !== 'state' || !slope) throw new Error('every state of these graphs has a gradient');
      const exact = evaluateNodes([slope], bindings)[0];
      const direction = choose.floats(exact.length, -1, 1);
      const along = exact.reduce((sum, value, k) => sum + value * direction[k], 0);
      const at = (by: number) => {
        const moved = Float64Array.from(bindings.state[op.name], (value, k) => value + by * direction[k]);
        const shifted: Bindings = { ...bindings, state: { ...bindings.state, [op.name]: moved } };
        return evaluateNodes([loss], shifted)[0][0];
      };
      const measured = (8 * (at(1e-4) - at(-1e-4)) - (at(2e-4) - at(-2e-4))) / 12e-4;
      expect(Math.abs(measured - along)).toBeLessThan(1e-5 * Math.max(1, Math.abs(along)));
    });
  });
});

describe('structure', () => {
  const b = new GraphBuilder();
  const x = b.input('x', [3, 5]);
  const y = b.input('y', [5]);
  const hidden = b.tanh(b.mul(x, y));
  const loss = b.sum(b.mul(hidden, hidden));

  test('works for any node, before and behind', () => {
    const [atHidden, atX, atLoss] = gradients(b, loss, [hidden, x, loss]);
    expect(atHidden?.shape).toEqual([3, 5]);
    expect(atX?.shape).toEqual([3, 5]);
    expect(atLoss?.shape).toEqual([]);
  });

  test('is undefined where no path leads, or none with a slope', () => {
    const unused = b.input('unused', [2]);
    const stepped = b.sum(b.add(b.floor(x), b.detach(x)));
    expect(gradients(b, loss, [unused])).toEqual([undefined]);
    expect(gradients(b, stepped, [x])).toEqual([undefined]);
    expect(gradients(b, b.sum(b.select(b.less(x, 0), 1, b.full([3, 5], 2))), [x])).toEqual([undefined]);
  });

  test('detach hides one path and leaves the others', () => {
    const both = b.sum(b.mul(x, b.detach(x)));
    const [slope] = gradients(b, both, [x]);
    if (!slope) throw new Error('no gradient');
    expect([...evaluateNodes([slope], { input: values })[0]]).toEqual([...values.x]);
  });

  test('touches nothing that does not lead to what is wanted', () => {
    const fresh = new GraphBuilder();
    const [p, w] = [fresh.input('p', [4, 3]), fresh.input('w', [2, 3])];
    const [slope] = gradients(fresh, fresh.sum(fresh.einsum('n k, m k -> n m', p, w)), [w]);
    if (!slope) throw new Error('no gradient');
    const products = nodesOf({ outputs: [{ kind: 'output', name: 'g', node: slope }] }).filter(({ op }) => op.kind === 'contract');
    expect(products).toHaveLength(1);
  });

  test('the gradient of a product is a product without permutes', () => {
    const fresh = new GraphBuilder();
    const [p, w] = [fresh.input('p', [4, 2, 3]), fresh.input('w', [5, 3])];
    const slopes = gradients(fresh, fresh.sum(fresh.exp(fresh.einsum('n t k, m k -> m n t', p, w))), [p, w]);
    const kinds = nodesOf({ outputs: slopes.flatMap((node, i) => (node ? [{ kind: 'output' as const, name: `${i}`, node }] : [])) }).map(
      ({ op }) => op.kind,
    );
    expect(kinds).not.toContain('permute');
    expect(kinds.filter((kind) => kind === 'contract')).toHaveLength(3);
  });

  test('at ties: max gives all to its second operand, a maximum over axes shares equally', () => {
    const tied = b.reshape(b.input('tied', [4]), [4]);
    const [relu] = gradients(b, b.sum(b.max(tied, 0)), [tied]);
    const [shared] = gradients(b, b.reduceMax(tied), [tied]);
    if (!relu || !shared) throw new Error('no gradient');
    const [atZero, among] = evaluateNodes([relu, shared], { input: { tied: [0, 2, -1, 2] } });
    expect([...atZero]).toEqual([0, 1, 0, 1]);
    expect([...among]).toEqual([0, 0.5, 0, 0.5]);
  });

  test('labels say whose gradient it is', () => {
    const fresh = new GraphBuilder();
    const p = fresh.input('p', [3]);
    const scores = fresh.withLabel('eyes.scores', () => fresh.exp(p));
    const [slope] = gradients(fresh, fresh.sum(fresh.mul(scores, scores)), [p]);
    expect(slope?.label).toBe('grad:eyes.scores');
  });

  test('a registered gradient of a composite replaces that of its definition', () => {
    const piece = gated(b, x, x);
    const [slope] = gradients(b, b.sum(piece), [x], { gated: ({ builder, dy }) => [builder.mul(dy, 7)] });
    if (!slope) throw new Error('no gradient');
    expect([...evaluateNodes([slope], { input: values })[0]]).toEqual(new Array(15).fill(7));
  });

  test('a trained table needs an index that the host knows', () => {
    const shown = b.withLabel('head.embed', () => b.gather(x, b.cast(b.mul(y, 0), 'i32')));
    expect(() => gradients(b, b.sum(shown), [x])).toThrow(GatherIndexError);
    expect(() => gradients(b, b.sum(shown), [x])).toThrow('head.embed');
  });

  test('only a single number can be differentiated', () => {
    expect(() => gradients(b, x, [x])).toThrow('single f32 number');
  });
});
