/** The graph of a layer of a text, applied to inputs. */
import { nodeHost } from '../../cli/host.ts';
import { apply } from '../../compiler/elaborate/calls.ts';
import { Context } from '../../compiler/elaborate/context.ts';
import { evaluateIn, openUniverse } from '../../compiler/elaborate/names.ts';
import { tensor } from '../../compiler/elaborate/values.ts';
import { gradients } from '../../compiler/gradient/gradient.ts';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import type { Bindings } from '../../compiler/graph/evaluate.ts';
import type { Graph, Node, Output } from '../../compiler/graph/graph.ts';
import { loadModules } from '../../compiler/modules/modules.ts';
import { parseExpression } from '../../grammar/index.ts';

export interface LayerInput {
  data: number[];
  shape?: number[];
  dtype?: 'f32' | 'i32';
}

export interface LayerGraph {
  graph: Graph;
  bindings: Bindings;
}

/**
 * `layer f` of the text on inputs by the names of its parameters: outputs `y`, and `d:NAME`, the gradient of the sum of `y` by that input
 * (absent where there is none).
 */
export function layerGraph(text: string, inputs: Record<string, LayerInput>): LayerGraph {
  const host = nodeHost('.');
  const source = text.startsWith('pivot 1') ? text : `pivot 1\n${text}\n`;
  const loaded = loadModules('run.pivot', { ...host, read: (path) => (path === 'run.pivot' ? source : host.read(path)) });
  if (loaded.diagnostics.length > 0) throw new Error(loaded.diagnostics.map((d) => d.message).join('\n'));
  const universe = openUniverse(loaded, host, new Map());
  const ctx = new Context(new GraphBuilder());
  const b = ctx.builder;
  const { tree, diagnostics } = parseExpression('f', 'test');
  if (diagnostics.length > 0) throw new Error(diagnostics[0].message);
  const { span } = loaded.main.tree;
  const nodes = Object.entries(inputs).map(([name, { data, shape, dtype }]): [string, Node] => [
    name,
    b.input(name, shape ?? [data.length], dtype ?? 'f32'),
  ]);
  const result = apply(
    ctx,
    evaluateIn(universe, loaded.main, tree),
    nodes.map(([name, node]) => ({ name, value: tensor(node), span })),
    span,
  );
  if (result.kind !== 'tensor') throw new Error('the layer gives no tensor');
  const outputs: Output[] = [{ kind: 'output', name: 'y', node: result.node }];
  const floats = nodes.filter(([, node]) => node.dtype === 'f32');
  const slopes = gradients(
    b,
    b.sum(result.node),
    floats.map(([, node]) => node),
  );
  floats.forEach(([name], i) => {
    const slope = slopes[i];
    if (slope) outputs.push({ kind: 'output', name: `d:${name}`, node: slope });
  });
  const input = Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data]));
  const rows = Math.max(...nodes.map(([, { shape }]) => shape[0] ?? 1));
  return { graph: { outputs }, bindings: { input, scalar: { rows } } };
}
