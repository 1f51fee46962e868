/**
 * Two rewritings that leave less to store between kernels. They change the last bits of results, as any fusion of sums may,
 * and nothing else.
 *
 * A gradient that flows through an elementwise function is a sum of products: dy a + dy b c. Its other factors come from the
 * forward pass and would each be kept for it. Taken together, dy (a + b c), they are one tensor, which the forward kernel
 * can compute and store: for GELU its slope in place of three parts of it.
 *
 * Where exponentials e are normalised, p = e / s with one s for many, and p has users after, these compute e as p s: the
 * gradient of a softmax then needs p and no second tensor of its size.
 */
import type { GraphBuilder } from '../graph/builder.ts';
import type { Graph, Node } from '../graph/graph.ts';
import { elements, sameShape } from '../graph/shape.ts';
import { mapped, NodeMap } from '../graph/node-map.ts';
import type { NodeLookup } from '../graph/node-map.ts';
import { nodesOf, useCounts } from '../graph/walk.ts';
import { rebuild } from '../passes/rebuild.ts';
import { isFree, isStored } from './nodes.ts';

interface Term {
  negative: boolean;
  factors: Node[];
  divisors: Node[];
}

export function factor(graph: Graph): Graph {
  const uses = useCounts(graph);
  const quotients = normalised(graph);
  const images = new NodeMap<Node>();
  return rebuild(graph, (b, node, inputs) => {
    const restored = inputs.map((x, i) => {
      const quotient = quotients.get(node.inputs[i]);
      if (!quotient || node.id <= quotient.id) return x;
      return b.mul(mapped(images, quotient), mapped(images, quotient.inputs[1]));
    });
    const image = (isSum(node) ? factored(b, node, uses, images) : undefined) ?? b.node(node.op, restored, node);
    images.set(node, image);
    return image;
  });
}

/** By exponential its quotient, if there is one and it is divided by something that is repeated. */
function normalised(graph: Graph): Map<Node, Node> {
  const found = new Map<Node, Node>();
  for (const node of nodesOf(graph)) {
    if (node.op.kind !== 'binary' || node.op.fn !== 'div') continue;
    const [above, below] = node.inputs;
    const exponential = above.op.kind === 'unary' && above.op.fn === 'exp';
    if (exponential && below.op.kind === 'expand' && elements(below.inputs[0].shape) * 4 <= elements(node.shape)) found.set(above, node);
  }
  return found;
}

function isSum(node: Node): boolean {
  return node.op.kind === 'binary' && (node.op.fn === 'add' || node.op.fn === 'sub') && node.dtype === 'f32';
}

/** The sum with its latest common factor taken out, if nothing else depends on that and there are at least two tensors of its size. */
function factored(b: GraphBuilder, sum: Node, uses: NodeLookup<number>, images: NodeLookup<Node>): Node | undefined {
  const terms = termsOf(sum, false, (node) => node === sum || uses.get(node) === 1);
  if (terms.length < 2) return undefined;
  const common = terms[0].factors.filter((x) => sameShape(x.shape, sum.shape) && terms.every((term) => term.factors.includes(x)));
  if (common.length === 0) return undefined;
  const latest = common.reduce((a, x) => (x.id > a.id ? x : a));
  const rest = terms.map((term) => ({ ...term, factors: without(term.factors, latest) }));
  const others = new Set(rest.flatMap((term) => [...term.factors, ...term.divisors]));
  const kept = [...others].filter((x) => sameShape(x.shape, sum.shape) && !isFree(x) && !isStored(x) && x.op.kind !== 'expand');
  if (kept.length < 2 || dependOn([...others], latest)) return undefined;
  const parts = rest.map((term) => ({ negative: term.negative, node: productOf(b, term, sum.shape, images) }));
  const slope = parts
    .slice(1)
    .reduce(
      (total, part) => (part.negative ? b.sub(total, part.node) : b.add(total, part.node)),
      parts[0].negative ? b.neg(parts[0].node) : parts[0].node,
    );
  return b.mul(mapped(images, latest), slope);
}

/** Ids ascend from operands to users, so nothing older than `node` can depend on it. */
function dependOn(others: readonly Node[], node: Node): boolean {
  const seen = new Set<Node>();
  const stack = [...others];
  for (let x = stack.pop(); x; x = stack.pop()) {
    if (x === node) return true;
    if (x.id < node.id || seen.has(x)) continue;
    seen.add(x);
    stack.push(...x.inputs);
  }
  return false;
}

function productOf(b: GraphBuilder, term: Term, shape: readonly number[], images: NodeLookup<Node>): Node {
  const [first, ...more] = term.factors.map((x) => mapped(images, x));
  const above = first ? more.reduce((product, x) => b.mul(product, x), first) : b.full(shape, 1);
  return term.divisors.reduce((quotient, x) => b.div(quotient, mapped(images, x)), above);
}

/** A sum as products; `open` says which nodes may be taken apart (what others use as well has to be computed anyway). */
function termsOf(node: Node, negative: boolean, open: (node: Node) => boolean): Term[] {
  if (open(node) && isSum(node) && node.op.kind === 'binary') {
    const [x, y] = node.inputs;
    return [...termsOf(x, negative, open), ...termsOf(y, node.op.fn === 'sub' ? !negative : negative, open)];
  }
  if (open(node) && node.op.kind === 'unary' && node.op.fn === 'neg') return termsOf(node.inputs[0], !negative, open);
  const term: Term = { negative, factors: [], divisors: [] };
  collect(node, term, open);
  return [term];
}

function collect(node: Node, term: Term, open: (node: Node) => boolean): void {
  const { op, inputs } = node;
  if (open(node) && op.kind === 'binary' && op.fn === 'mul') {
    inputs.forEach((x) => collect(x, term, open));
  } else if (open(node) && op.kind === 'binary' && op.fn === 'div') {
    collect(inputs[0], term, open);
    term.divisors.push(inputs[1]);
  } else if (open(node) && op.kind === 'unary' && op.fn === 'neg') {
    term.negative = !term.negative;
    collect(inputs[0], term, open);
  } else {
    term.factors.push(node);
  }
}

/** The list less one occurrence. */
function without(list: readonly Node[], one: Node): Node[] {
  const at = list.indexOf(one);
  return list.filter((_, i) => i !== at);
}
