/**
 * Named dimensions. The first use of a name in a signature binds it, every later one must agree; other entries are
 * computed and compared. `..` stands for any number of leading axes.
 */
import type { ShapeEntry, Span, TypeRef } from '../../grammar/index.ts';
import type { Dtype } from '../../plan/dtypes.ts';
import type { Context } from './context.ts';
import { evaluate } from './expressions.ts';
import { fail } from './fault.ts';
import type { Scope } from './scope.ts';
import { describe, number, tensor } from './values.ts';
import type { Value } from './values.ts';

const ELEMENTS: Record<string, Dtype> = { ids: 'i32', bool: 'bool', float: 'f32' };

/** The shape that a type's entries say, all of which must be known: `[In, width]` of a weight. */
export function evaluateShape(ctx: Context, entries: readonly ShapeEntry[], scope: Scope): number[] {
  return entries.flatMap((entry) => {
    if (entry.kind !== 'Rest') return [extent(evaluate(ctx, entry, scope), entry.span)];
    const rest = scope.lookup('..');
    return rest?.kind === 'list'
      ? rest.items.map((item) => extent(item, entry.span))
      : fail('P0201', { name: '..', nearest: '' }, entry.span);
  });
}

export function extent(value: Value, span: Span | undefined): number {
  if (value.kind !== 'number' || value.schedule !== undefined)
    return fail('P0301', { expected: 'a whole number', found: describe(value) }, span);
  if (!Number.isInteger(value.value) || value.value < 0) return fail('P0303', { found: String(value.value), what: 'an extent' }, span);
  return value.value;
}

/**
 * Checks a tensor against a type and binds the names that are new in `scope`. `what` says whose it is (`x of linear`).
 * Whole tensors are f32 unless the type names an element type (`ids`, `bool`).
 */
export function matchShape(ctx: Context, type: TypeRef, value: Value, scope: Scope, what: string, span?: Span): Value {
  if (value.kind === 'none' && type.optional) return value;
  const node =
    value.kind === 'number' && type.shape?.length === 0 ? ctx.node(value, span) : value.kind === 'tensor' ? value.node : undefined;
  if (!node) return fail('P0301', { expected: `a tensor (${what})`, found: describe(value) }, span);
  const wanted = type.name && Object.hasOwn(ELEMENTS, type.name.text) ? ELEMENTS[type.name.text] : 'f32';
  if (node.dtype !== wanted) fail('P0301', { expected: `${what} of ${wanted}`, found: describe(tensor(node)) }, span);
  const entries = type.shape ?? [];
  const rest = entries.findIndex((e) => e.kind === 'Rest');
  const fixed = rest < 0 ? entries.length : entries.length - 1;
  if (rest < 0 ? node.shape.length !== fixed : node.shape.length < fixed) {
    fail(
      'P0401',
      { what, expected: formatEntries(entries), found: `[${node.shape.join(', ')}]`, why: `it has ${node.shape.length} axes` },
      span,
    );
  }
  entries.forEach((entry, i) => {
    if (entry.kind === 'Rest') {
      const known = scope.lookup('..');
      const items = node.shape.slice(0, node.shape.length - fixed).map((d) => number(d));
      if (!known) scope.define('..', { kind: 'list', items });
      return;
    }
    const axis = rest >= 0 && i > rest ? node.shape.length - entries.length + i : i;
    const found = node.shape[axis];
    if (entry.kind === 'Identifier') {
      const bound = scope.lookup(entry.name);
      if (!bound) {
        scope.define(entry.name, number(found));
        return;
      }
    }
    const expected = extent(evaluate(ctx, entry, scope), entry.span);
    if (expected !== found) {
      const why = `${entry.kind === 'Identifier' ? entry.name : `axis ${axis}`} is ${expected} here and ${found} there`;
      fail('P0401', { what, expected: formatEntries(entries), found: `[${node.shape.join(', ')}]`, why }, span);
    }
  });
  return tensor(node);
}

export function formatEntries(entries: readonly ShapeEntry[]): string {
  return `[${entries.map(formatEntry).join(', ')}]`;
}

function formatEntry(entry: ShapeEntry): string {
  switch (entry.kind) {
    case 'Rest':
      return '..';
    case 'Identifier':
      return entry.name;
    case 'NumberLiteral':
      return entry.text;
    case 'Member':
      return `${formatEntry(entry.object)}.${entry.name.text}`;
    case 'Binary':
      return `${formatEntry(entry.left)} ${entry.operator} ${formatEntry(entry.right)}`;
    default:
      return '...';
  }
}
