/** Weights that are only read, held as 16-bit floats: the same results as when they are held as f32. */
import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import type { Bindings } from '../../compiler/graph/evaluate.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { statesOf } from '../../compiler/graph/stats.ts';
import { TARGETS } from '../../compiler/lower/targets.ts';
import { GraphFault } from '../../compiler/graph/errors.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { runPasses, simplification } from '../../compiler/passes/passes.ts';
import { elements, storageBytes } from '../../plan/dtypes.ts';
import type { Half } from '../../plan/dtypes.ts';
import { unpackHalves } from '../../runtime/core/executor/halves.ts';
import { halfToFloat } from '../../runtime/core/safetensors/convert.ts';
import { testDevice } from '../support/device.ts';
import { randomGraph } from '../support/random-graph.ts';
import { Random } from '../support/random.ts';
import { runGraph, targetOf } from '../support/run-graph.ts';

const device = testDevice();

/** Values near 1 in size that `half` has. */
function valuesOf(half: Half, count: number, random: Random): Float32Array {
  const bits = Uint16Array.from(random.floats(count), (x) => {
    const sign = x < 0 ? 0x8000 : 0;
    const places = Math.floor(Math.abs(x) * 512);
    return half === 'bf16' ? sign | (0x3f00 + (places % 256)) : sign | (0x3800 + places);
  });
  return unpackHalves(bits, half);
}

async function same(graph: Graph, bindings: Bindings, half: Half, names: readonly string[], everyTarget = false): Promise<void> {
  const halves = new Map(names.map((name) => [name, half]));
  for (const target of everyTarget ? [targetOf(device()), TARGETS.portable, TARGETS.gpu] : [targetOf(device())]) {
    const options = { fuse: true, target };
    const [plain, held] = [
      await runGraph(device(), graph, bindings, options),
      await runGraph(device(), graph, bindings, { ...options, halves }),
    ];
    expect(held.output).toEqual(plain.output);
    for (const name of names) expect(held.state[name]).toEqual(plain.state[name]);
  }
}

describe.each(['bf16', 'f16'] as const)('states held as %s', (half) => {
  test.each(Array.from({ length: 12 }, (_, i) => 300 + i))('random graph %d', async (seed) => {
    const { graph, bindings } = randomGraph({ seed, steps: 10 });
    const written = new Set(graph.outputs.flatMap((o) => (o.kind === 'state' ? [o.name] : [])));
    const frozen = [...statesOf(graph)].filter(([name, node]) => !written.has(name) && node.dtype === 'f32');
    const random = new Random(seed);
    const state = { ...bindings.state };
    for (const [name, node] of frozen) state[name] = valuesOf(half, elements(node.shape), random);
    await same(
      graph,
      { ...bindings, state },
      half,
      frozen.map(([name]) => name),
    );
  });

  test.each([
    [5, 7, 9],
    [33, 36, 20],
    [1, 40, 12],
  ])('a product, rows of a table and what is done to each element: %d, %d, %d', async (m, n, k) => {
    const b = new GraphBuilder();
    const x = b.input('x', [m, k]);
    const index = b.input('index', [m], 'i32');
    const [straight, turned, table, bias] = [
      b.state('straight', [k, n]),
      b.state('turned', [n, k]),
      b.state('table', [6, n]),
      b.state('bias', [n]),
    ];
    const graph: Graph = {
      outputs: [
        { kind: 'output', name: 'straight', node: b.einsum('m k, k n -> m n', x, straight) },
        { kind: 'output', name: 'turned', node: b.einsum('m k, n k -> m n', x, turned) },
        { kind: 'output', name: 'back', node: b.einsum('m k, n k -> n m', x, turned) },
        { kind: 'output', name: 'rows', node: b.gather(table, index) },
        { kind: 'output', name: 'sum', node: b.sum(b.mul(turned, turned), [0]) },
        { kind: 'output', name: 'shifted', node: b.add(b.einsum('m k, k n -> m n', x, straight), b.broadcast(bias, [m, n])) },
      ],
    };
    const random = new Random(m + n + k);
    const state = Object.fromEntries([...statesOf(graph)].map(([name, node]) => [name, valuesOf(half, elements(node.shape), random)]));
    const input = { x: random.floats(m * k), index: random.integers(m, 6) };
    await same(graph, { input, state }, half, Object.keys(state), true);
  });

  test('its memory is half, and a program that writes it is refused', () => {
    const b = new GraphBuilder();
    const w = b.state('w', [7, 3]);
    const read: Graph = { outputs: [{ kind: 'output', name: 'sum', node: b.sum(w, [0]) }] };
    const lowered = (graph: Graph) =>
      lower(runPasses(graph, simplification(new Map([['w', half]]))), TARGETS.portable, { fuse: true, name: 'test' }).program;
    const [tensor] = lowered(read).tensors.filter(({ memory }) => memory.kind === 'state');
    expect(tensor).toMatchObject({ dtype: 'f32', shape: [7, 3], half });
    expect(storageBytes(tensor)).toBe(44);
    const written: Graph = { outputs: [{ kind: 'state', name: 'w', node: b.mul(w, 2) }] };
    expect(() => lowered(written)).toThrow(GraphFault);
  });

  test('every number that is finite', async () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i).filter(
      (h) => (half === 'f16' ? (h >> 10) & 31 : (h >> 7) & 255) !== (half === 'f16' ? 31 : 255),
    );
    // An f32 that is subnormal may become zero on a device; such are those of bf16.
    const values = (half === 'f16' ? Float32Array.from(all, halfToFloat) : unpackHalves(all, half)).filter(
      (x) => x === 0 || Math.abs(x) >= 2 ** -126,
    );
    const b = new GraphBuilder();
    const w = b.state('w', [values.length]);
    const graph: Graph = {
      outputs: [
        { kind: 'output', name: 'w', node: b.mul(w, 1) },
        { kind: 'output', name: 'half', node: b.mul(b.slice(w, [1], [values.length - 1]), 0.5) },
      ],
    };
    const { output } = await runGraph(device(), graph, { state: { w: values } }, { fuse: true, halves: new Map([['w', half]]) });
    expect(Float32Array.from(output.w)).toEqual(values);
    expect(Float32Array.from(output.half).filter((x) => Math.abs(x) >= 2 ** -126)).toEqual(
      values
        .slice(1)
        .map((x) => x / 2)
        .filter((x) => Math.abs(x) >= 2 ** -126),
    );
  });
});
