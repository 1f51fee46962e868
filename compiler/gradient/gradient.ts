/**
 * Reverse-mode differentiation, graph to graph. In come a scalar and the nodes whose gradients are wanted, all of one
 * builder; out come new nodes of that builder. Each primitive brings its own rule (compiler/graph/primitives); this file
 * only walks. What the gradient needs of the forward computation it shares, since the builder gives equal nodes once, and
 * whatever does not lead from the scalar to a wanted node is never touched.
 */
import type { CompositeGradients } from './composites.ts';
import { DETACH } from '../graph/builder.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import { ShapeError } from '../graph/errors.ts';
import type { Node } from '../graph/graph.ts';
import type { GradientContext } from '../graph/primitives/primitive.ts';
import { primitiveOf } from '../graph/primitives/table.ts';
import { elements, formatShape } from '../graph/shape.ts';
import { ancestors } from '../graph/walk.ts';

/**
 * The gradients of `scalar` (f32, one element) with respect to any nodes, each of that node's shape; undefined where no
 * path leads to it (or only paths without slope: comparisons, `floor`, `detach`).
 *
 * `composites` registers gradients by the name of a composite; the others are differentiated through their definitions.
 * Throws a `GatherIndexError` if the table of a gather is differentiated whose index the host does not know.
 */
export function gradients(b: GraphBuilder, scalar: Node, wrt: readonly Node[], composites: CompositeGradients = {}): (Node | undefined)[] {
  if (scalar.dtype !== 'f32' || elements(scalar.shape) !== 1) {
    throw new ShapeError(
      `only a single f32 number can be differentiated, not ${scalar.dtype} ${formatShape(scalar.shape)}`,
      'Take its sum or mean first.',
    );
  }
  return pullback(b, scalar, b.full(scalar.shape, 1), wrt, new Set(), composites);
}

/**
 * Carries the gradient `dy` of `root` back to `wrt`. Nothing is carried further back from nodes of `stop`: they count as
 * independent variables.
 */
function pullback(
  b: GraphBuilder,
  root: Node,
  dy: Node,
  wrt: readonly Node[],
  stop: ReadonlySet<Node>,
  composites: CompositeGradients,
): (Node | undefined)[] {
  const order = ancestors([root], stop);
  const needed = leadingTo(wrt, order, stop);
  // Most of them get a gradient of their own: what would be too large is known before it is made.
  b.requireRoom(needed.size);
  const gradientOf = new Map<Node, Node>();
  if (needed.has(root)) gradientOf.set(root, dy);
  for (const node of order.reverse()) {
    const gradient = gradientOf.get(node);
    if (!gradient || stop.has(node)) continue;
    b.withLabel(node.label === undefined ? undefined : `grad:${node.label}`, () => {
      const wanted = (i: number) => needed.has(node.inputs[i]);
      const context: GradientContext = { builder: b, wanted, composite: (of, dOf) => throughComposite(b, of, dOf, wanted, composites) };
      const parts = primitiveOf(node.op).gradient(context, node.op, node, gradient);
      node.inputs.forEach((input, i) => {
        const part = parts[i];
        if (!part || !wanted(i)) return;
        const before = gradientOf.get(input);
        gradientOf.set(input, before ? b.add(before, part) : part);
      });
    });
  }
  return wrt.map((node) => gradientOf.get(node));
}

/** The nodes of `order` through which a gradient can reach one of `wrt`. */
function leadingTo(wrt: readonly Node[], order: readonly Node[], stop: ReadonlySet<Node>): Set<Node> {
  const wanted = new Set(wrt);
  const needed = new Set<Node>();
  for (const node of order) {
    if (node.dtype !== 'f32') continue;
    const passes = !stop.has(node) && !(node.op.kind === 'composite' && node.op.name === DETACH);
    if (wanted.has(node) || (passes && node.inputs.some((input) => needed.has(input)))) needed.add(node);
  }
  return needed;
}

function throughComposite(
  b: GraphBuilder,
  node: Node,
  dy: Node,
  wanted: (input: number) => boolean,
  composites: CompositeGradients,
): (Node | undefined)[] {
  if (node.op.kind !== 'composite') return [];
  const registered = Object.hasOwn(composites, node.op.name) ? composites[node.op.name] : undefined;
  if (registered) return registered({ builder: b, node, dy, wanted });
  const result = b.inline(node.op.body, node.inputs);
  // An operand given twice is one node, whose gradient is complete at its first place.
  const asked = [...new Set(node.inputs)].filter((input) => wanted(node.inputs.indexOf(input)));
  const parts = pullback(b, result, dy, asked, new Set(node.inputs), composites);
  return node.inputs.map((input, i) => (node.inputs.indexOf(input) === i ? parts[asked.indexOf(input)] : undefined));
}
