import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { canonical } from '../../compiler/graph/canonical.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { printGraph } from '../../compiler/graph/print.ts';
import { parameterCount, statsOf } from '../../compiler/graph/stats.ts';
import { verify, verifyProgram } from '../../compiler/graph/verify.ts';
import { randomGraph } from '../support/random-graph.ts';
import { rebuild } from '../../compiler/passes/rebuild.ts';

/** A linear layer, with nodes made in one of two orders and labels given or not. */
function linear(order: 'weights first' | 'data first', label?: string): Graph {
  const b = new GraphBuilder();
  const data = () => b.input('x', [4, 3]);
  const weights = () => [b.state('w', [2, 3]), b.state('bias', [2])];
  if (order === 'data first') data();
  const [w, bias] = weights();
  const y = b.withLabel(label, () => b.add(b.einsum('n i, o i -> n o', data(), w), bias));
  return { outputs: [{ kind: 'output', name: 'y', node: y }] };
}

test('a graph prints in order, with labels', () => {
  expect(printGraph(linear('data first', 'head.up'))).toMatchInlineSnapshot(`
"%0 = input x: f32[4, 3]
%1 = state w: f32[2, 3]
%2 = state bias: f32[2]
%3 = contract ab,cb->ac %0 %1: f32[4, 2]  # head.up
%4 = reshape %2: f32[1, 2]  # head.up
%5 = expand %4: f32[4, 2]  # head.up
%6 = add %3 %5: f32[4, 2]  # head.up
output y = %6"
`);
});

describe('canonical text', () => {
  test('does not depend on labels or on the order of making', () => {
    expect(canonical(linear('weights first', 'a'))).toBe(canonical(linear('data first')));
  });

  test('survives a rebuild, for any graph', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { graph } = randomGraph({ seed });
      expect(canonical(rebuild(graph))).toBe(canonical(graph));
    }
  });

  test('tells different computations apart', () => {
    const texts = new Set(Array.from({ length: 20 }, (_, seed) => canonical(randomGraph({ seed }).graph)));
    expect(texts.size).toBe(20);
  });
});

test('counts of operations and parameters', () => {
  const graph = linear('data first');
  expect(statsOf(graph)).toEqual({ nodes: 7, flops: 2 * 4 * 2 * 3 + 8, productFlops: 48 });
  expect(parameterCount(graph)).toBe(8);
  expect(parameterCount(graph, (name) => name === 'bias')).toBe(2);
});

test('random graphs are valid and together hold every family of nodes', () => {
  const kinds = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const { graph } = randomGraph({ seed });
    verifyProgram(graph);
    for (const line of printGraph(graph).split('\n')) kinds.add(line.split(' = ')[1]?.split(' ')[0] ?? '');
  }
  for (const kind of [
    'tanh',
    'max',
    'select',
    'permute',
    'pad',
    'slice',
    'concat',
    'sum',
    'contract',
    'gather',
    'scatter_add',
    'composite',
    'iota',
  ]) {
    expect(kinds).toContain(kind);
  }
});

describe('verify', () => {
  const b = new GraphBuilder();
  const x = b.input('x', [3]);

  test('one name, one type', () => {
    const graph: Graph = { outputs: [{ kind: 'output', name: 'y', node: b.add(b.sum(b.input('x', [4])), x) }] };
    expect(() => verify(graph)).toThrow('gives input x another type');
  });

  test('outputs are named once', () => {
    expect(() =>
      verify({
        outputs: [
          { kind: 'output', name: 'y', node: x },
          { kind: 'output', name: 'y', node: b.exp(x) },
        ],
      }),
    ).toThrow("second output 'y'");
  });

  test('a state keeps its type', () => {
    expect(() => verify({ outputs: [{ kind: 'state', name: 'w', node: b.sum(b.state('w', [3])) }] })).toThrow(
      "the state 'w' f32 [] instead of f32 [3]",
    );
  });

  test('operands come first', () => {
    const y = b.exp(x);
    expect(() => verify({ outputs: [{ kind: 'output', name: 'y', node: { ...y, id: -1 } }] })).toThrow('comes before its operand');
  });

  test('bool is not stored', () => {
    expect(() => verifyProgram({ outputs: [{ kind: 'output', name: 'y', node: b.less(x, 0) }] })).toThrow('bool');
  });
});
