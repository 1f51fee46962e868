/** Layers that are computed again for their gradients: the same values, and less memory in between. */
import { describe, expect, test } from '@jest/globals';
import { evaluate } from '../../compiler/graph/evaluate.ts';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import type { Graph, Node } from '../../compiler/graph/graph.ts';
import { nodesOf } from '../../compiler/graph/walk.ts';
import { gradients } from '../../compiler/gradient/gradient.ts';
import { recompute } from '../../compiler/gradient/recompute.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { TARGETS } from '../../compiler/lower/targets.ts';
import { runPasses, simplification } from '../../compiler/passes/passes.ts';
import { Random } from '../support/random.ts';

const [ROWS, WIDTH] = [12, 8];

/** Layers x + b tanh(x a) with a loss, its gradients as outputs, and the number of nodes before them. */
function deep(depth: number): { graph: Graph; forward: number } {
  const b = new GraphBuilder();
  const weights: Node[] = [];
  let x = b.input('x', [ROWS, WIDTH]);
  for (let i = 0; i < depth; i++) {
    x = b.withLabel(`eyes.blocks.${i}.mlp`, () => {
      const [up, down] = [b.state(`up${i}`, [WIDTH, 4 * WIDTH]), b.state(`down${i}`, [4 * WIDTH, WIDTH])];
      weights.push(up, down);
      return b.add(x, b.einsum('n k, k d -> n d', b.tanh(b.einsum('n d, d k -> n k', x, up)), down));
    });
  }
  const loss = b.mean(b.mul(x, x));
  const forward = b.size;
  const slopes = gradients(b, loss, weights);
  const outputs: Graph['outputs'] = slopes.flatMap((node, i) => (node ? [{ kind: 'output', name: `slope${i}`, node }] : []));
  return { graph: { outputs: [{ kind: 'output', name: 'loss', node: loss }, ...outputs] }, forward };
}

function bindingsOf(graph: Graph): Parameters<typeof evaluate>[1] {
  const random = new Random(5);
  const leaves = nodesOf(graph).filter(({ op }) => op.kind === 'state');
  const values = leaves.map((node): [string, Float32Array] => [
    node.op.kind === 'state' ? node.op.name : '',
    random.floats(node.shape[0] * node.shape[1]).map((v) => v / 4),
  ]);
  return { input: { x: random.floats(ROWS * WIDTH) }, state: Object.fromEntries(values) };
}

describe('recompute', () => {
  test('every value is the same, also when the graph has been simplified', () => {
    const { graph, forward } = deep(3);
    const lean = recompute(graph, forward);
    const bindings = bindingsOf(graph);
    expect(evaluate(lean, bindings)).toEqual(evaluate(graph, bindings));
    const simple = (g: Graph): unknown => evaluate(runPasses(g, simplification()), bindings);
    expect(simple(lean)).toEqual(simple(graph));
  });

  test('what is in a layer is there twice after all passes, and reads what entered the layer through a mark', () => {
    const { graph, forward } = deep(3);
    const count = (g: Graph, fn: string): number =>
      nodesOf(runPasses(g, simplification())).filter(({ op }) => op.kind === 'unary' && op.fn === fn).length;
    expect(count(graph, 'tanh')).toBe(3);
    expect(count(recompute(graph, forward), 'tanh')).toBe(6);
    const marks = nodesOf(recompute(graph, forward)).flatMap(({ op }) => (op.kind === 'reshape' && op.again ? [op.again] : []));
    expect([...new Set(marks)].sort()).toEqual(['eyes.blocks.0', 'eyes.blocks.1', 'eyes.blocks.2']);
  });

  test('memory grows with what enters the layers, not with what is in them', () => {
    const scratch = (depth: number, again: boolean): number => {
      const { graph, forward } = deep(depth);
      const simple = runPasses(again ? recompute(graph, forward) : graph, simplification());
      const { program } = lower(simple, TARGETS.portable, { fuse: true, name: 'test' });
      return program.slabs.reduce((a, b) => a + b, 0);
    };
    // A layer keeps [12, 8] where it is computed again, and [12, 32] beside it where it is not; the outputs are no scratch.
    const [kept, again] = [scratch(24, false) - scratch(8, false), scratch(24, true) - scratch(8, true)];
    expect(kept).toBeGreaterThanOrEqual(16 * 4 * ROWS * 4 * WIDTH);
    expect(again).toBeLessThan(kept / 3);
  });

  test('a graph without repeated layers stays as it is', () => {
    const b = new GraphBuilder();
    const w = b.state('w', [4]);
    const loss = b.withLabel('head', () => b.sum(b.exp(w)));
    const forward = b.size;
    const [slope] = gradients(b, loss, [w]);
    if (!slope) throw new Error('there is a slope');
    const lean = recompute({ outputs: [{ kind: 'output', name: 'slope', node: slope }] }, forward);
    expect(nodesOf(lean).some(({ op }) => op.kind === 'reshape' && op.again !== undefined)).toBe(false);
  });
});
