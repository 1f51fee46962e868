/** Operators of Python between values. */
import { TemplateError, unsupported } from './errors.ts';
import {
  Callable,
  Computed,
  Dict,
  fail,
  Float,
  isTrue,
  iterate,
  Lazy,
  List,
  Namespace,
  numberOf,
  Safe,
  typeName,
  Undefined,
  View,
} from './values.ts';
import type { Value } from './values.ts';

/** Longest text or list that `*` makes. */
const LONGEST = 1e6;

/** Binary arithmetic. @throws TemplateError where Python has none for these types. */
export function arithmetic(operator: string, left: Value, right: Value): Value {
  for (const one of [left, right]) {
    if (one instanceof Undefined) throw fail(one);
    if (one instanceof Safe) throw unsupported(`${operator} with a text that is marked safe, which escapes the other`);
  }
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a !== undefined && b !== undefined) return numbers(operator, a, b, left instanceof Float || right instanceof Float);
  if (operator === '+') {
    if (typeof left === 'string' && typeof right === 'string') return left + right;
    if (left instanceof List && right instanceof List && left.isTuple === right.isTuple)
      return new List([...left.items, ...right.items], left.isTuple);
  }
  if (operator === '*') {
    if (typeof left === 'string' || left instanceof List) return repeated(left, right);
    if (typeof right === 'string' || right instanceof List) return repeated(right, left);
  }
  if (operator === '%' && typeof left === 'string') throw unsupported('formatting a text by %');
  throw new TemplateError(`${operator} is not defined between ${typeName(left)} and ${typeName(right)}`);
}

function repeated(what: string | List, count: Value): Value {
  if (typeof count !== 'number' && typeof count !== 'boolean')
    throw new TemplateError(`a ${typeName(what)} cannot be multiplied by a ${typeName(count)}`);
  const times = Math.max(0, Number(count));
  if (times * (typeof what === 'string' ? what.length : what.items.length) > LONGEST) throw unsupported('so long a product');
  return typeof what === 'string' ? what.repeat(times) : new List(Array.from({ length: times }, () => what.items).flat(), what.isTuple);
}

function numbers(operator: string, a: number, b: number, isFloat: boolean): Value {
  const made = (value: number): Value => {
    if (isFloat) return new Float(value);
    if (!Number.isSafeInteger(value)) throw unsupported('a whole number beyond 2^53');
    return value === 0 ? 0 : value;
  };
  switch (operator) {
    case '+':
      return made(a + b);
    case '-':
      return made(a - b);
    case '*':
      return made(a * b);
    case '**':
      return power(a, b, isFloat);
  }
  if (b === 0) throw new TemplateError('a division by zero');
  if (operator === '/') return new Float(a / b);
  if (isFloat) {
    // As CPython: the remainder has the sign of the divisor.
    const rest = a % b;
    const mod = rest !== 0 ? (rest < 0 !== b < 0 ? rest + b : rest) : b < 0 ? -0 : 0;
    if (operator === '%') return new Float(mod);
    const quotient = (a - mod) / b;
    const floor = Math.floor(quotient);
    return new Float(quotient - floor > 0.5 ? floor + 1 : floor);
  }
  return made(operator === '//' ? Math.floor(a / b) : a - b * Math.floor(a / b));
}

function power(a: number, b: number, isFloat: boolean): Value {
  if (!isFloat && b >= 0) {
    const value = a ** b;
    if (!Number.isSafeInteger(value)) throw unsupported('a whole number beyond 2^53');
    return value;
  }
  if (a === 0 && b < 0) throw new TemplateError('zero cannot be raised to a negative power');
  const value = a ** b;
  if (!Number.isFinite(value)) throw unsupported('a power that is not finite');
  return new Float(value);
}

/** `==` of Python. */
export function equals(left: Value, right: Value): boolean {
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a !== undefined || b !== undefined) return a === b;
  const [x, y] = [left, right].map((one) => (one instanceof Safe ? one.text : one));
  if (typeof x === 'string' || typeof y === 'string' || x === null || y === null) return x === y;
  if (x instanceof Undefined && y instanceof Undefined) return true;
  if (x instanceof List && y instanceof List)
    return x.isTuple === y.isTuple && x.items.length === y.items.length && x.items.every((one, i) => equals(one, y.items[i]));
  if (x instanceof Dict && y instanceof Dict) {
    return x.size === y.size && x.entries().every(([key, value]) => y.has(key) && equals(value, y.get(key) as Value));
  }
  if (x instanceof View || y instanceof View) throw unsupported(`comparing a ${typeName(x)} with a ${typeName(y)}`);
  return x === y;
}

/** By code points, as Python orders texts. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const [x, y] = [a[Symbol.iterator](), b[Symbol.iterator]()];
  for (;;) {
    const [one, other] = [x.next(), y.next()];
    if (one.done === true || other.done === true) return one.done === true ? -1 : 1;
    const difference = (one.value.codePointAt(0) ?? 0) - (other.value.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
}

/** Below 0, 0 or above. @throws TemplateError where Python has no order. */
export function order(left: Value, right: Value): number {
  for (const one of [left, right]) if (one instanceof Undefined) throw fail(one);
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a !== undefined && b !== undefined) {
    if (Number.isNaN(a) || Number.isNaN(b)) throw unsupported('an order with nan');
    return a - b === 0 || a === b ? 0 : a < b ? -1 : 1;
  }
  const [x, y] = [left, right].map((one) => (one instanceof Safe ? one.text : one));
  if (typeof x === 'string' && typeof y === 'string') return compareTexts(x, y);
  if (x instanceof List && y instanceof List && x.isTuple === y.isTuple) {
    for (let i = 0; i < Math.min(x.items.length, y.items.length); i++)
      if (!equals(x.items[i], y.items[i])) return order(x.items[i], y.items[i]);
    return x.items.length - y.items.length;
  }
  throw new TemplateError(`there is no order between ${typeName(left)} and ${typeName(right)}`);
}

/** `left in right`. */
export function contains(right: Value, left: Value): boolean {
  if (right instanceof Safe || left instanceof Safe) throw unsupported('`in` with a text that is marked safe');
  if (typeof right === 'string') {
    if (typeof left === 'string') return right.includes(left);
    if (left instanceof Undefined) throw fail(left);
    throw new TemplateError(`a ${typeName(left)} cannot be looked for in a text`);
  }
  if (right instanceof Dict) return right.has(left);
  if (
    right === null ||
    numberOf(right) !== undefined ||
    right instanceof Callable ||
    right instanceof Namespace ||
    right instanceof Computed
  )
    throw new TemplateError(`nothing can be looked for in a ${typeName(right)}`);
  if (right instanceof Lazy) throw unsupported('`in` of what a filter yields');
  for (const one of iterate(right)) if (equals(one, left)) return true;
  return false;
}

export function compare(operator: string, left: Value, right: Value): boolean {
  switch (operator) {
    case '==':
      return equals(left, right);
    case '!=':
      return !equals(left, right);
    case 'in':
      return contains(right, left);
    case 'not in':
      return !contains(right, left);
    case '<':
      return order(left, right) < 0;
    case '<=':
      return order(left, right) <= 0;
    case '>':
      return order(left, right) > 0;
    default:
      return order(left, right) >= 0;
  }
}

/** `-x` and `+x`. */
export function signed(sign: 'minus' | 'plus', value: Value): Value {
  if (value instanceof Undefined) throw fail(value);
  const number = numberOf(value);
  if (number === undefined) throw new TemplateError(`a ${typeName(value)} has no sign`);
  const result = sign === 'minus' ? -number : number;
  return value instanceof Float ? new Float(result) : result === 0 ? 0 : result;
}

export { isTrue };
