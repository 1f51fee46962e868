/** Programs whose kernels would bind more buffers than any target offers: they are cut until they fit, for every target. */
import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import type { Graph, Node, Output } from '../../compiler/graph/graph.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { TARGETS } from '../../compiler/lower/targets.ts';
import { randomNumbers } from '../grammar/mutate.ts';

/** An update of many weights: squares of all gradients are summed to a norm, which scales every new value. */
function wideUpdate(random: () => number, count: number): Graph {
  const b = new GraphBuilder();
  const sizes = [4, 16, 48];
  const shape = (): number[] =>
    random() < 0.5 ? [sizes[Math.floor(random() * 3)]] : [sizes[Math.floor(random() * 3)], sizes[Math.floor(random() * 3)]];
  const weights = Array.from({ length: count }, (_, i) => {
    const own = random() < 0.7 ? [16] : shape();
    return { name: `w${i}`, value: b.state(`w${i}`, own), gradient: b.input(`g${i}`, own, 'f32'), moment: b.state(`m${i}`, own) };
  });
  const sum = (terms: Node[]): Node => terms.reduce((a, x) => b.add(a, x));
  const squares = weights.map(({ gradient }) =>
    b.reduce(
      'sum',
      b.mul(gradient, gradient),
      gradient.shape.map((_, i) => i),
    ),
  );
  const norm = b.sqrt(sum(squares));
  const outputs: Output[] = [{ kind: 'output', name: 'norm', node: norm }];
  for (const { name, value, gradient, moment } of weights) {
    const next = b.add(b.mul(moment, b.constant(0.9)), b.mul(gradient, norm));
    outputs.push({ kind: 'state', name: name.replace('w', 'm'), node: next });
    outputs.push({ kind: 'state', name, node: b.select(b.isFinite(norm), b.sub(value, next), value) });
  }
  return { outputs };
}

describe.each(Object.values(TARGETS))('$name', (target) => {
  test.each([3, 20, 60, 150])('%i weights under one norm', (count) => {
    const { program } = lower(wideUpdate(randomNumbers(count), count), target, { fuse: true, name: 'wide' });
    const limit = target.limits.maxStorageBuffersPerShaderStage ?? 0;
    expect(limit).toBeGreaterThan(0);
    expect(program.dispatches.length).toBeGreaterThan(0);
    for (const { bindings } of program.dispatches) expect(bindings.length).toBeLessThanOrEqual(limit);
  });
});
