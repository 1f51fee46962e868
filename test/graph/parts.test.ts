/** Tensors that no binding holds are taken in parts: the values stay, and nothing larger than a binding is made. */
import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { gradients } from '../../compiler/gradient/gradient.ts';
import { evaluate } from '../../compiler/graph/evaluate.ts';
import type { Graph, Node } from '../../compiler/graph/graph.ts';
import { elements } from '../../compiler/graph/shape.ts';
import { nodesOf } from '../../compiler/graph/walk.ts';
import { simplifyAlgebra } from '../../compiler/passes/algebra.ts';
import { Random } from '../support/random.ts';

const [N, A, D, V] = [2, 3, 4, 30];
/** Bytes: logits of a part of the table fit, those of the whole table do not. */
const LARGEST = 4 * N * A * 12;

/** Log-probabilities of targets under logits over a table in three parts, their mean, and its gradient to the states. */
function crossEntropy(): { graph: Graph; leaves: Map<string, Float64Array> } {
  const b = new GraphBuilder();
  const states = b.input('states', [N, A, D]);
  const targets = b.input('targets', [N, A], 'i32');
  const table = b.concat(
    [0, 1, 2].map((i) => b.state(`table#${i}`, [V / 3, D])),
    0,
  );
  const logits = b.contract(states, [0, 1, 2], table, [3, 2], [0, 1, 3]);
  const shape = [N, A, V];
  const wide = (x: Node): Node => b.broadcast(b.reshape(x, [N, A, 1]), shape);
  const shifted = b.sub(logits, wide(b.reduceMax(logits, [2])));
  const logp = b.sub(shifted, wide(b.log(b.sum(b.exp(shifted), [2]))));
  const hit = b.equal(b.broadcast(b.reshape(targets, [N, A, 1]), shape), b.iota(shape, 2));
  const picked = b.sum(b.select(hit, logp, b.full(shape, 0)), [2]);
  const flat = b.reshape(logp, [N * A, V]);
  const loss = b.add(b.sum(picked), b.sum(b.mul(flat, flat)));
  const [dStates] = gradients(b, loss, [states]) as [Node];
  const random = new Random(7);
  const drawn = (count: number): Float64Array => Float64Array.from({ length: count }, () => 2 * random.next() - 1);
  return {
    graph: {
      outputs: [
        { kind: 'output', name: 'loss', node: loss },
        { kind: 'output', name: 'picked', node: picked },
        { kind: 'output', name: 'gradient', node: dStates },
      ],
    },
    leaves: new Map([
      ['states', drawn(N * A * D)],
      ['targets', Float64Array.from([0, 29, 10, 9, 20, 15])],
      ...[0, 1, 2].map((i): [string, Float64Array] => [`table#${i}`, drawn((V / 3) * D)]),
    ]),
  };
}

describe('tensors beyond a binding', () => {
  test('are computed in parts with the same values, and never made', () => {
    const { graph, leaves } = crossEntropy();
    const inParts = simplifyAlgebra(graph, LARGEST);
    const largest = (of: Graph): number => Math.max(...nodesOf(of).map(({ shape }) => 4 * elements(shape)));
    expect(largest(simplifyAlgebra(graph))).toBeGreaterThan(LARGEST);
    expect(largest(inParts)).toBeLessThanOrEqual(LARGEST);
    const bindings = { input: Object.fromEntries(leaves), state: Object.fromEntries(leaves) };
    const [whole, parts] = [graph, inParts].map((one) => evaluate(one, bindings).output);
    for (const name of ['loss', 'picked', 'gradient']) {
      expect(parts[name]).toHaveLength(whole[name].length);
      parts[name].forEach((value, i) => expect(value).toBeCloseTo(whole[name][i], 9));
    }
  });
});
