/**
 * `remember(x)`: x of all places so far, [N, places, ..]. Where a whole sequence is run at once (training, scoring) that is x
 * itself. In a program that decodes, x is kept in a state of the program, the cache, so that a layer is written once:
 *
 * `prefill` runs the first places together: x itself is the result, and the cache becomes x with `fill` in the places that are
 * still to come. `decode` runs one place: the cache takes it in at the place that the scalar `slot` names, and all of it is the
 * result. Whoever remembers must see to it that places still to come are not used: segments are remembered with a fill that no
 * query has (`std.language.decoder`).
 *
 * A state is named by the path of the layer and a number (`cache:head.blocks.0.attention.0`), so both programs must call
 * `remember` in the same order; `decodeGraphs` holds them to it.
 */
import type { Span } from '../../grammar/index.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Node } from '../graph/graph.ts';
import { named, numberOf } from './builtins.ts';
import type { Given } from './calls.ts';
import type { Context } from './context.ts';
import { fail } from './fault.ts';
import { operand } from './tensor-builtins.ts';
import { describe, tensor } from './values.ts';
import type { Value } from './values.ts';

/** Name of the scalar that says where the cache takes a place in: the number of places before it. */
export const SLOT = 'slot';

/** What the two kinds of decoding programs do with what is remembered. */
export class Cache {
  readonly mode: 'prefill' | 'decode';
  /** Places that there will ever be. */
  readonly capacity: number;
  /** States by name, with their new values. */
  readonly states = new Map<string, Node>();
  private readonly prefix: string;
  private readonly counts = new Map<string, number>();

  constructor(mode: 'prefill' | 'decode', capacity: number, prefix: string) {
    this.mode = mode;
    this.capacity = capacity;
    this.prefix = prefix;
  }

  /** Keeps x [N, T, ..] of the layer at `place` (f32 or a whole type) and gives what is known of all places so far. */
  keep(b: GraphBuilder, x: Node, fill: number, place: string): Node {
    const count = this.counts.get(place) ?? 0;
    this.counts.set(place, count + 1);
    const name = `${this.prefix}:${place}.${count}`;
    const [rows, places, ...rest] = x.shape;
    const shape = [rows, this.capacity, ...rest];
    if (this.mode === 'prefill') {
      const later = this.capacity - places;
      this.states.set(name, later === 0 ? x : b.concat([x, b.full([rows, later, ...rest], fill, x.dtype)], 1));
      return x;
    }
    const here = b.equal(b.cast(b.iota([this.capacity], 0), 'f32'), b.scalar(SLOT));
    const after = b.select(b.reshape(here, [1, this.capacity, ...rest.map(() => 1)]), x, b.state(name, shape, x.dtype));
    this.states.set(name, after);
    return after;
  }
}

export function remember(ctx: Context, given: Given[], span: Span): Value {
  const [value, fill] = named('remember', given, ['x', 'fill'], span, 1);
  if (ctx.inComposite) fail('P0509', { name: 'remember', place: 'a layer that is no composite' }, span);
  const x = operand(ctx, value, span);
  const filled = fill === undefined ? 0 : numberOf(fill, 'fill', span).value;
  const wrong = (expected: string, why: string): never =>
    fail('P0401', { what: 'what is remembered', expected, found: `[${x.shape.join(', ')}]`, why }, span);
  if (x.dtype === 'bool') fail('P0301', { expected: 'numbers to remember', found: describe(tensor(x)) }, span);
  if (x.dtype !== 'f32' && !Number.isInteger(filled)) fail('P0303', { found: String(filled), what: 'fill' }, span);
  if (x.shape.length < 2) wrong('[N, T, ..]', 'its second axis counts places');
  const { cache } = ctx;
  if (!cache) return tensor(x);
  if (cache.mode === 'decode' && x.shape[1] !== 1) wrong('[N, 1, ..]', 'one place is decoded at a time');
  if (x.shape[1] > cache.capacity) wrong(`[N, ${cache.capacity}, ..] at most`, 'there are no more places in the sequence');
  return tensor(cache.keep(ctx.builder, x, filled, ctx.builder.place ?? ''));
}
