/**
 * What one graph's elaboration gathers on its way: the weights that the layers asked for, the activations they exposed,
 * and the numbers that became scalars of the program.
 *
 * `prefix` stands before every weight's path while a second copy of a model is evaluated (a live reference), so that one
 * graph may hold two sets of weights of the same parts.
 */
import { LIMITS } from '../../grammar/index.ts';
import type { Span } from '../../grammar/index.ts';
import type { Init } from '../../plan/plan.ts';
import { firstNotFinite, valueAt } from '../../plan/schedule.ts';
import type { Schedule } from '../../plan/schedule.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Node } from '../graph/graph.ts';
import { fail } from './fault.ts';
import type { Cache } from './remember.ts';
import type { StoredTensor } from './stored.ts';
import { plainNumber } from './units.ts';
import type { NumberValue, Value } from './values.ts';

export interface WeightInfo {
  path: string;
  shape: number[];
  init: Init;
  /** Whether weight decay may act on it. */
  decay: boolean;
  node: Node;
  span: Span;
  /** A factor of a low-rank change of the weight `of`, trained where an adapter is. */
  adapter?: { of: string; side: 'down' | 'up'; rank: number; scale: number };
  /** The tensor of a checkpoint that it begins as, and the 16-bit floats that it lies there as, if any. */
  stored?: StoredTensor & { rows?: [number, number] };
}

export class Context {
  readonly builder: GraphBuilder;
  readonly weights = new Map<string, WeightInfo>();
  readonly exposed = new Map<string, Value>();
  /** The innermost expression that made each node, for messages. */
  readonly places = new WeakMap<Node, Span>();
  /** What each part gave when it last ran, by its path (`eyes.blocks.2`). */
  readonly returned = new Map<string, Value>();
  readonly scalars = new Map<string, number>();
  readonly schedules = new Map<string, Schedule>();
  /** While a schedule runs: the comparisons that the step decided, in order. */
  compared?: { condition: Schedule; holds: boolean }[];
  /** Scalars by how they were computed, so that equal ones are one. */
  private readonly scalarNames = new Map<string, { name: string; value: NumberValue }[]>();
  /** Steps of the stage that is built, over which its schedules hold. */
  steps = 1;
  prefix = '';
  /** Rows of one batch of this program; undefined where there is none. */
  batch?: number;
  /** What `remember` keeps; undefined where a whole sequence is run and nothing need be kept. */
  cache?: Cache;
  /** Whether this is the body of a composite, which has neither weights nor states. */
  inComposite = false;
  /** Depth of layer calls, against endless recursion. */
  depth = 0;

  constructor(builder = new GraphBuilder(LIMITS.nodes.most)) {
    this.builder = builder;
  }

  /**
   * The node of a number: a constant, or a scalar of the program where the number must stay out of it. P0322 at `span` where such a scalar is
   * not finite, which neither a plan nor an update can hold.
   */
  node(given: NumberValue, span?: Span): Node {
    const value = plainNumber(given, span);
    if (value.uniform === undefined) return this.builder.constant(value.value);
    const known = this.scalarNames.get(value.uniform) ?? [];
    let entry = known.find((k) => sameNumber(k.value, value));
    if (!entry) {
      const step = firstNotFinite(value.schedule ?? value.value, this.steps);
      if (step !== undefined) {
        const found = String(value.schedule === undefined ? value.value : valueAt(value.schedule, step));
        fail('P0322', { how: value.uniform, found, ...(value.schedule === undefined ? {} : { step }) }, span);
      }
      entry = { name: `s${this.scalars.size + this.schedules.size}`, value };
      this.scalarNames.set(value.uniform, [...known, entry]);
      if (value.schedule !== undefined) this.schedules.set(entry.name, value.schedule);
      else this.scalars.set(entry.name, value.value);
    }
    return this.builder.scalar(entry.name);
  }

  /** Runs `fn` with another set of weights, whose names begin with `prefix`. */
  withPrefix<T>(prefix: string, fn: () => T): T {
    const before = this.prefix;
    this.prefix = prefix;
    try {
      return fn();
    } finally {
      this.prefix = before;
    }
  }
}

function sameNumber(a: NumberValue, b: NumberValue): boolean {
  if (a === b) return true;
  if (a.schedule === undefined || b.schedule === undefined) return a.schedule === b.schedule && a.value === b.value;
  return a.schedule === b.schedule || JSON.stringify(a.schedule) === JSON.stringify(b.schedule);
}
