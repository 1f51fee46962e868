/**
 * The way to make graph nodes. A builder checks every node against the rule of its primitive (`ShapeError`), gives equal
 * computations one node (labels do not count), and inserts the reshapes and expands that broadcasting means. It does no
 * algebra beyond leaving out movement that moves nothing; simplification is the business of the passes.
 *
 * Operands may be plain numbers: they become constants of the other operand's type.
 */
import type { Dtype } from '../../plan/dtypes.ts';
import { parseEinsum } from './einsum.ts';
import { GraphFault, ShapeError, SizeError } from './errors.ts';
import type { BinaryFn, Graph, Node, Op, ReduceFn, UnaryFn } from './graph.ts';
import { typeOf } from './primitives/table.ts';
import type { Typed } from './primitives/primitive.ts';
import { isSame } from './equal.ts';
import { mapped, NodeMap } from './node-map.ts';
import { broadcastShapes, formatShape, normalizeAxes, sameShape } from './shape.ts';
import type { Shape } from './shape.ts';
import { ancestors } from './walk.ts';

export type Operand = Node | number;

/** Name of the composite through which no gradient flows. */
export const DETACH = 'detach';

export class GraphBuilder {
  private readonly nodes: Node[] = [];
  /** Where to look for an equal node: leaves by name or value, others by a hash of their operands' ids. */
  private readonly leaves = new Map<string, Node[]>();
  private readonly users = new Map<number, Node[]>();
  private label: string | undefined;
  private readonly most: number;

  /** `most`: one more node is a SizeError. */
  constructor(most = Infinity) {
    this.most = most;
  }

  /** How many nodes there are; the next one has this id. */
  get size(): number {
    return this.nodes.length;
  }

  /** @throws SizeError unless so many more nodes may be made. */
  requireRoom(more: number): void {
    if (this.nodes.length + more > this.most) throw new SizeError(this.most);
  }

  /**
   * Makes a node of any kind, or returns the equal one that exists. `wanted` gives what the operation does not determine
   * itself: the type of a leaf, the new shape of movement, the target of a cast.
   */
  node(op: Op, inputs: readonly Node[], wanted: Partial<Typed> = {}): Node {
    for (const input of inputs) {
      if (this.nodes[input.id] !== input) throw new GraphFault(`node ${input.id} (${input.op.kind}) belongs to another builder`);
    }
    const type = typeOf(op, inputs, wanted);
    const alike = this.alike(op, inputs);
    const known = alike.find((node) => isSame(node, op, inputs, type));
    if (known) return known;
    this.requireRoom(1);
    const node: Node = {
      id: this.nodes.length,
      op,
      // Not copied: there are many nodes, and nobody changes what is given here.
      inputs,
      dtype: type.dtype,
      shape: type.shape,
      ...(this.label === undefined ? {} : { label: this.label }),
    };
    this.nodes.push(node);
    alike.push(node);
    return node;
  }

  /** Nodes among which an equal one would be; a new one is added to them. */
  private alike(op: Op, inputs: readonly Node[]): Node[] {
    if (inputs.length > 0) {
      // Of all operands, since one of them may have thousands of users, as the factor of clipping has; in any order, since sums have none.
      const key = inputs.reduce((hash, input) => (hash + Math.imul(input.id + 1, 0x9e3779b1)) & 0x3fffffff, 0);
      const users = this.users.get(key) ?? [];
      if (users.length === 0) this.users.set(key, users);
      return users;
    }
    const key = 'name' in op ? op.name : op.kind === 'constant' ? String(op.value) : op.kind;
    const found = this.leaves.get(key) ?? [];
    this.leaves.set(key, found);
    return found;
  }

  /** Nodes made within `fn` carry this label (the path in the model), unless they existed before. */
  withLabel<T>(label: string | undefined, fn: () => T): T {
    const outer = this.label;
    this.label = label;
    try {
      return fn();
    } finally {
      this.label = outer;
    }
  }

  /** The label that new nodes are given: the path of the layer that is running. */
  get place(): string | undefined {
    return this.label;
  }

  // Leaves

  input(name: string, shape: Shape, dtype: Dtype = 'f32'): Node {
    return this.node({ kind: 'input', name }, [], { shape, dtype });
  }

  state(name: string, shape: Shape, dtype: Dtype = 'f32'): Node {
    return this.node({ kind: 'state', name }, [], { shape, dtype });
  }

  scalar(name: string): Node {
    return this.node({ kind: 'scalar', name }, []);
  }

  constant(value: number, dtype: Dtype = 'f32'): Node {
    return this.node({ kind: 'constant', value }, [], { dtype });
  }

  /** A constant repeated over a shape. */
  full(shape: Shape, value: number, dtype: Dtype = 'f32'): Node {
    return this.broadcast(this.constant(value, dtype), shape);
  }

  iota(shape: Shape, axis: number): Node {
    return this.node({ kind: 'iota', axis: normalizeAxes([axis], shape.length)[0] }, [], { shape });
  }

  // Elementwise, one operand

  unary(fn: UnaryFn, x: Node): Node {
    return this.node({ kind: 'unary', fn }, [x]);
  }

  neg(x: Node): Node {
    return this.unary('neg', x);
  }
  exp(x: Node): Node {
    return this.unary('exp', x);
  }
  expm1(x: Node): Node {
    return this.unary('expm1', x);
  }
  log(x: Node): Node {
    return this.unary('log', x);
  }
  log1p(x: Node): Node {
    return this.unary('log1p', x);
  }
  sqrt(x: Node): Node {
    return this.unary('sqrt', x);
  }
  tanh(x: Node): Node {
    return this.unary('tanh', x);
  }
  erf(x: Node): Node {
    return this.unary('erf', x);
  }
  sin(x: Node): Node {
    return this.unary('sin', x);
  }
  cos(x: Node): Node {
    return this.unary('cos', x);
  }
  abs(x: Node): Node {
    return this.unary('abs', x);
  }
  floor(x: Node): Node {
    return this.unary('floor', x);
  }
  not(x: Node): Node {
    return this.unary('not', x);
  }
  isFinite(x: Node): Node {
    return this.unary('is_finite', x);
  }
  cast(x: Node, dtype: Dtype): Node {
    return x.dtype === dtype ? x : this.node({ kind: 'cast' }, [x], { dtype });
  }

  // Elementwise, several operands, which are broadcast to their common shape

  binary(fn: BinaryFn, x: Operand, y: Operand): Node {
    const [a, b] = this.together(x, y);
    return this.node({ kind: 'binary', fn }, [a, b]);
  }

  add(x: Operand, y: Operand): Node {
    return this.binary('add', x, y);
  }
  sub(x: Operand, y: Operand): Node {
    return this.binary('sub', x, y);
  }
  mul(x: Operand, y: Operand): Node {
    return this.binary('mul', x, y);
  }
  div(x: Operand, y: Operand): Node {
    return this.binary('div', x, y);
  }
  /** The larger operand; at ties the gradient goes to the second, so that `max(x, 0)` has none at 0. */
  max(x: Operand, y: Operand): Node {
    return this.binary('max', x, y);
  }
  min(x: Operand, y: Operand): Node {
    return this.binary('min', x, y);
  }
  less(x: Operand, y: Operand): Node {
    return this.binary('less', x, y);
  }
  lessEqual(x: Operand, y: Operand): Node {
    return this.binary('less_equal', x, y);
  }
  equal(x: Operand, y: Operand): Node {
    return this.binary('equal', x, y);
  }
  and(x: Node, y: Node): Node {
    return this.binary('and', x, y);
  }
  or(x: Node, y: Node): Node {
    return this.binary('or', x, y);
  }

  /** x to the power y, as C99 has it. Known whole exponents from -4 to 4 become products, halves square roots. */
  pow(x: Node, y: Operand): Node {
    if (typeof y !== 'number') return this.binary('pow', x, y);
    if (y < 0 && (Number.isInteger(y) || y === -0.5) && y >= -4) return this.div(1, this.pow(x, -y));
    if (y === 0) return this.full(x.shape, 1);
    if (y === 0.5) return this.sqrt(x);
    if (y === 1) return x;
    if (y === 2) return this.mul(x, x);
    if (y === 3) return this.mul(this.mul(x, x), x);
    if (y === 4) return this.pow(this.mul(x, x), 2);
    return this.binary('pow', x, y);
  }

  select(condition: Node, then: Operand, otherwise: Operand): Node {
    const [a, b] = this.together(then, otherwise);
    const shape = broadcastShapes(condition.shape, a.shape);
    return this.node(
      { kind: 'select' },
      [condition, a, b].map((x) => this.broadcast(x, shape)),
    );
  }

  // Sums and products

  /** Removes `axes` (all if undefined), or leaves them with extent 1 if `keep`. */
  reduce(fn: ReduceFn, x: Node, axes?: readonly number[], keep = false): Node {
    const normal = axes === undefined ? x.shape.map((_, axis) => axis) : normalizeAxes(axes, x.shape.length);
    const reduced = normal.length === 0 ? x : this.node({ kind: 'reduce', fn, axes: normal }, [x]);
    return keep
      ? this.reshape(
          reduced,
          x.shape.map((extent, axis) => (normal.includes(axis) ? 1 : extent)),
        )
      : reduced;
  }

  sum(x: Node, axes?: readonly number[], keep = false): Node {
    return this.reduce('sum', x, axes, keep);
  }

  /** The largest value; its gradient is shared equally among equals. */
  reduceMax(x: Node, axes?: readonly number[], keep = false): Node {
    return this.reduce('max', x, axes, keep);
  }

  mean(x: Node, axes?: readonly number[], keep = false): Node {
    const total = this.sum(x, axes, keep);
    const size = (shape: Shape) => shape.reduce((n, d) => n * d, 1);
    return this.mul(total, size(total.shape) / size(x.shape));
  }

  /** See `Op`: labels name the axes of the operands and of the result. */
  contract(a: Node, aLabels: readonly number[], b: Node, bLabels: readonly number[], outLabels: readonly number[]): Node {
    const order = new Map<number, number>();
    for (const label of [...aLabels, ...bLabels]) if (!order.has(label)) order.set(label, order.size);
    // Renumbered by first appearance, so that equal products are equal nodes. A label of `out` alone keeps a number that no operand has.
    const renumber = (labels: readonly number[]) => labels.map((label) => order.get(label) ?? -1);
    return this.node({ kind: 'contract', a: renumber(aLabels), b: renumber(bLabels), out: renumber(outLabels) }, [a, b]);
  }

  /**
   * Einstein summation over one or two operands, with axis names separated by spaces: `n t d, v d -> n t v`. Names that
   * stand in one operand only and not in the result are summed before the product.
   */
  einsum(spec: string, ...operands: Node[]): Node {
    const { inputs, out } = parseEinsum(
      spec,
      operands.map((x) => x.shape),
    );
    const reduced = operands.map((x, i) => {
      const elsewhere = [...out, ...inputs.filter((_, j) => j !== i).flat()];
      const lone = inputs[i].map((name, axis) => (elsewhere.includes(name) ? -1 : axis)).filter((axis) => axis >= 0);
      return { x: this.sum(x, lone), names: inputs[i].filter((_, axis) => !lone.includes(axis)) };
    });
    if (reduced.length === 1)
      return this.permute(
        reduced[0].x,
        out.map((name) => reduced[0].names.indexOf(name)),
      );
    const [a, b] = reduced;
    const labels = [...new Set([...a.names, ...b.names])];
    const numbers = (names: readonly string[]) => names.map((name) => labels.indexOf(name));
    return this.contract(a.x, numbers(a.names), b.x, numbers(b.names), numbers(out));
  }

  // Movement

  reshape(x: Node, shape: Shape): Node {
    return sameShape(x.shape, shape) ? x : this.node({ kind: 'reshape' }, [x], { shape });
  }

  /** Axis i of the result is axis `order[i]` of x. */
  permute(x: Node, order: readonly number[]): Node {
    if (order.length === x.shape.length && order.every((from, to) => from === to)) return x;
    return this.node({ kind: 'permute', order: [...order] }, [x]);
  }

  expand(x: Node, shape: Shape): Node {
    return sameShape(x.shape, shape) ? x : this.node({ kind: 'expand' }, [x], { shape });
  }

  /** To `shape` by numpy's rules: axes are added in front, extents of 1 are repeated. */
  broadcast(x: Node, shape: Shape): Node {
    if (sameShape(x.shape, shape)) return x;
    if (x.shape.length > shape.length || !sameShape(broadcastShapes(x.shape, shape), shape)) {
      throw new ShapeError(`shape ${formatShape(x.shape)} cannot be broadcast to ${formatShape(shape)}`);
    }
    const ones = new Array<number>(shape.length - x.shape.length).fill(1);
    return this.expand(this.reshape(x, [...ones, ...x.shape]), shape);
  }

  slice(x: Node, start: readonly number[], size: Shape): Node {
    return sameShape(x.shape, size) && start.every((s) => s === 0)
      ? x
      : this.node({ kind: 'slice', start: [...start] }, [x], { shape: size });
  }

  /** x among zeros: `before` of them in front in each axis, the rest of `shape` behind. */
  pad(x: Node, before: readonly number[], shape: Shape): Node {
    return sameShape(x.shape, shape) ? x : this.node({ kind: 'pad', before: [...before] }, [x], { shape });
  }

  concat(parts: readonly Node[], axis: number): Node {
    if (parts.length === 0) throw new ShapeError('concat needs at least one tensor');
    const [normal] = normalizeAxes([axis], parts[0].shape.length);
    return parts.length === 1 ? parts[0] : this.node({ kind: 'concat', axis: normal }, parts);
  }

  // Indexed

  /** Rows of `table` [V, ...rest] at `index` [...lead]: [...lead, ...rest]. */
  gather(table: Node, index: Node): Node {
    return this.node({ kind: 'gather' }, [table, index]);
  }

  /** [rows, ...rest]: row v is the sum of the values [...lead, ...rest] whose `index` [...lead] is v. */
  scatterAdd(values: Node, index: Node, rows: number): Node {
    return this.node({ kind: 'scatter_add' }, [values, index], { shape: [rows, ...values.shape.slice(index.shape.length)] });
  }

  // Composites

  /** A named piece whose `body` computes it from the inputs `arg0`, `arg1`, ...; see `Op`. */
  composite(name: string, args: readonly Node[], body: Graph): Node {
    return this.node({ kind: 'composite', name, body }, args);
  }

  /** x itself, through which no gradient flows. */
  detach(x: Node): Node {
    const inner = new GraphBuilder();
    return this.composite(DETACH, [x], { outputs: [{ kind: 'output', name: 'out', node: inner.input('arg0', x.shape, x.dtype) }] });
  }

  /** The definition of a composite, with nodes of this builder for its arguments. */
  inline(body: Graph, args: readonly Node[]): Node {
    const root = body.outputs[0].node;
    const made = new NodeMap<Node>();
    for (const node of ancestors([root])) {
      const argument = node.op.kind === 'input' ? args[Number(node.op.name.slice('arg'.length))] : undefined;
      const inputs = node.inputs.map((x) => mapped(made, x));
      made.set(node, argument ?? this.node(node.op, inputs, node));
    }
    return mapped(made, root);
  }

  private together(x: Operand, y: Operand): [Node, Node] {
    const a = typeof x === 'number' ? this.constant(x, typeof y === 'number' ? 'f32' : y.dtype) : x;
    const b = typeof y === 'number' ? this.constant(y, a.dtype) : y;
    const shape = broadcastShapes(a.shape, b.shape);
    return [this.broadcast(a, shape), this.broadcast(b, shape)];
  }
}
