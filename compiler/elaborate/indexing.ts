/** `x[a, b:c, :]`: whole numbers drop an axis of a tensor, slices keep it, `..` skips axes; lists take a whole number. */
import type { Expression } from '../../grammar/index.ts';
import type { Node } from '../graph/graph.ts';
import type { Context } from './context.ts';
import { evaluate, whole } from './expressions.ts';
import { fail } from './fault.ts';
import type { Scope } from './scope.ts';
import { describe, tensor } from './values.ts';
import type { Value } from './values.ts';

type IndexExpression = Extract<Expression, { kind: 'Index' }>;

export function index(ctx: Context, object: Value, e: IndexExpression, scope: Scope): Value {
  if (object.kind === 'subject') return seedOf(ctx, object, e, scope);
  if (object.kind === 'list') {
    const [entry] = e.entries;
    if (e.entries.length !== 1 || entry.kind !== 'IndexAt') return fail('P0309', { message: 'a list takes one whole number' }, e.span);
    const at = whole(evaluate(ctx, entry.value, scope), entry.value.span);
    const item = object.items[at < 0 ? at + object.items.length : at];
    return item ?? fail('P0309', { message: `the list has ${object.items.length} items, there is no item ${at}` }, e.span);
  }
  if (object.kind !== 'tensor') return fail('P0309', { message: `${describe(object)} cannot be indexed` }, e.span);
  return slice(ctx, object.node, e, scope);
}

function slice(ctx: Context, node: Node, e: IndexExpression, scope: Scope): Value {
  const given = e.entries.filter((x) => x.kind !== 'Rest').length;
  if (given > node.shape.length) fail('P0309', { message: `the tensor has ${node.shape.length} axes, ${given} are indexed` }, e.span);
  const start: number[] = [];
  const size: number[] = [];
  const dropped: number[] = [];
  for (const entry of e.entries) {
    const axis = start.length;
    const extent = node.shape[axis];
    const bound = (x: Expression | undefined, otherwise: number): number => {
      if (!x) return otherwise;
      const at = whole(evaluate(ctx, x, scope), x.span);
      const from = at < 0 ? at + extent : at;
      if (from < 0 || from > extent) fail('P0309', { message: `${at} lies outside of axis ${axis}, which has ${extent} entries` }, x.span);
      return from;
    };
    switch (entry.kind) {
      case 'Rest':
        for (let skip = node.shape.length - given; skip > 0; skip--) {
          size.push(node.shape[start.length]);
          start.push(0);
        }
        break;
      case 'Slice': {
        const from = bound(entry.from, 0);
        const to = bound(entry.to, extent);
        if (to < from) fail('P0309', { message: `the slice ends (${to}) before it begins (${from})` }, e.span);
        start.push(from);
        size.push(to - from);
        break;
      }
      case 'IndexAt': {
        const at = bound(entry.value, 0);
        if (at >= extent) fail('P0309', { message: `${at} lies outside of axis ${axis}, which has ${extent} entries` }, e.span);
        dropped.push(axis);
        start.push(at);
        size.push(1);
        break;
      }
      case 'IndexNamed':
        fail('P0309', { message: 'a tensor has no named index' }, e.span);
    }
  }
  for (let axis = start.length; axis < node.shape.length; axis++) {
    start.push(0);
    size.push(node.shape[axis]);
  }
  const cut = ctx.builder.slice(node, start, size);
  return tensor(
    dropped.length > 0
      ? ctx.builder.reshape(
          cut,
          size.filter((_, axis) => !dropped.includes(axis)),
        )
      : cut,
  );
}

/** `post.dpo[seed: 0]` */
function seedOf(ctx: Context, object: Extract<Value, { kind: 'subject' }>, e: IndexExpression, scope: Scope): Value {
  const [entry] = e.entries;
  if (e.entries.length !== 1 || entry.kind !== 'IndexNamed' || entry.name.text !== 'seed')
    return fail('P0309', { message: 'a stage is indexed by its seed: [seed: 0]' }, e.span);
  return { ...object, seed: whole(evaluate(ctx, entry.value, scope), entry.value.span) };
}
