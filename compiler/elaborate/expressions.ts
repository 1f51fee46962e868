/** Evaluates expressions: known values are computed, tensors become nodes of the graph being built. */
import { nearest } from '../../grammar/index.ts';
import type { Expression, Span } from '../../grammar/index.ts';
import { ShapeError, SizeError } from '../graph/errors.ts';
import { call } from './calls.ts';
import type { Context } from './context.ts';
import { Fault, Silent, fail } from './fault.ts';
import { index } from './indexing.ts';
import { member } from './members.ts';
import { binary, logical, unary } from './operators.ts';
import type { Scope } from './scope.ts';
import { NONE, bool, describe, number, string } from './values.ts';
import type { Value } from './values.ts';
import { counted } from './work.ts';

export function evaluate(ctx: Context, expression: Expression, scope: Scope): Value {
  try {
    const value = counted(expression.span, () => evaluateInner(ctx, expression, scope));
    if (value.kind === 'tensor' && !ctx.places.has(value.node)) ctx.places.set(value.node, expression.span);
    return value;
  } catch (error) {
    // The graph knows shapes, not texts: its errors get the place of the innermost expression here.
    if (error instanceof SizeError) tooLarge(expression.span);
    if (error instanceof ShapeError && !(error instanceof Fault)) fail('P0402', { message: error.message }, expression.span);
    throw error;
  }
}

/** @throws P0701: a program has too many operations. */
export function tooLarge(span: Span): never {
  return fail('P0701', { limit: 'nodes', where: 'this program is too large' }, span);
}

function evaluateInner(ctx: Context, e: Expression, scope: Scope): Value {
  switch (e.kind) {
    case 'NumberLiteral':
      return e.unit ? { kind: 'number', value: e.value, unit: e.unit } : number(e.value);
    case 'StringLiteral':
      return string(e.value);
    case 'BoolLiteral':
      return bool(e.value);
    case 'NoneLiteral':
      return NONE;
    case 'ListLiteral':
      return { kind: 'list', items: e.items.map((item) => evaluate(ctx, item, scope)) };
    case 'Identifier':
      return scope.lookup(e.name) ?? unknownName(e.name, scope, e.span);
    case 'Member':
      return member(ctx, evaluate(ctx, e.object, scope), e.name.text, e.name.span);
    case 'Call':
      return call(ctx, e, scope);
    case 'Index':
      return index(ctx, evaluate(ctx, e.object, scope), e, scope);
    case 'Unary':
      return unary(ctx, e.operator, evaluate(ctx, e.operand, scope), e.span);
    case 'Binary': {
      const left = evaluate(ctx, e.left, scope);
      if (e.operator === 'and' || e.operator === 'or') {
        if (left.kind === 'bool' && left.value === (e.operator === 'or')) return left;
        return logical(ctx, e.operator, left, evaluate(ctx, e.right, scope), e.span);
      }
      const right = evaluate(ctx, e.right, scope);
      if (e.operator === 'in') return contains(left, right, e.span);
      return binary(ctx, e.operator, left, right, e.span);
    }
    case 'Range':
      return { kind: 'range', from: whole(evaluate(ctx, e.from, scope), e.from.span), to: whole(evaluate(ctx, e.to, scope), e.to.span) };
    case 'Conditional':
      return evaluate(ctx, condition(ctx, e.condition, scope) ? e.then : e.otherwise, scope);
    case 'Arrow':
      return fail('P0301', { expected: 'a value', found: 'an arrow, which makes a model' }, e.span);
    // A syntax error was reported there; this stops the declaration without a second message.
    case 'Missing':
      throw new Silent();
  }
}

/** A condition that decides what is built; it must be known when compiling. */
export function condition(ctx: Context, e: Expression, scope: Scope): boolean {
  const value = evaluate(ctx, e, scope);
  if (value.kind === 'bool') return value.value;
  return fail('P0306', { found: describe(value) }, e.span);
}

/** A whole number that is known. */
export function whole(value: Value, span?: Span): number {
  if (value.kind !== 'number' || value.schedule !== undefined)
    return fail('P0301', { expected: 'a whole number', found: describe(value) }, span);
  if (!Number.isInteger(value.value)) return fail('P0303', { found: String(value.value), what: 'this' }, span);
  return value.value;
}

function contains(item: Value, list: Value, span: Span): Value {
  if (list.kind !== 'list') return fail('P0305', { operator: 'in', left: describe(item), right: describe(list) }, span);
  const changing = [item, ...list.items].find((one) => one.kind === 'number' && one.schedule !== undefined);
  if (changing) return fail('P0306', { found: describe(changing) }, span);
  return bool(
    list.items.some(
      (x) =>
        (x.kind === 'number' && item.kind === 'number' && x.value === item.value && x.unit === item.unit) ||
        (x.kind === 'string' && item.kind === 'string' && x.value === item.value),
    ),
  );
}

export function unknownName(name: string, scope: Scope, span: Span): never {
  return fail('P0201', { name, nearest: nearest(name, scope.all()) ?? '' }, span);
}
