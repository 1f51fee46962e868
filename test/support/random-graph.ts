/**
 * Random valid graphs with values for their leaves, from a seed: elementwise, movement, reductions, products, gathers and
 * the patterns in which models use them (softmax, normalisation, state updates), with odd extents, broadcasting, shared
 * nodes and several outputs. Values stay bounded, and conditions depend only on leaves, so that f32 and float64 take the
 * same branches.
 */
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { gradients } from '../../compiler/gradient/gradient.ts';
import type { Bindings } from '../../compiler/graph/evaluate.ts';
import type { Graph, Node, Output } from '../../compiler/graph/graph.ts';
import { elements, sameShape } from '../../compiler/graph/shape.ts';
import { ancestors, useCounts } from '../../compiler/graph/walk.ts';
import { Random } from './random.ts';
import { RandomShapes, fitsInto } from './random-shape.ts';

export const FAMILIES = [
  'unary',
  'binary',
  'select',
  'movement',
  'concat',
  'reduce',
  'contract',
  'gather',
  'scatter',
  'softmax',
  'norm',
  'composite',
] as const;
export type Family = (typeof FAMILIES)[number];

export interface RandomGraphOptions {
  seed: number;
  /** How many steps to take; each adds one to a dozen nodes. Default 12. */
  steps?: number;
  /** Which families to draw from. Default all. */
  families?: readonly Family[];
  /** Leaves out kinks and steps (max, abs, floor, comparisons), for finite differences. */
  smooth?: boolean;
  /** No tensor is larger. Default 3000 elements. */
  maxElements?: number;
  /**
   * Makes a training step of it: the states are moved against the gradient of the mean squares of all outputs, which are
   * replaced by that loss.
   */
  training?: boolean;
}

export interface RandomGraph {
  graph: Graph;
  bindings: Required<Bindings>;
  builder: GraphBuilder;
}

/** Above this, a value is squashed before it is used again. */
const LARGE = 6;

export function randomGraph(options: RandomGraphOptions): RandomGraph {
  return new Maker(options).make();
}

class Maker {
  private readonly b = new GraphBuilder();
  private readonly random: Random;
  private readonly shapes: RandomShapes;
  private readonly bindings: Required<Bindings> = { input: {}, state: {}, scalar: {} };
  /** f32 nodes to build on, and what their values do not exceed. */
  private readonly pool: Node[] = [];
  private readonly bounds = new Map<Node, number>();
  private readonly leaves: Node[] = [];
  private readonly options: Required<RandomGraphOptions>;

  constructor(options: RandomGraphOptions) {
    this.options = { steps: 12, families: FAMILIES, smooth: false, maxElements: 3000, training: false, ...options };
    this.random = new Random(options.seed * 7919 + 17);
    this.shapes = new RandomShapes(this.random, this.options.maxElements);
  }

  make(): RandomGraph {
    this.leaf('state', 'w0', this.shapes.draw());
    this.leaf('state', 'w1', this.shapes.draw());
    for (let i = 0; i < 2; i++) this.leaf('input', `x${i}`, this.shapes.draw());
    for (let i = 0; i < this.options.steps; i++) this.b.withLabel(`step${i}`, () => this.step(this.random.pick(this.options.families)));
    const outputs = this.options.training ? this.trainingOutputs() : this.outputs();
    this.unbindUnused(outputs);
    return { graph: { outputs }, bindings: this.bindings, builder: this.b };
  }

  private step(family: Family): void {
    const { b, random } = this;
    const x = this.operand();
    switch (family) {
      case 'unary':
        return this.unary(x);
      case 'binary':
        return this.binary(x);
      case 'select':
        if (this.options.smooth) return this.binary(x);
        return this.keep(b.select(this.condition(x.shape), x, random.chance(0.5) ? this.partner(x) : 0), LARGE);
      case 'movement':
        return this.movement(x);
      case 'concat': {
        const from = this.ranked(x);
        const axis = random.below(from.shape.length);
        const other = this.leaf(
          'input',
          this.name(),
          from.shape.map((d, i) => (i === axis ? 1 + random.below(4) : d)),
        );
        return this.keep(b.concat(random.chance(0.5) ? [from, other] : [other, from, other], axis), LARGE);
      }
      case 'reduce': {
        const axes = x.shape.map((_, axis) => axis).filter(() => random.chance(0.5));
        const count = axes.reduce((n, axis) => n * x.shape[axis], 1);
        const keep = random.chance(0.5);
        if (!this.options.smooth && random.chance(0.3)) return this.keep(b.reduceMax(x, axes, keep), LARGE);
        return this.keep(b.mul(b.sum(x, axes, keep), 1 / Math.sqrt(count)), this.bound(x) * Math.sqrt(count));
      }
      case 'contract':
        return this.contract(x);
      case 'gather': {
        const table = this.ranked(x);
        return this.keep(b.gather(table, this.index(table.shape[0])), this.bound(x));
      }
      case 'scatter': {
        const from = this.ranked(x);
        const rows = 1 + random.below(9);
        const index = this.index(rows, from.shape.slice(0, 1 + random.below(from.shape.length)));
        return this.keep(b.mul(b.scatterAdd(from, index, rows), 0.25), LARGE * 2);
      }
      case 'softmax': {
        const from = this.ranked(x);
        const high = b.detach(b.reduceMax(from, [-1], true));
        const e = b.exp(b.sub(from, high));
        return this.keep(b.div(e, b.sum(e, [-1], true)), 1);
      }
      case 'norm': {
        const from = this.ranked(x);
        const centred = b.sub(from, b.mean(from, [-1], true));
        const deviation = b.sqrt(b.add(b.mean(b.mul(centred, centred), [-1], true), 0.1));
        return this.keep(b.div(centred, deviation), LARGE);
      }
      case 'composite': {
        const inner = new GraphBuilder();
        const arg = inner.input('arg0', x.shape);
        const node = inner.mul(arg, inner.add(inner.tanh(arg), 1));
        return this.keep(b.composite('gated', [x], { outputs: [{ kind: 'output', name: 'out', node }] }), 2 * this.bound(x));
      }
    }
  }

  private unary(x: Node): void {
    const { b, random } = this;
    const smooth = [
      () => this.keep(b.neg(x), this.bound(x)),
      () => this.keep(b.exp(b.sin(x)), 3),
      () => this.keep(b.log(b.add(b.mul(x, x), 0.5)), 4),
      () => this.keep(b.sqrt(b.add(b.mul(x, x), 0.25)), this.bound(x) + 1),
      () => this.keep(b.tanh(x), 1),
      () => this.keep(b.erf(x), 1),
      () => this.keep(b.cos(x), 1),
      () => this.keep(b.pow(b.add(b.mul(x, x), 0.5), 0.75), this.bound(x) ** 1.5 + 1),
      () => this.keep(b.mul(x, this.scalar()), 2 * this.bound(x)),
    ];
    const rough = [
      () => this.keep(b.abs(x), this.bound(x)),
      () => this.keep(b.floor(this.leafLike()), 3),
      () => this.keep(b.cast(b.isFinite(x), 'f32'), 1),
      () => this.keep(b.cast(b.iota(x.shape.length ? x.shape : [3], 0), 'f32'), 40),
    ];
    random.pick(this.options.smooth ? smooth : [...smooth, ...rough])();
  }

  private binary(x: Node): void {
    const { b, random } = this;
    const y = this.partner(x);
    const [p, q] = random.chance(0.5) ? [x, y] : [y, x];
    const sum = this.bound(x) + this.bound(y);
    const choices = [
      () => this.keep(b.add(p, q), sum),
      () => this.keep(b.sub(p, q), sum),
      () => this.keep(b.mul(p, q), this.bound(x) * this.bound(y)),
      () => this.keep(b.div(p, b.add(b.mul(q, q), 0.5)), 2 * sum),
      () => this.keep(b.max(p, q), sum),
      () => this.keep(b.min(p, q), sum),
    ];
    random.pick(this.options.smooth ? choices.slice(0, 4) : choices)();
  }

  private movement(x: Node): void {
    const { b, random } = this;
    const bound = this.bound(x);
    const { shape } = x;
    const choices = [
      () => b.reshape(x, this.shapes.regrouped(shape)),
      () => b.permute(x, random.shuffled(shape.map((_, axis) => axis))),
      () => b.broadcast(x, [this.shapes.extent(elements(shape)), ...shape]),
      () => {
        const start = shape.map((d) => random.below(d));
        return b.slice(
          x,
          start,
          shape.map((d, i) => 1 + random.below(d - start[i])),
        );
      },
      () => {
        const before = shape.map(() => random.below(3));
        const padded = shape.map((d, i) => d + before[i] + random.below(3));
        return elements(padded) <= this.options.maxElements ? b.pad(x, before, padded) : b.neg(x);
      },
      () => {
        const ones = shape.map((d) => (random.chance(0.5) ? 1 : d));
        return b.broadcast(
          b.slice(
            x,
            shape.map(() => 0),
            ones,
          ),
          shape,
        );
      },
    ];
    this.keep(random.pick(choices)(), bound);
  }

  /** x times a new operand: some axes shared and summed, some shared and kept, some of one operand only; any layout. */
  private contract(x: Node): void {
    const { b, random } = this;
    const from = this.ranked(x);
    const labels = from.shape.map((_, i) => i);
    const role = labels.map(() => random.pick(['sum', 'sum', 'batch', 'own']));
    const shared = labels.filter((l) => role[l] !== 'own');
    const lead = labels.filter((l) => role[l] !== 'sum');
    const fresh = random.chance(0.8) ? [labels.length] : [];
    const free = fresh.map(() => this.shapes.extent(lead.reduce((n, l) => n * from.shape[l], 1)));
    const second = random.shuffled([...shared, ...fresh]);
    const other = this.leaf(
      random.chance(0.5) ? 'state' : 'input',
      this.name(),
      second.map((l) => from.shape[l] ?? free[0]),
    );
    const out = random.shuffled([...lead, ...fresh]);
    const depth = labels.filter((l) => role[l] === 'sum').reduce((n, l) => n * from.shape[l], 1);
    const product = random.chance(0.5) ? b.contract(from, labels, other, second, out) : b.contract(other, second, from, labels, out);
    this.keep(b.mul(product, 1 / Math.sqrt(depth)), this.bound(x) * 2 * Math.sqrt(depth));
  }

  /** A condition that does not depend on arithmetic, broadcastable to `shape`. */
  private condition(shape: readonly number[]): Node {
    const { b, random } = this;
    const choices = [
      () => b.less(this.leaf('input', this.name(), this.shapes.thinned(shape)), 0.25),
      () => b.not(b.equal(this.leaf('input', this.name(), this.shapes.thinned(shape)), 0)),
    ];
    if (shape.length > 0) {
      const iota = () => b.iota(shape, random.below(shape.length));
      choices.push(
        () => b.less(iota(), 1 + random.below(4)),
        () => b.and(b.less(0, iota()), b.or(b.less(iota(), 5), b.equal(iota(), 6))),
      );
    }
    if (shape.length > 1) choices.push(() => b.not(b.less(b.iota(shape, 0), b.iota(shape, 1))));
    return random.pick(choices)();
  }

  /** Another operand that broadcasts with x: from the pool if one fits, else a new leaf. */
  private partner(x: Node): Node {
    const fits = this.pool.filter((y) => y !== x && fitsInto(y.shape, x.shape));
    if (fits.length > 0 && this.random.chance(0.6)) return this.squashed(this.random.pick(fits));
    return this.leaf(this.random.chance(0.5) ? 'state' : 'input', this.name(), this.shapes.thinned(x.shape));
  }

  private index(rows: number, shape: readonly number[] = this.shapes.draw(2)): Node {
    const name = `index${Object.keys(this.bindings.input).length}`;
    this.bindings.input[name] = this.random.integers(elements(shape), rows);
    if (this.random.chance(0.5)) return this.b.input(name, shape, 'i32');
    return this.b.reshape(this.b.input(name, [elements(shape)], 'i32'), shape);
  }

  private operand(): Node {
    // Later nodes are preferred, so that graphs become deep.
    const from = this.random.chance(0.6) ? this.pool.slice(-4) : this.pool;
    return this.squashed(this.random.pick(from));
  }

  private squashed(x: Node): Node {
    if (this.bound(x) <= LARGE) return x;
    const small = this.b.tanh(x);
    this.bounds.set(small, 1);
    return small;
  }

  private ranked(x: Node): Node {
    return x.shape.length > 0 ? x : this.b.broadcast(x, [this.shapes.extent(3), 3]);
  }

  private leafLike(): Node {
    return this.random.pick(this.leaves);
  }

  private scalar(): Node {
    const name = this.random.pick(['alpha', 'beta']);
    this.bindings.scalar[name] ??= Math.fround(this.random.next() + 0.5);
    return this.b.scalar(name);
  }

  private leaf(kind: 'input' | 'state', name: string, shape: readonly number[]): Node {
    const node = kind === 'input' ? this.b.input(name, shape) : this.b.state(name, shape);
    this.bindings[kind][name] ??= this.random.floats(elements(shape));
    this.bounds.set(node, 2);
    this.pool.push(node);
    this.leaves.push(node);
    return node;
  }

  private name(): string {
    return `leaf${this.leaves.length}`;
  }

  private keep(node: Node, bound: number): void {
    if (elements(node.shape) > this.options.maxElements) return;
    this.bounds.set(node, Math.max(bound, 1e-3));
    this.pool.push(node);
  }

  private bound(node: Node): number {
    return this.bounds.get(node) ?? LARGE;
  }

  /** What no other node reads, and some of the rest. */
  private results(): Node[] {
    const made = this.pool.filter((x) => !this.leaves.includes(x));
    const uses = useCounts({ outputs: made.map((node): Output => ({ kind: 'output', name: 'all', node })) });
    const ends = made.filter((x) => (uses.get(x) ?? 0) <= 1);
    const more = made.filter((x) => !ends.includes(x) && this.random.chance(0.15));
    return [...new Set([...ends, ...more])];
  }

  private outputs(): Output[] {
    const { b } = this;
    const results = this.results();
    const outputs = results.map((node, i): Output => ({ kind: 'output', name: `y${i}`, node }));
    for (const state of this.states().slice(0, 2)) {
      const like = results.find((x) => sameShape(x.shape, state.node.shape)) ?? b.mul(state.node, state.node);
      outputs.push({ kind: 'state', name: state.name, node: b.sub(b.mul(state.node, 0.9), b.mul(this.scalar(), like)) });
    }
    return outputs;
  }

  private trainingOutputs(): Output[] {
    const { b } = this;
    const loss = this.results()
      .map((y) => b.mean(b.mul(y, y)))
      .reduce((sum, x) => b.add(sum, x));
    const states = this.states();
    const slopes = gradients(
      b,
      loss,
      states.map(({ node }) => node),
    );
    const outputs: Output[] = [{ kind: 'output', name: 'loss', node: loss }];
    states.forEach(({ name, node }, i) => {
      const slope = slopes[i];
      if (slope) outputs.push({ kind: 'state', name, node: b.sub(node, b.mul(this.scalar(), slope)) });
    });
    return outputs;
  }

  private states(): { name: string; node: Node }[] {
    return this.leaves.flatMap((node) => (node.op.kind === 'state' ? [{ name: node.op.name, node }] : []));
  }

  private unbindUnused(outputs: readonly Output[]): void {
    const used = new Set(ancestors(outputs.map((output) => output.node)).map(({ op }) => ('name' in op ? `${op.kind} ${op.name}` : '')));
    for (const kind of ['input', 'state', 'scalar'] as const) {
      for (const name of Object.keys(this.bindings[kind])) if (!used.has(`${kind} ${name}`)) delete this.bindings[kind][name];
    }
  }
}
