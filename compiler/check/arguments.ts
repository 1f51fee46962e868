/**
 * What can be said of a call without evaluating it, so that bodies that nothing runs are checked too: names of arguments, written-out values against
 * their parameters, and what a declared part still lacks.
 */
import { nearest, report } from '../../grammar/index.ts';
import type { Definition, Diagnostic, Expression } from '../../grammar/index.ts';
import { nameOf, requireComplete } from '../elaborate/arguments.ts';
import { tensorParameters } from '../elaborate/calls.ts';
import { Fault } from '../elaborate/fault.ts';
import { convert } from '../elaborate/parameters.ts';
import { NONE, bool, number, string } from '../elaborate/values.ts';
import type { Value } from '../elaborate/values.ts';
import type { Module } from '../modules/modules.ts';

type Call = Extract<Expression, { kind: 'Call' }>;

/** Faults of the arguments of a call of `definition`. The messages are those of evaluation, so that a fault that both meet is told once. */
export function checkArguments(e: Call, definition: Definition): Diagnostic[] {
  const of = nameOf(definition);
  const names = definition.params.map((p) => p.name.text);
  return e.arguments.flatMap(({ name, value, span }) => {
    if (!name) return [];
    const parameter = definition.params.find((p) => p.name.text === name.text);
    if (!parameter)
      return [report('P0209', { name: name.text, of, nearest: nearest(name.text, names) ?? '', known: names.join(', ') }, name.span)];
    const literal = literalOf(value);
    return literal ? faultsOf(() => void convert(parameter, literal, of, span)) : [];
  });
}

/** What `part up = linear()` lacks. A call that runs the layer at once, or that names nothing, is left to evaluation. */
export function checkPart(value: Expression, definition: Definition, module: Module): Diagnostic[] {
  const given = value.kind === 'Call' ? value.arguments : [];
  if (given.some(({ name }) => !name)) return [];
  const names = new Set(given.flatMap(({ name }) => name?.text ?? []));
  if (tensorParameters(definition).some((p) => names.has(p.name.text))) return [];
  const bound = { kind: 'bound' as const, definition, module, given: new Map([...names].map((name): [string, Value] => [name, NONE])) };
  return faultsOf(() => requireComplete(bound, value.span));
}

function faultsOf(check: () => void): Diagnostic[] {
  try {
    check();
    return [];
  } catch (error) {
    if (error instanceof Fault) return [error.diagnostic];
    throw error;
  }
}

function literalOf(e: Expression): Value | undefined {
  switch (e.kind) {
    case 'NumberLiteral':
      return e.unit ? { kind: 'number', value: e.value, unit: e.unit } : number(e.value);
    case 'StringLiteral':
      return string(e.value);
    case 'BoolLiteral':
      return bool(e.value);
    case 'Unary': {
      const inner = e.operator === '-' ? literalOf(e.operand) : undefined;
      return inner?.kind === 'number' ? { ...inner, value: -inner.value } : undefined;
    }
    default:
      return undefined;
  }
}
