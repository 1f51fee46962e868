import { describe, expect, test } from '@jest/globals';
import { transformerStep } from '../../bench/transformer-block.ts';
import { fuse, replacedStates } from '../../compiler/fuse/fuse.ts';
import type { Group } from '../../compiler/fuse/group.ts';
import { rootOf } from '../../compiler/fuse/nodes.ts';
import { bindingsOf } from '../../compiler/fuse/relieve.ts';
import { verifyGroups } from '../../compiler/fuse/verify.ts';
import { gradients } from '../../compiler/gradient/gradient.ts';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import type { Graph, Node, Output } from '../../compiler/graph/graph.ts';
import { nodesOf } from '../../compiler/graph/walk.ts';
import { runPasses, simplification } from '../../compiler/passes/passes.ts';
import { PivotError } from '../../plan/errors.ts';
import { randomGraph } from '../support/random-graph.ts';

function outputs(nodes: Record<string, Node | undefined>): Graph {
  return {
    outputs: Object.entries(nodes).flatMap(([name, node]): Output[] => (node ? [{ kind: 'output', name, node }] : [])),
  };
}

function groupsOf(graph: Graph, maxBindings = 8): Group[] {
  const fused = fuse(runPasses(graph, simplification()), {
    fuse: true,
    maxBindings,
  });
  verifyGroups(
    fused.groups,
    fused.graph.outputs.map((output) => rootOf(output.node)),
  );
  return fused.groups;
}

/** One line a group: kind, space, and how many tensors it reads and stores. */
function summary(groups: readonly Group[]): string[] {
  return groups.map(({ kind, space, reads, outputs: stored }) => `${kind} [${space.join(' ')}] ${reads.length} -> ${stored.length}`);
}

function softmax(b: GraphBuilder, x: Node): Node {
  const e = b.exp(b.sub(x, b.detach(b.reduceMax(x, [-1], true))));
  return b.div(e, b.sum(e, [-1], true));
}

function layerNorm(b: GraphBuilder, x: Node, scale: Node, shift: Node): Node {
  const centred = b.sub(x, b.mean(x, [-1], true));
  const variance = b.mean(b.mul(centred, centred), [-1], true);
  return b.add(b.mul(b.div(centred, b.sqrt(b.add(variance, 1e-6))), scale), shift);
}

function gelu(b: GraphBuilder, x: Node): Node {
  return b.mul(b.mul(x, 0.5), b.add(b.erf(b.mul(x, Math.SQRT1_2)), 1));
}

describe('groups of common layers', () => {
  test('layer norm is one kernel', () => {
    const b = new GraphBuilder();
    const y = layerNorm(b, b.input('x', [6, 10, 32]), b.state('scale', [32]), b.state('shift', [32]));
    expect(summary(groupsOf(outputs({ y })))).toEqual(['rows [6 10 32] 3 -> 1']);
  });

  test('softmax under a mask that is a predicate is one kernel', () => {
    const b = new GraphBuilder();
    const segment = b.input('segment', [4, 9], 'i32');
    const shape = [4, 3, 9, 9];
    const same = b.equal(b.broadcast(b.reshape(segment, [4, 1, 9, 1]), shape), b.broadcast(b.reshape(segment, [4, 1, 1, 9]), shape));
    const seen = b.and(same, b.not(b.less(b.iota(shape, 2), b.iota(shape, 3))));
    const y = softmax(b, b.select(seen, b.mul(b.input('x', shape), 0.25), -1e30));
    expect(summary(groupsOf(outputs({ y })))).toEqual(['rows [4 3 9 9] 2 -> 1']);
  });

  test('linear, bias and GELU are one kernel', () => {
    const b = new GraphBuilder();
    const y = gelu(b, b.add(b.einsum('n i, i o -> n o', b.input('x', [10, 16]), b.state('w', [16, 24])), b.state('b', [24])));
    expect(summary(groupsOf(outputs({ y })))).toEqual(['product [10 24] 3 -> 1']);
  });

  test('the gradient of a layer norm is one kernel for x and one for scale and shift', () => {
    const b = new GraphBuilder();
    const [x, scale, shift] = [b.input('x', [6, 10, 32]), b.state('scale', [32]), b.state('shift', [32])];
    const loss = b.sum(b.mul(layerNorm(b, x, scale, shift), b.input('dy', [6, 10, 32])));
    const [dx, dscale, dshift] = gradients(b, loss, [x, scale, shift]);
    expect(summary(groupsOf(outputs({ dx, dscale, dshift })))).toEqual(['rows [6 10 32] 3 -> 3', 'columns [6 10 32] 4 -> 2']);
  });

  test('the gradient of a softmax keeps nothing but its result', () => {
    const b = new GraphBuilder();
    const [x, v] = [b.input('x', [4, 8, 16]), b.input('v', [4, 16, 8])];
    const loss = b.sum(b.mul(b.einsum('n t s, n s c -> n t c', softmax(b, x), v), b.input('dy', [4, 8, 8])));
    const [dx, dv] = gradients(b, loss, [x, v]);
    const groups = groupsOf(outputs({ dx, dv }));
    expect(groups.filter(({ kind }) => kind === 'rows')).toHaveLength(2);
    const first = groups.find(({ kind }) => kind === 'rows');
    expect(first?.outputs.filter(({ shape }) => shape.length === 3)).toHaveLength(1);
  });

  test('GELU keeps one tensor for its gradient', () => {
    const b = new GraphBuilder();
    const [x, w, u] = [b.input('x', [12, 8]), b.state('w', [8, 16]), b.state('u', [16, 4])];
    const hidden = gelu(b, b.einsum('n i, i o -> n o', x, w));
    const loss = b.sum(b.mul(b.einsum('n i, i o -> n o', hidden, u), b.input('dy', [12, 4])));
    const [dw, du] = gradients(b, loss, [w, u]);
    expect(summary(groupsOf(outputs({ dw, du })))).toEqual([
      'product [12 16] 2 -> 2',
      'product [12 16] 3 -> 1',
      'product [8 16] 2 -> 1',
      'product [16 4] 2 -> 1',
    ]);
  });

  test('one training step of a transformer block', () => {
    const { graph } = transformerStep({
      batch: 2,
      tokens: 8,
      width: 16,
      heads: 2,
      inner: 32,
    });
    const counts = new Map<string, number>();
    for (const { kind } of groupsOf(graph, 12)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    expect(Object.fromEntries(counts)).toEqual({ columns: 3, map: 4, product: 24, rows: 6 });
  });
});

describe('any graph', () => {
  test('groups can run in order, are of legal form and fit the bindings', () => {
    for (let seed = 0; seed < 60; seed++) {
      const training = seed % 2 === 1;
      const graph = runPasses(randomGraph({ seed, training, smooth: training, steps: 14 }).graph, simplification());
      for (const options of [
        { fuse: true, maxBindings: 4 },
        { fuse: true, maxBindings: 10 },
        { fuse: false, maxBindings: 8 },
      ]) {
        const fused = fuse(graph, options);
        verifyGroups(
          fused.groups,
          fused.graph.outputs.map((output) => rootOf(output.node)),
        );
        const replaces = replacedStates(fused.graph, nodesOf(fused.graph));
        for (const group of fused.groups) expect(bindingsOf(group, replaces)).toBeLessThanOrEqual(options.maxBindings);
      }
    }
  });

  test('a sum of more tensors than a kernel binds is cut', () => {
    const b = new GraphBuilder();
    const terms = Array.from({ length: 40 }, (_, i) => b.input(`x${i}`, [30]));
    const y = terms.reduce((sum, x) => b.add(sum, x));
    const groups = groupsOf(outputs({ y }), 8);
    expect(groups).toHaveLength(7);
    expect(Math.max(...groups.map(({ reads }) => reads.length))).toBe(7);
  });

  test('a concatenation of more tensors than a kernel binds is cut', () => {
    const b = new GraphBuilder();
    const y = b.concat(
      Array.from({ length: 20 }, (_, i) => b.input(`x${i}`, [2, 3])),
      0,
    );
    for (const { reads } of groupsOf(outputs({ y }), 8)) expect(reads.length).toBeLessThanOrEqual(7);
  });

  test('what cannot fit at all is an error with a cure', () => {
    const b = new GraphBuilder();
    const y = b.einsum('i j, j k -> i k', b.input('x', [4, 4]), b.input('w', [4, 4]));
    const attempt = (): unknown => fuse(outputs({ y }), { fuse: true, maxBindings: 2 });
    expect(attempt).toThrow(PivotError);
    expect(attempt).toThrow(/storage buffers/);
  });
});
