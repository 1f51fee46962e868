/**
 * Whether what a graph computes for all rows of a batch can be had from parts of it, and how.
 *
 * In come a text's graph built for all rows and built for one part; out come the part's roots such that their values, added up over the parts, are
 * those of the whole, or the reason why there are none. That is no guess: each pair of nodes gets a fact (facts.ts) by the rule of its operation
 * (rules.ts), and a loss is taken in parts only if its fact says so. Three things are changed in the part's graph on the way:
 *
 * - Numbers that were computed from the number of rows are those of the whole: `sum(x) / N` divides by all rows.
 * - What depends on no row and is added to a sum over rows is taken by each part in proportion to its rows.
 * - A sum over rows that is used as a number (a divisor, an argument of `max`) is replaced by its total over all rows: a state that another program,
 *   run over all parts beforehand, has filled. This needs that no gradient flows through it.
 */
import type { GraphBuilder } from '../graph/builder.ts';
import { DETACH } from '../graph/builder.ts';
import type { Graph, Node, OpKind } from '../graph/graph.ts';
import { sameShape } from '../graph/shape.ts';
import { pairings } from './align.ts';
import type { Pairing } from './align.ts';
import { NONE, SUM, fits, mixed, rowAxis } from './facts.ts';
import type { KnownFact, RowFact, Rows } from './facts.ts';
import { RULES } from './rules.ts';
import type { Site } from './rules.ts';

/** Of which sums over rows a total may be taken beforehand: of none, of those that no gradient flows through, of any. */
export type TotalsOf = 'none' | 'still' | 'any';

export interface SplitOptions {
  rows: Rows;
  /** Inputs that number entries of the batch (`index` in facts.ts): how many entries a row has. */
  index: ReadonlyMap<string, number>;
  totals: TotalsOf;
  /** Names of totals begin so. */
  prefix: string;
  /** Values of scalars in both graphs; undefined for those that the runtime sets to the same value everywhere. */
  scalar: { whole(name: string): number | undefined; part(name: string): number | undefined };
}

/** A node of the part, and what is known of it. */
export interface Found {
  fact: RowFact;
  /** The node that computes it, with what has to be changed. */
  node: Node;
  /** Whether no gradient flows through it, to a weight or at all. */
  still: boolean;
  /** Whether it needs a total. */
  total: boolean;
  /** Where rows are mixed: the node that does it, and those that use it, in order. */
  origin: Node[];
  /** The two graphs differ here. */
  apart?: boolean;
}

interface Frame {
  whole: Node;
  part: Node;
  still: boolean;
  ways: Pairing[];
  at: number;
}

/** Nodes that lead from what mixes rows towards the root, as far as one may have to look for a place in the text. */
const LONGEST_ORIGIN = 30;

export class Split {
  /** Sums over the rows of the part that the totals are made of, by the name of the state that holds each. */
  readonly totals: { name: string; node: Node }[] = [];
  private readonly byNode = new Map<Node, Node>();
  private readonly known: [Map<Node, Map<Node, Found>>, Map<Node, Map<Node, Found>>] = [new Map(), new Map()];
  private readonly whole: GraphBuilder;
  private readonly part: GraphBuilder;
  private readonly options: SplitOptions;
  /** In the body of a composite: the facts of its arguments. Nothing may be changed there. */
  private readonly args: readonly KnownFact[] | undefined;

  constructor(whole: GraphBuilder, part: GraphBuilder, options: SplitOptions, args?: readonly KnownFact[]) {
    this.whole = whole;
    this.part = part;
    this.options = options;
    this.args = args;
  }

  /** The node of the part whose values add up to that of the whole over all parts; mixed if there is none. */
  sum(whole: Node, part: Node): Found {
    const found = this.find(whole, part);
    return found.fact.kind === 'none' ? this.shared(found) : found;
  }

  /** What is known of a node of the part. */
  find(whole: Node, part: Node, still = false): Found {
    const stack = [this.frame(whole, part, still)];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (this.get(top.whole, top.part, top.still)) {
        stack.pop();
        continue;
      }
      const below = top.still || isDetach(top.part);
      const way = top.ways[top.at] as Pairing | undefined;
      const missing = way?.operands.filter(([x, y]) => !this.get(x, y, below)) ?? [];
      if (missing.length > 0) {
        for (const [x, y] of missing) stack.push(this.frame(x, y, below));
        continue;
      }
      const operands = way?.operands.map(([x, y]) => this.get(x, y, below) as Found) ?? [];
      const last = top.at + 1 >= top.ways.length;
      if (way && operands.some((x) => x.apart) && !last) {
        top.at++;
        continue;
      }
      this.set(top, way ? this.compute(top, way, operands) : this.apart(top.part));
      stack.pop();
    }
    return this.get(whole, part, still) as Found;
  }

  private frame(whole: Node, part: Node, still: boolean): Frame {
    return { whole, part, still, ways: pairings(whole, part), at: 0 };
  }

  private get(whole: Node, part: Node, still: boolean): Found | undefined {
    return this.known[still ? 1 : 0].get(whole)?.get(part);
  }

  private set({ whole, part, still }: Frame, found: Found): void {
    const table = this.known[still ? 1 : 0];
    table.set(whole, (table.get(whole) ?? new Map<Node, Found>()).set(part, found));
  }

  private compute(frame: Frame, way: Pairing, operands: Found[]): Found {
    const { whole, part } = frame;
    const bad = operands.find((x) => x.fact.kind === 'mixed');
    if (bad) {
      const origin = bad.origin.length < LONGEST_ORIGIN ? [...bad.origin, part] : bad.origin;
      return { ...bad, origin, apart: bad.apart };
    }
    const found = way.same ? this.operation(frame, way, operands) : (this.leaf(frame) ?? this.operation(frame, way, operands));
    return fits(found.fact, { whole: whole.shape, part: part.shape }, this.options.rows)
      ? found
      : this.fault(part, 'its extents follow from the number of rows in a way that parts do not have');
  }

  /** Constants, and what the program is given. */
  private leaf(frame: Frame): Found | undefined {
    const { whole, part } = frame;
    const { rows, index, scalar } = this.options;
    const [x, y] = [whole.op, part.op];
    const still = (fact: RowFact, node = part): Found => ({ fact, node, still: true, total: false, origin: [] });
    const valueOfWhole = (value: number): Found =>
      this.args ? this.fault(part, 'a number is computed from the number of rows') : still(NONE, this.part.constant(value, part.dtype));
    if (x.kind === 'constant' && y.kind === 'constant') return Object.is(x.value, y.value) ? still(NONE) : valueOfWhole(x.value);
    if (x.kind === 'scalar' && y.kind === 'scalar') {
      const values = [scalar.whole(x.name), scalar.part(y.name)];
      if (values[0] === values[1] && (values[0] !== undefined || x.name === y.name)) return still(NONE);
      return values[0] === undefined ? this.fault(part, 'a schedule is computed from the number of rows') : valueOfWhole(values[0]);
    }
    // Its values come of the task, whatever part is at hand. (pairings() compares names.)
    if (x.kind === 'state')
      return { ...still(sameShape(whole.shape, part.shape) ? NONE : mixed('a weight has an extent for each row')), still: frame.still };
    if (x.kind === 'input') {
      if (this.args) return still(this.args[Number(x.name.slice('arg'.length))]);
      const axis = rowAxis({ whole: whole.shape, part: part.shape }, rows);
      if (axis === undefined || axis === 'none' || axis.axis !== 0) return this.fault(part, `the input ${x.name} has no axis of rows`);
      const each = index.get(x.name);
      return still(each === undefined ? { kind: 'rows', ...axis, loose: false } : { kind: 'index', axis: 0, each });
    }
    return undefined;
  }

  private operation(frame: Frame, way: Pairing, operands: Found[]): Found {
    const { whole, part } = frame;
    const [x, y] = [whole.op, part.op];
    if (x.kind === 'composite' && y.kind === 'composite' && !way.same) return this.composite(frame, x.body, y.body, operands);
    const site: Site = {
      whole: x,
      part: way.same ? 'same' : y,
      inputs: way.operands.map(([a, b]) => ({ whole: a.shape, part: b.shape })),
      out: { whole: whole.shape, part: part.shape },
      facts: [],
      rows: this.options.rows,
      nodes: way.operands.map(([, b]) => b),
    };
    const rule = RULES[x.kind] as (site: Site<OpKind>) => RowFact;
    const factOf = (of: readonly { fact: RowFact }[]): RowFact => rule({ ...site, facts: of.map((o) => o.fact as KnownFact) });
    let fact = factOf(operands);
    let from = operands;
    if (fact.kind === 'mixed' && !this.args) {
      for (const change of this.changes(x.kind, operands)) {
        const wanted = factOf(operands.map((o, i) => ({ fact: change[i] === undefined ? o.fact : change[i] === 'total' ? NONE : SUM })));
        if (wanted.kind === 'mixed') continue;
        from = operands.map((o, i) => (change[i] === undefined ? o : change[i] === 'total' ? this.total(o) : this.shared(o)));
        fact = wanted;
        break;
      }
    }
    const node = way.same ? from[0].node : this.rebuilt(part, from);
    return {
      fact,
      node,
      still: frame.still || from.every((o) => o.still),
      total: from.some((o) => o.total),
      origin: fact.kind === 'mixed' ? [part] : [],
    };
  }

  private rebuilt(part: Node, operands: readonly Found[]): Node {
    if (this.args || operands.every((o, i) => o.node === part.inputs[i])) return part;
    return this.part.withLabel(part.label, () =>
      this.part.node(
        part.op,
        operands.map((o) => o.node),
        part,
      ),
    );
  }

  /** By its definition. Where something would have to be changed within it, the definition stands in its place. */
  private composite(frame: Frame, whole: Graph, part: Graph, operands: Found[]): Found {
    const facts = operands.map((o) => o.fact as KnownFact);
    const total = operands.some((o) => o.total);
    const still = frame.still || isDetach(frame.part) || operands.every((o) => o.still);
    if (isDetach(frame.part)) return { fact: facts[0], node: this.rebuilt(frame.part, operands), still, total, origin: [] };
    const inner = new Split(this.whole, this.part, this.options, facts).find(whole.outputs[0].node, part.outputs[0].node);
    if (inner.fact.kind !== 'mixed') return { fact: inner.fact, node: this.rebuilt(frame.part, operands), still, total, origin: [] };
    if (this.args) return this.fault(frame.part, inner.fact.why);
    const found = this.find(this.whole.inline(whole, frame.whole.inputs), this.part.inline(part, frame.part.inputs), frame.still);
    return found.fact.kind === 'mixed' ? { ...found, origin: [...found.origin, frame.part] } : found;
  }

  /** What may be done to operands so that a rule has an answer, the cheapest first: `share` for what no row decides, `total` for a sum over rows. */
  private *changes(kind: OpKind, operands: readonly Found[]): Generator<('share' | 'total' | undefined)[]> {
    const sums = operands.flatMap(({ fact }, i) => (fact.kind === 'sum' ? [i] : []));
    if (sums.length === 0) return;
    if (['binary', 'select', 'concat'].includes(kind))
      yield operands.map(({ fact, node }, i) =>
        fact.kind === 'none' && node.dtype === 'f32' && !(kind === 'select' && i === 0) ? 'share' : undefined,
      );
    const allowed = sums.filter((i) => this.mayTotal(operands[i]));
    for (const one of [...allowed].reverse()) yield operands.map((_, i) => (i === one ? 'total' : undefined));
    if (allowed.length > 1) yield operands.map((_, i) => (allowed.includes(i) ? 'total' : undefined));
  }

  private mayTotal({ still, total, node }: Found): boolean {
    const { totals } = this.options;
    // A total of what needs a total would need a third pass over the rows.
    return (totals === 'any' || (totals === 'still' && still)) && !total && node.dtype === 'f32';
  }

  /** What no row decides, in proportion to the rows of the part. */
  private shared(found: Found): Found {
    const { rows } = this.options;
    return { ...found, fact: SUM, node: this.part.mul(found.node, rows.part / rows.whole) };
  }

  private total(found: Found): Found {
    return { ...found, fact: NONE, node: this.totalOf(found.node), still: true, total: true };
  }

  /** The state that holds a sum over all rows, broadcast as the sum was. */
  private totalOf(node: Node): Node {
    const before = this.byNode.get(node);
    if (before) return before;
    const { op, inputs } = node;
    const result =
      op.kind === 'expand' || op.kind === 'reshape' ? this.part.node(op, [this.totalOf(inputs[0])], node) : this.newTotal(node);
    this.byNode.set(node, result);
    return result;
  }

  private newTotal(node: Node): Node {
    const name = `${this.options.prefix}${this.totals.length}`;
    this.totals.push({ name, node });
    return this.part.state(name, node.shape);
  }

  private apart(part: Node): Found {
    const { whole, part: rows } = this.options.rows;
    return { ...this.fault(part, `something else is computed for ${whole} rows than for ${rows}`), apart: true };
  }

  private fault(part: Node, why: string): Found {
    return { fact: mixed(why), node: part, still: false, total: false, origin: [part] };
  }
}

function isDetach({ op }: Node): boolean {
  return op.kind === 'composite' && op.name === DETACH;
}
