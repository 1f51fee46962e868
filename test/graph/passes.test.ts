import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { GraphFault } from '../../compiler/graph/errors.ts';
import { evaluate } from '../../compiler/graph/evaluate.ts';
import { canonical } from '../../compiler/graph/canonical.ts';
import type { Graph, Node } from '../../compiler/graph/graph.ts';
import { printGraph } from '../../compiler/graph/print.ts';
import { elements } from '../../compiler/graph/shape.ts';
import { nodesOf } from '../../compiler/graph/walk.ts';
import { algebra, composites, idleStates, runPasses, simplification, splitReductionsPass } from '../../compiler/passes/passes.ts';
import type { Pass } from '../../compiler/passes/passes.ts';
import { randomGraph } from '../support/random-graph.ts';
import { Random } from '../support/random.ts';

function graphOf(make: (b: GraphBuilder, x: Node, y: Node) => Node): Graph {
  const b = new GraphBuilder();
  return { outputs: [{ kind: 'output', name: 'out', node: make(b, b.input('x', [2, 3]), b.input('y', [3])) }] };
}

/** The expression after a pass, as text without the leaves' own lines. */
function after(pass: Pass, make: (b: GraphBuilder, x: Node, y: Node) => Node): string {
  const { outputs } = runPasses(graphOf(make), [pass]);
  const text = (node: Node): string => {
    const { op } = node;
    if (op.kind === 'input') return op.name;
    if (op.kind === 'constant') return String(op.value);
    const name = 'fn' in op ? op.fn : op.kind;
    return `${name}(${node.inputs.map(text).join(', ')})`;
  };
  return text(outputs[0].node);
}

describe('algebra', () => {
  const rules: [string, (b: GraphBuilder, x: Node, y: Node) => Node, string][] = [
    ['x + -0', (b, x) => b.add(x, -0), 'x'],
    ['x + 0 stays: it is 0 where x is -0', (b, x) => b.add(x, 0), 'add(x, expand(reshape(0)))'],
    ['1 * x', (b, x) => b.mul(1, x), 'x'],
    ['x / 1 - 0', (b, x) => b.sub(b.div(x, 1), 0), 'x'],
    ['-0 - x', (b, x) => b.sub(-0, x), 'neg(x)'],
    ['0 - x stays: it is 0 where x is', (b, x) => b.sub(0, x), 'sub(expand(reshape(0)), x)'],
    ['x * -1', (b, x) => b.mul(x, -1), 'neg(x)'],
    ['--x', (b, x) => b.neg(b.neg(x)), 'x'],
    ['x + -y', (b, x, y) => b.add(x, b.neg(b.broadcast(y, [2, 3]))), 'sub(x, expand(reshape(y)))'],
    ['-(x - y) stays: its zero is -0', (b, x, y) => b.neg(b.sub(x, y)), 'neg(sub(x, expand(reshape(y))))'],
    ['-x * -x', (b, x) => b.mul(b.neg(x), b.neg(x)), 'mul(x, x)'],
    ['x / 4', (b, x) => b.div(x, 4), 'mul(x, expand(reshape(0.25)))'],
    ['x / 3 stays', (b, x) => b.div(x, 3), 'div(x, expand(reshape(3)))'],
    ['x * 0 stays: it must show NaN', (b, x) => b.mul(x, 0), 'mul(x, expand(reshape(0)))'],
    ['constants', (b, x) => b.mul(x, b.exp(b.sub(b.constant(1), 1))), 'x'],
    ['infinite constants', (b) => b.log(b.constant(0)), '-Infinity'],
    ['undefined constants', (b) => b.log(b.constant(-1)), 'NaN'],
    ['select of equals', (b, x) => b.select(b.less(x, 0), x, x), 'x'],
    ['select by a constant', (b, x, y) => b.select(b.constant(0, 'bool'), x, b.broadcast(y, [2, 3])), 'expand(reshape(y))'],
    ['select by a negation', (b, x) => b.select(b.not(b.less(x, 0)), x, 1), 'select(less(x, expand(reshape(0))), expand(reshape(1)), x)'],
    ['and true', (b, x) => b.cast(b.and(b.less(x, 0), b.full([2, 3], 1, 'bool')), 'f32'), 'cast(less(x, expand(reshape(0))))'],
    ['reshape of reshape', (b, x) => b.reshape(b.reshape(x, [6]), [3, 2]), 'reshape(x)'],
    ['reshape there and back', (b, x) => b.reshape(b.reshape(x, [6]), [2, 3]), 'x'],
    ['permute of permute', (b, x) => b.permute(b.permute(x, [1, 0]), [1, 0]), 'x'],
    ['permute of ones', (b, _x, y) => b.permute(b.reshape(y, [1, 3]), [1, 0]), 'reshape(y)'],
    ['slice of slice', (b, x) => b.slice(b.slice(x, [0, 1], [2, 2]), [1, 0], [1, 1]), 'slice(x)'],
    ['slice of pad', (b, x) => b.slice(b.pad(x, [1, 2], [4, 6]), [1, 2], [2, 3]), 'x'],
    ['slice of concat', (b, x, y) => b.slice(b.concat([x, b.reshape(y, [1, 3])], 0), [2, 0], [1, 3]), 'reshape(y)'],
    ['slice of expand', (b, _x, y) => b.slice(b.broadcast(y, [2, 3]), [1, 1], [1, 2]), 'slice(reshape(y))'],
    ['concat of concat', (b, x) => b.concat([b.concat([x, x], 0), x], 0), 'concat(x, x, x)'],
    ['one value moved about', (b, x) => b.reshape(b.broadcast(b.reshape(b.sum(x), [1, 1]), [3, 2]), [6]), 'expand(reshape(sum(x)))'],
    ['sum of repetition', (b, _x, y) => b.sum(b.broadcast(y, [2, 3]), [0]), 'mul(y, expand(reshape(2)))'],
    ['maximum of repetition', (b, _x, y) => b.reduceMax(b.broadcast(y, [2, 3]), [0]), 'y'],
    ['sum over axes before one of 1', (b, x) => b.sum(b.reshape(x, [2, 3, 1]), [0, 1]), 'reshape(sum(x))'],
    ['sum of -x', (b, x) => b.sum(b.neg(x), [1]), 'neg(sum(x))'],
    ['sum over an axis of 1', (b, _x, y) => b.sum(b.reshape(y, [3, 1]), [1]), 'y'],
    ['sum of sum', (b, x) => b.sum(b.sum(x, [1])), 'sum(x)'],
    ['product of permutes', (b, x) => b.einsum('k i, k j -> i j', b.permute(x, [1, 0]), b.permute(x, [1, 0])), 'contract(x, x)'],
    ['permute of product', (b, x) => b.permute(b.einsum('i k, i k -> i k', x, x), [1, 0]), 'contract(x, x)'],
  ];
  test.each(rules)('%s', (_name, make, expected) => {
    expect(after(algebra, make)).toBe(expected);
    const bindings = { input: { x: [1, -2, 3, 4, -5, 6.5], y: [0.5, 2, -3] } };
    const graph = graphOf(make);
    expect(evaluate(runPasses(graph, [algebra]), bindings).output.out).toEqual(evaluate(graph, bindings).output.out);
  });

  test('sums are not joined where the first has other readers', () => {
    const b = new GraphBuilder();
    const rows = b.sum(b.input('x', [2, 3]), [1]);
    const graph: Graph = {
      outputs: [
        { kind: 'output', name: 'rows', node: rows },
        { kind: 'output', name: 'all', node: b.sum(rows) },
      ],
    };
    expect(printGraph(runPasses(graph, [algebra]))).toMatchInlineSnapshot(`
"%0 = input x: f32[2, 3]
%1 = sum over [1] %0: f32[2]
%2 = sum over [0] %1: f32[]
output rows = %1
output all = %2"
`);
  });
});

describe('composites', () => {
  const make = (b: GraphBuilder, x: Node) => {
    const inner = new GraphBuilder();
    const arg = inner.input('arg0', x.shape);
    return b.composite('twice', [x], { outputs: [{ kind: 'output', name: 'out', node: inner.add(inner.detach(arg), arg) }] });
  };
  test('are replaced by their definitions, nested ones too', () => {
    expect(after(composites(), make)).toBe('add(x, x)');
  });
  test('but for those that the target knows', () => {
    expect(after(composites(new Set(['twice'])), make)).toBe('composite(x)');
  });
});

test('states that keep their value are not written', () => {
  const b = new GraphBuilder();
  const [w, v] = [b.state('w', [3]), b.state('v', [3])];
  const graph: Graph = {
    outputs: [
      { kind: 'state', name: 'w', node: b.sub(w, 0) },
      { kind: 'state', name: 'v', node: w },
      { kind: 'output', name: 'y', node: v },
    ],
  };
  expect(runPasses(graph, [algebra, idleStates]).outputs.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['state v', 'output y']);
});

describe('long reductions', () => {
  const cases: [string, number[], number[], 'sum' | 'max', number[][]][] = [
    ['a divisible row', [4, 40_000], [1], 'sum', [[4, 40], [4]]],
    ['everything', [16, 8, 1024], [0, 1, 2], 'sum', [[128], []]],
    ['a prime row, by padding', [65_537], [0], 'sum', [[65], []]],
    ['a maximum', [2, 32_768], [1], 'max', [[2, 32], [2]]],
    ['a maximum of a prime row stays', [65_537], [0], 'max', [[]]],
    ['a short row stays', [4, 16_384], [1], 'sum', [[4]]],
    ['many rows stay', [65, 20_000], [1], 'sum', [[65]]],
    ['leading axes stay', [20_000, 3], [0], 'sum', [[3]]],
  ];
  test.each(cases)('%s', (_name, shape, axes, fn, stages) => {
    const b = new GraphBuilder();
    const graph: Graph = { outputs: [{ kind: 'output', name: 'out', node: b.reduce(fn, b.input('x', shape), axes) }] };
    const split = runPasses(graph, [splitReductionsPass]);
    expect(
      nodesOf(split)
        .filter(({ op }) => op.kind === 'reduce')
        .map((node) => node.shape),
    ).toEqual(stages);
    if (stages.length === 1) return expect(canonical(split)).toBe(canonical(graph));
    const bindings = { input: { x: new Random(5).floats(elements(shape)) } };
    const [before, later] = [graph, split].map((g) => evaluate(g, bindings).output.out);
    later.forEach((value, i) => expect(value).toBeCloseTo(before[i], 8));
  });
});

describe('random graphs keep their values', () => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))('seed %i', (seed) => {
    const { graph, bindings } = randomGraph({ seed, training: seed % 3 === 0, smooth: seed % 3 === 0 });
    const before = evaluate(graph, bindings);
    runPasses(graph, simplification(), (_pass, current) => {
      const now = evaluate(current, bindings);
      for (const kind of ['output', 'state'] as const) {
        expect(Object.keys(now[kind])).toEqual(Object.keys(before[kind]));
        for (const [name, values] of Object.entries(now[kind])) {
          const expected = before[kind][name];
          const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
          const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
          // Constants are rounded to f32 when folded.
          expect(worst).toBeLessThan(1e-6 * largest);
        }
      }
    });
  });

  test('and simplifying twice changes nothing more', () => {
    const once = runPasses(randomGraph({ seed: 4, training: true, smooth: true, steps: 30 }).graph, [composites(), algebra]);
    expect(printGraph(runPasses(once, [algebra]))).toBe(printGraph(once));
  });
});

test('labels and the order of outputs stay', () => {
  const b = new GraphBuilder();
  const x = b.input('x', [3]);
  const node = b.withLabel('eyes.out', () => b.exp(x));
  const graph: Graph = {
    outputs: [
      { kind: 'output', name: 'z', node },
      { kind: 'output', name: 'a', node: x },
    ],
  };
  const { outputs } = runPasses(graph, simplification());
  expect(outputs.map(({ name }) => name)).toEqual(['z', 'a']);
  expect(outputs[0].node.label).toBe('eyes.out');
});

test('a pass that breaks a rule is named', () => {
  const breaks: Pass = {
    name: 'bad_pass',
    run: ({ outputs }) => ({ outputs: outputs.map((output) => ({ ...output, node: { ...output.node, shape: [7] } })) }),
  };
  const run = () =>
    runPasses(
      graphOf((b, x) => b.exp(x)),
      [breaks],
    );
  expect(run).toThrow(GraphFault);
  expect(run).toThrow('after pass bad_pass: node 2 (unary) is declared f32 [7], but its rule gives f32 [2, 3]');
});
