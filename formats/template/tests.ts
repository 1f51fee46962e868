/** Jinja's tests: `x is string`, `x is divisibleby 3`. */
import { bind } from './arguments.ts';
import { TemplateError, unsupported } from './errors.ts';
import { arithmetic, compare } from './operators.ts';
import { print } from './print.ts';
import { isLower, isUpper } from './text.ts';
import { Callable, Dict, fail, Float, Lazy, List, numberOf, Safe, typeName, Undefined, View } from './values.ts';
import type { Given, Value } from './values.ts';

type Test = (value: Value, given: Given) => boolean;

const alone =
  (name: string, test: (value: Value) => boolean): Test =>
  (value, given) => {
    bind(name, given, []);
    return test(value);
  };

const against =
  (name: string, operator: string): Test =>
  (value, given) =>
    compare(operator, value, bind(name, given, ['other'], 1)[0] as Value);

function remainder(value: Value, by: Value): number {
  const rest = arithmetic('%', value, by);
  return numberOf(rest) ?? NaN;
}

function isIterable(value: Value): boolean {
  return typeof value === 'string' || value instanceof Safe || value instanceof Undefined || value instanceof List || value instanceof Dict || value instanceof View || value instanceof Lazy; // prettier-ignore
}

function isSequence(value: Value): boolean {
  if (value instanceof View) return value.kind === 'range';
  return isIterable(value) && !(value instanceof Lazy);
}

const isText = (value: Value): boolean => typeof value === 'string' || value instanceof Safe;

function caseOf(value: Value, test: (text: string) => boolean): boolean {
  if (value instanceof Callable) throw unsupported(`the text of a ${typeName(value)}`);
  return test(print(value));
}

const EQUAL = against('eq', '==');
const TABLE: Readonly<Record<string, Test>> = {
  boolean: alone('boolean', (value) => typeof value === 'boolean'),
  callable: alone('callable', (value) => value instanceof Callable || value instanceof Undefined),
  defined: alone('defined', (value) => !(value instanceof Undefined)),
  undefined: alone('undefined', (value) => value instanceof Undefined),
  divisibleby: (value, given) => remainder(value, bind('divisibleby', given, ['num'], 1)[0] as Value) === 0,
  eq: EQUAL,
  equalto: EQUAL,
  ne: against('ne', '!='),
  lt: against('lt', '<'),
  lessthan: against('lessthan', '<'),
  le: against('le', '<='),
  gt: against('gt', '>'),
  greaterthan: against('greaterthan', '>'),
  ge: against('ge', '>='),
  in: against('in', 'in'),
  even: alone('even', (value) => remainder(value, 2) === 0),
  odd: alone('odd', (value) => remainder(value, 2) === 1),
  false: alone('false', (value) => value === false),
  true: alone('true', (value) => value === true),
  none: alone('none', (value) => value === null),
  float: alone('float', (value) => value instanceof Float),
  integer: alone('integer', (value) => typeof value === 'number'),
  number: alone('number', (value) => numberOf(value) !== undefined),
  string: alone('string', isText),
  mapping: alone('mapping', (value) => value instanceof Dict),
  iterable: alone('iterable', isIterable),
  sequence: alone('sequence', isSequence),
  lower: alone('lower', (value) => caseOf(value, isLower)),
  upper: alone('upper', (value) => caseOf(value, isUpper)),
};

/** @throws TemplateError for a test that there is not, or values that it cannot judge. */
export function runTest(name: string, value: Value, given: Given): boolean {
  if (!Object.hasOwn(TABLE, name)) throw new TemplateError(`there is no test ${name}`);
  if (value instanceof Undefined && ['divisibleby', 'even', 'odd'].includes(name)) throw fail(value);
  return TABLE[name](value, given);
}

export const TEST_NAMES = Object.keys(TABLE);
