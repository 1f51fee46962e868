/**
 * The oracle: evaluates a graph on plain arrays, slowly and obviously, one node at a time. In come a graph and the values
 * of its leaves, out go the values of its outputs. Kernels, gradients and passes are tested against it; nothing at run
 * time uses it.
 *
 * Arithmetic is float64. With precision `f32` each node's value is rounded to f32 when it is stored, as a kernel without
 * fusion would do (sums still run in float64). Whole numbers wrap around at 32 bits in either case.
 */
import { PivotError } from '../../plan/errors.ts';
import type { Graph, Node } from './graph.ts';
import { primitiveOf } from './primitives/table.ts';
import type { EvaluateContext, Values } from './primitives/primitive.ts';
import { elements, formatShape } from './shape.ts';
import { ancestors } from './walk.ts';

/** Values of leaves by name, row-major. */
export interface Bindings {
  input?: Record<string, ArrayLike<number>>;
  state?: Record<string, ArrayLike<number>>;
  scalar?: Record<string, number>;
}

export interface EvaluateOptions {
  /** Default `f64`. */
  precision?: 'f64' | 'f32';
}

/** Values of outputs by name, row-major. */
export interface Results {
  output: Record<string, Values>;
  state: Record<string, Values>;
}

/** Values of all outputs of a graph. Throws a `PivotError` if a leaf is unbound or bound to the wrong number of elements. */
export function evaluate(graph: Graph, bindings: Bindings, options: EvaluateOptions = {}): Results {
  const values = evaluateNodes(
    graph.outputs.map((output) => output.node),
    bindings,
    options,
  );
  const results: Results = { output: {}, state: {} };
  graph.outputs.forEach((output, i) => (results[output.kind][output.name] = values[i]));
  return results;
}

/** Values of any nodes of one graph, in the order given. */
export function evaluateNodes(roots: readonly Node[], bindings: Bindings, options: EvaluateOptions = {}): Values[] {
  const round = options.precision === 'f32' ? Math.fround : (x: number) => x;
  const run = (from: readonly Node[], leaf: EvaluateContext['leaf']): Values[] => {
    const context: EvaluateContext = {
      leaf,
      body: (graph, args) => {
        const argument: EvaluateContext['leaf'] = (kind, node, name) =>
          kind === 'input' ? args[Number(name.slice('arg'.length))] : leaf(kind, node, name);
        return run([graph.outputs[0].node], argument)[0];
      },
    };
    const values = new Map<Node, Values>();
    const valueOf = (node: Node): Values => {
      const value = values.get(node);
      if (!value) throw new Error(`node ${node.id} has no value yet`);
      return value;
    };
    for (const node of ancestors(from)) {
      values.set(node, stored(node, primitiveOf(node.op).evaluate(node.op, node, node.inputs.map(valueOf), context), round));
    }
    return from.map(valueOf);
  };
  return run(roots, (kind, node, name) => bound(bindings, kind, node, name));
}

function stored(node: Node, values: Values, round: (x: number) => number): Values {
  switch (node.dtype) {
    case 'f32':
      return values.map((x) => round(x));
    case 'i32':
      return values.map((x) => x | 0);
    case 'u32':
      return values.map((x) => x >>> 0);
    case 'bool':
      return values;
  }
}

function bound(bindings: Bindings, kind: 'input' | 'state' | 'scalar', node: Node, name: string): Values {
  const given = bindings[kind]?.[name];
  if (given === undefined) throw new PivotError('G0202', `the ${kind} '${name}' was given no value`);
  if (typeof given === 'number') return Float64Array.of(given);
  if (given.length !== elements(node.shape)) {
    throw new PivotError('G0203', `the ${kind} '${name}' of shape ${formatShape(node.shape)} was given ${given.length} values`);
  }
  return Float64Array.from(given);
}
