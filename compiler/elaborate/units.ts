/**
 * Units of numbers. A unit is on a number from its literal to the parameter that takes it; in arithmetic a percentage is a hundredth of what it
 * says wherever it meets plain numbers or tensors, and any other unit says something only beside its own.
 */
import type { Span } from '../../grammar/index.ts';
import { fail } from './fault.ts';
import { describe } from './values.ts';
import type { NumberValue } from './values.ts';

/** The number without its unit: 10% is 0.1. P0302 at `span` for other units. */
export function plainNumber(value: NumberValue, span?: Span): NumberValue {
  const { unit: _, ...plain } = value;
  if (value.unit === undefined) return value;
  if (value.unit !== '%') return fail('P0302', { expected: 'a plain number', found: describe(value) }, span);
  return {
    ...plain,
    value: value.value / 100,
    ...(value.schedule === undefined ? {} : { schedule: ['/', value.schedule, 100] as const }),
    ...(value.uniform === undefined ? {} : { uniform: `(${value.uniform} / 100)` }),
  };
}

/** Both operands of `operator` as they meet, and the unit of the result: equal units add up, one unit survives a plain factor. */
export function meet(
  operator: string,
  a: NumberValue,
  b: NumberValue,
  span: Span,
): { operands: [NumberValue, NumberValue]; unit?: string } {
  const equal = a.unit === b.unit;
  if (equal && (a.unit === undefined || !['*', '/', '^'].includes(operator))) return { operands: [a, b], ...unitOf(a) };
  if (equal && operator === '/') return { operands: [a, b] };
  if (operator === '*' && (a.unit === undefined || b.unit === undefined))
    return { operands: [a, b], ...unitOf(a.unit === undefined ? b : a) };
  if (operator === '/' && b.unit === undefined) return { operands: [a, b], ...unitOf(a) };
  // 0 is the same in every unit.
  if (!['*', '/', '^'].includes(operator) && a.unit === undefined && a.value === 0 && !a.schedule)
    return { operands: [a, b], ...unitOf(b) };
  if (!['*', '/', '^'].includes(operator) && b.unit === undefined && b.value === 0 && !b.schedule)
    return { operands: [a, b], ...unitOf(a) };
  return { operands: [beside(a, b, span), beside(b, a, span)] };
}

function unitOf({ unit }: NumberValue): { unit?: string } {
  return unit === undefined ? {} : { unit };
}

function beside(value: NumberValue, other: NumberValue, span: Span): NumberValue {
  if (value.unit === undefined && other.unit !== undefined && other.unit !== '%')
    return fail('P0302', { expected: `a number in ${other.unit}`, found: describe(value) }, span);
  return plainNumber(value, span);
}
