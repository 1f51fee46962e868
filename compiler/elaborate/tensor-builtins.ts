/** The functions on tensors that a text may call: thin forms of the graph builder's methods, with arguments checked. */
import type { Span } from '../../grammar/index.ts';
import { gradients } from '../gradient/gradient.ts';
import type { Node } from '../graph/graph.ts';
import { named, numberOf } from './builtins.ts';
import type { Given } from './calls.ts';
import type { Context } from './context.ts';
import { fail } from './fault.ts';
import { extent } from './shapes.ts';
import { describe, tensor } from './values.ts';
import type { Value } from './values.ts';

/** A tensor, or a number as a tensor of shape []. */
export function operand(ctx: Context, value: Value | undefined, span: Span): Node {
  if (value?.kind === 'tensor') return value.node;
  if (value?.kind === 'number') return ctx.node(value, span);
  return fail('P0301', { expected: 'a tensor', found: value ? describe(value) : 'nothing' }, span);
}

/** `axis: -1`, `axis: [0, 1]`, or nothing for all. */
function axes(value: Value | undefined, rank: number, span: Span): number[] | undefined {
  if (value === undefined || value.kind === 'none') return undefined;
  const items = value.kind === 'list' ? value.items : [value];
  return items.map((item) => {
    const axis = numberOf(item, 'axis', span).value;
    const normal = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(normal) || normal < 0 || normal >= rank)
      fail('P0309', { message: `there is no axis ${axis} in a tensor of ${rank} axes` }, span);
    return normal;
  });
}

function flag(value: Value | undefined, span: Span): boolean {
  if (value === undefined) return false;
  return value.kind === 'bool' ? value.value : fail('P0301', { expected: 'true or false', found: describe(value) }, span);
}

function reduction(name: string, given: Given[], ctx: Context, span: Span): { x: Node; over?: number[]; keep: boolean } {
  const [x, axis, keep] = named(name, given, ['x', 'axis', 'keep'], span, 1);
  const node = operand(ctx, x, span);
  return {
    x: node.dtype === 'f32' || name === 'largest' ? node : ctx.builder.cast(node, 'f32'),
    over: axes(axis, node.shape.length, span),
    keep: flag(keep, span),
  };
}

type Rule = (ctx: Context, given: Given[], span: Span) => Value;

export const sum: Rule = (ctx, given, span) => {
  const { x, over, keep } = reduction('sum', given, ctx, span);
  return tensor(ctx.builder.sum(x, over, keep));
};

/** Where a batch is taken in parts, a mean over its rows divides by the rows of the whole batch (compiler/rows). */
export const mean: Rule = (ctx, given, span) => {
  const { x, over, keep } = reduction('mean', given, ctx, span);
  return tensor(ctx.builder.mean(x, over, keep));
};

export const largest: Rule = (ctx, given, span) => {
  const { x, over, keep } = reduction('largest', given, ctx, span);
  return tensor(ctx.builder.reduceMax(x, over, keep));
};

/** `..` stands for the axes that the first operand has more than it names. */
export const einsum: Rule = (ctx, given, span) => {
  const [spec, ...operands] = given;
  if (spec?.value.kind !== 'string')
    return fail('P0301', { expected: 'a string such as "n i, i o -> n o"', found: spec ? describe(spec.value) : 'nothing' }, span);
  const nodes = operands.map((g) => operand(ctx, g.value, g.span));
  return tensor(ctx.builder.einsum(spellOut(spec.value.value, nodes, spec.span), ...nodes));
};

function spellOut(spec: string, nodes: Node[], span: Span): string {
  if (!spec.includes('..')) return spec;
  const operands = spec.split('->')[0].split(',');
  const at = operands.findIndex((o) => o.includes('..'));
  const named = (operands[at] ?? '').split(/\s+/).filter((label) => label && label !== '..').length;
  const rank = nodes[at]?.shape.length;
  if (rank === undefined || rank < named) return fail('P0402', { message: `"${spec}" does not fit its operands` }, span);
  return spec.replaceAll('..', Array.from({ length: rank - named }, (_, i) => `_${i}`).join(' '));
}

export const reshape: Rule = (ctx, given, span) => {
  const [x, shape] = named('reshape', given, ['x', 'shape'], span);
  if (shape?.kind !== 'list')
    return fail('P0301', { expected: 'a shape such as [N, T, D]', found: shape ? describe(shape) : 'nothing' }, span);
  return tensor(
    ctx.builder.reshape(
      operand(ctx, x, span),
      shape.items.map((item) => extent(item, span)),
    ),
  );
};

export const transpose: Rule = (ctx, given, span) => {
  const [x, order] = named('transpose', given, ['x', 'order'], span);
  const node = operand(ctx, x, span);
  return tensor(ctx.builder.permute(node, axes(order, node.shape.length, span) ?? []));
};

export const concat: Rule = (ctx, given, span) => {
  const axis = given.find((g) => g.name === 'axis');
  const parts = given.filter((g) => g !== axis).map((g) => operand(ctx, g.value, g.span));
  const [at] = axes(axis?.value, parts[0]?.shape.length ?? 0, span) ?? [];
  if (at === undefined) return fail('P0210', { names: ['axis'], of: 'concat' }, span);
  return tensor(ctx.builder.concat(parts, at));
};

export const gather: Rule = (ctx, given, span) => {
  const [table, ids] = named('gather', given, ['table', 'ids'], span);
  return tensor(ctx.builder.gather(operand(ctx, table, span), operand(ctx, ids, span)));
};

export const iota: Rule = (ctx, given, span) => {
  const [count] = named('iota', given, ['count'], span);
  return tensor(ctx.builder.iota([extent(count ?? { kind: 'none' }, span)], 0));
};

export const where: Rule = (ctx, given, span) => {
  const [condition, then, otherwise] = named('where', given, ['condition', 'then', 'otherwise'], span);
  return tensor(ctx.builder.select(operand(ctx, condition, span), operand(ctx, then, span), operand(ctx, otherwise, span)));
};

export const float: Rule = (ctx, given, span) => {
  const [x] = named('float', given, ['x'], span);
  return tensor(ctx.builder.cast(operand(ctx, x, span), 'f32'));
};

export const stopGradient: Rule = (ctx, given, span) => {
  const [x] = named('stop_gradient', given, ['x'], span);
  return tensor(ctx.builder.detach(operand(ctx, x, span)));
};

export const isFinite: Rule = (ctx, given, span) => {
  const [x] = named('is_finite', given, ['x'], span);
  return tensor(ctx.builder.isFinite(operand(ctx, x, span)));
};

/** Gradient of a value of shape [] with respect to an activation or weight. */
export const grad: Rule = (ctx, given, span) => {
  const [value, x] = named('grad', given, ['value', 'x'], span);
  const scalar = operand(ctx, value, span);
  if (scalar.shape.length > 0)
    return fail(
      'P0401',
      {
        what: 'the first argument of grad',
        expected: '[]',
        found: `[${scalar.shape.join(', ')}]`,
        why: 'a gradient is that of one number',
      },
      span,
    );
  const [result] = gradients(ctx.builder, scalar, [operand(ctx, x, span)]);
  return result ? tensor(result) : fail('P0412', {}, span);
};
