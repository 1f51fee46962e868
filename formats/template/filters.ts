/** Jinja's filters, with transformers' own `tojson`. */
import { bind, flagArgument, textArgument, wholeArgument } from './arguments.ts';
import { item } from './attributes.ts';
import { TemplateError, unsupported } from './errors.ts';
import { arithmetic, order } from './operators.ts';
import { dumps, print } from './print.ts';
import { runTest } from './tests.ts';
import { capitalize, lower, replace, SPACE, splitLines, strip } from './text.ts';
import {
  Dict,
  fail,
  Float,
  isTrue,
  iterate,
  Lazy,
  lengthOf,
  letters,
  List,
  numberOf,
  orUndefined,
  Safe,
  typeName,
  Undefined,
} from './values.ts';
import type { Given, Value } from './values.ts';

type Filter = (value: Value, given: Given) => Value;

/** A text as filters of texts take any value: printed. */
function textFor(name: string, value: Value): string {
  if (value instanceof Safe) throw unsupported(`${name} of a text that is marked safe`);
  return print(value);
}

/** The value at `a.b.0`; a number is an index. `fallback` stands for what is not defined. */
function getter(attribute: Value | undefined, fallback?: Value): (value: Value) => Value {
  if (attribute === undefined || attribute === null) return (value) => value;
  const parts: Value[] = typeof attribute === 'number' ? [attribute] : textArgument('attribute', attribute).split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part)); // prettier-ignore
  return (value) => {
    let found = value;
    for (const part of parts) {
      found = item(found, part);
      if (found instanceof Undefined && fallback !== undefined) found = fallback;
    }
    return found;
  };
}

/** Texts that differ only in case are the same where case does not count. */
const folded = (caseSensitive: boolean) => (value: Value) => (!caseSensitive && typeof value === 'string' ? lower(value) : value);

function sorted(values: Value[], key: (value: Value) => Value, reverse: boolean): Value[] {
  const keyed = values.map((value) => ({ value, key: key(value) }));
  keyed.sort((a, b) => (reverse ? order(b.key, a.key) : order(a.key, b.key)));
  return keyed.map(({ value }) => value);
}

function sort(value: Value, given: Given): Value {
  const [reverse, caseSensitive, attribute] = bind('sort', given, ['reverse', 'case_sensitive', 'attribute']);
  const fold = folded(flagArgument(caseSensitive));
  const gets = typeof attribute === 'string' ? attribute.split(',').map((one) => getter(one)) : [getter(attribute)];
  const key = (one: Value): Value => (gets.length === 1 ? fold(gets[0](one)) : new List(gets.map((get) => fold(get(one)))));
  return new List(sorted([...iterate(value)], key, flagArgument(reverse)));
}

function dictsort(value: Value, given: Given): Value {
  const [caseSensitive, by, reverse] = bind('dictsort', given, ['case_sensitive', 'by', 'reverse']);
  if (!(value instanceof Dict)) throw new TemplateError(`a ${typeName(value)} has no items to sort`);
  const place = by === undefined || by === 'key' ? 0 : by === 'value' ? 1 : -1;
  if (place < 0) throw new TemplateError('dictsort sorts by key or by value');
  const fold = folded(flagArgument(caseSensitive));
  const entries = value.entries().map((entry) => new List(entry, true));
  return new List(sorted(entries, (entry) => fold((entry as List).items[place]), flagArgument(reverse)));
}

function* unique(value: Value, given: Given): Generator<Value> {
  const [caseSensitive, attribute] = bind('unique', given, ['case_sensitive', 'attribute']);
  const [fold, get] = [folded(flagArgument(caseSensitive)), getter(attribute)];
  const seen = new Dict();
  for (const one of iterate(value)) {
    const key = fold(get(one));
    if (!seen.has(key)) yield one;
    seen.set(key, true);
  }
}

function extreme(name: string, sign: number): Filter {
  return (value, given) => {
    const [caseSensitive, attribute] = bind(name, given, ['case_sensitive', 'attribute']);
    const [fold, get] = [folded(flagArgument(caseSensitive)), getter(attribute)];
    const all = [...iterate(value)];
    if (all.length === 0) return new Undefined('the extreme of nothing');
    return all.reduce((best, one) => (sign * order(fold(get(one)), fold(get(best))) > 0 ? one : best));
  };
}

/** `select`, `reject`, and those by an attribute. */
function* chosen(name: string, value: Value, given: Given): Generator<Value> {
  const byAttribute = name.endsWith('attr');
  const positional = [...given.positional];
  if (byAttribute && positional.length === 0) throw new TemplateError(`${name} needs the name of an attribute`);
  const get = byAttribute ? getter(positional.shift()) : (one: Value) => one;
  const test = positional.shift();
  if (given.named.size > 0 && test === undefined) throw new TemplateError(`${name} has arguments and no test`);
  const wanted = name.startsWith('select');
  for (const one of iterate(value)) {
    const found = test === undefined ? isTrue(get(one)) : runTest(textArgument(name, test), get(one), { positional, named: given.named });
    if (found === wanted) yield one;
  }
}

function* map(value: Value, given: Given): Generator<Value> {
  const [name, ...rest] = given.positional;
  let make: (one: Value) => Value;
  if (name === undefined && given.named.has('attribute')) {
    const [attribute, fallback] = bind('map', given, ['attribute', 'default']);
    make = getter(attribute, fallback);
  } else make = (one) => runFilter(textArgument('map', name), one, { positional: rest, named: given.named });
  for (const one of iterate(value)) yield make(one);
}

function* batch(value: Value, given: Given): Generator<Value> {
  const [size, fill] = bind('batch', given, ['linecount', 'fill_with'], 1);
  const count = wholeArgument('batch', size);
  let part: Value[] = [];
  for (const one of iterate(value)) {
    if (part.length === count) {
      yield new List(part);
      part = [];
    }
    part.push(one);
  }
  if (part.length === 0) return;
  if (fill !== undefined && fill !== null) while (part.length < count) part.push(fill);
  yield new List(part);
}

function join(value: Value, given: Given): Value {
  const [between, attribute] = bind('join', given, ['d', 'attribute']);
  const get = getter(attribute);
  return Array.from(iterate(value), (one) => print(get(one))).join(between === undefined ? '' : print(between));
}

function indent(value: Value, given: Given): Value {
  const [width, first, blank] = bind('indent', given, ['width', 'first', 'blank']);
  const by = typeof width === 'string' ? width : ' '.repeat(Math.max(0, width === undefined ? 4 : wholeArgument('indent', width)));
  if (typeof value !== 'string') throw value instanceof Undefined ? fail(value) : unsupported(`indent of a ${typeName(value)}`);
  const lines = splitLines(`${value}\n`);
  const rest = lines.slice(1).map((line) => (flagArgument(blank) || line !== '' ? by + line : line));
  return (flagArgument(first) ? by : '') + [lines[0] ?? '', ...rest].join('\n');
}

/** Words of runs of letters between white space, dashes and opening brackets. */
function title(value: Value): string {
  const parts = textFor('title', value).split(new RegExp(`([-${SPACE}({[<]+)`));
  return parts.map((part) => capitalizeUpper(part)).join('');
}

function capitalizeUpper(part: string): string {
  const [first, ...rest] = letters(part);
  return first === undefined ? '' : first.toUpperCase() + lower(rest.join(''));
}

const FLOAT = new RegExp(`^[${SPACE}]*[+-]?(?:(?:\\d+(?:_\\d+)*)?\\.?(?:\\d+(?:_\\d+)*)?(?:e[+-]?\\d+(?:_\\d+)*)?)[${SPACE}]*$`, 'i');
const WHOLE = new RegExp(`^[${SPACE}]*[+-]?\\d+(?:_\\d+)*[${SPACE}]*$`);

function asFloat(text: string): number | undefined {
  const plain = strip(text, undefined).replaceAll('_', '');
  if (/^[+-]?(inf|infinity|nan)$/i.test(plain)) throw unsupported(`the number ${plain}`);
  return FLOAT.test(text) && /\d/.test(plain.split(/e/i)[0]) ? Number(plain) : undefined;
}

function toInt(value: Value, given: Given): Value {
  const [fallback, base] = bind('int', given, ['default', 'base']);
  if (base !== undefined && base !== 10) throw unsupported('int with a base');
  const whole = (number: number): Value => {
    if (!Number.isSafeInteger(number)) throw unsupported('a whole number beyond 2^53');
    return number === 0 ? 0 : number;
  };
  const otherwise = fallback === undefined ? 0 : fallback;
  if (typeof value === 'string') {
    if (WHOLE.test(value)) return whole(Number(strip(value, undefined).replaceAll('_', '')));
    const number = asFloat(value);
    return number === undefined ? otherwise : whole(Math.trunc(number));
  }
  const number = numberOf(value);
  if (number !== undefined) return whole(Math.trunc(number));
  if (value instanceof Undefined) throw fail(value);
  return otherwise;
}

function toFloat(value: Value, given: Given): Value {
  const [fallback] = bind('float', given, ['default']);
  const number = typeof value === 'string' ? asFloat(value) : numberOf(value);
  if (number !== undefined) return new Float(number);
  if (value instanceof Undefined) throw fail(value);
  return fallback === undefined ? new Float(0) : fallback;
}

function round(value: Value, given: Given): Value {
  const [precision, method] = bind('round', given, ['precision', 'method']);
  const number = numberOf(value);
  if (number === undefined) throw new TemplateError(`a ${typeName(value)} cannot be rounded`);
  if (precision !== undefined && precision !== 0) throw unsupported('round to decimals');
  if (method === 'ceil' || method === 'floor') return new Float(Math[method](number));
  if (method !== undefined && method !== 'common') throw new TemplateError('round is common, ceil or floor');
  if (!(value instanceof Float)) return number;
  // To even where two are as near.
  const floor = Math.floor(number);
  const rest = number - floor;
  return new Float(rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor);
}

function tojson(value: Value, given: Given): Value {
  const [ascii, indented, separators, sortKeys] = bind('tojson', given, ['ensure_ascii', 'indent', 'separators', 'sort_keys']);
  let pad: string | undefined;
  if (typeof indented === 'string') pad = indented;
  else if (indented !== undefined && indented !== null) pad = ' '.repeat(Math.max(0, wholeArgument('indent', indented)));
  let between: [string, string] = [pad === undefined ? ', ' : ',', ': '];
  if (separators instanceof List && separators.items.length === 2) {
    between = [textArgument('separators', separators.items[0]), textArgument('separators', separators.items[1])];
  } else if (separators !== undefined && separators !== null) throw new TemplateError('separators are a pair of texts');
  return dumps(value, {
    ascii: flagArgument(ascii),
    ...(pad === undefined ? {} : { indent: pad }),
    separators: between,
    sort: flagArgument(sortKeys),
  });
}

function first(value: Value, given: Given): Value {
  bind('first', given, []);
  for (const one of iterate(value)) return one;
  return new Undefined('the first of nothing');
}

function last(value: Value, given: Given): Value {
  bind('last', given, []);
  if (value instanceof Lazy) throw new TemplateError(`a ${typeName(value)} cannot be reversed`);
  return orUndefined([...iterate(value)].at(-1), 'the last of nothing');
}

function reverse(value: Value, given: Given): Value {
  bind('reverse', given, []);
  if (typeof value === 'string') return letters(value).reverse().join('');
  return new Lazy([...iterate(value)].reverse());
}

function items(value: Value, given: Given): Value {
  bind('items', given, []);
  if (value instanceof Undefined) return new Lazy([]);
  if (!(value instanceof Dict)) throw new TemplateError(`a ${typeName(value)} has no items`);
  return new Lazy(value.entries().map((entry) => new List(entry, true)));
}

function sum(value: Value, given: Given): Value {
  const [attribute, start] = bind('sum', given, ['attribute', 'start']);
  const get = getter(attribute);
  if (start !== undefined && numberOf(start) === undefined) throw unsupported('sum from what is no number');
  let total: Value = start === undefined ? 0 : start;
  let isFloat = false;
  for (const one of iterate(value)) {
    isFloat ||= get(one) instanceof Float;
    // Python 3.12 sums floats with a correction.
    if (isFloat) throw unsupported('sum of floats');
    total = arithmetic('+', total, get(one));
  }
  return total;
}

function fallback(value: Value, given: Given): Value {
  const [otherwise, boolean] = bind('default', given, ['default_value', 'boolean']);
  return value instanceof Undefined || (flagArgument(boolean) && !isTrue(value)) ? (otherwise === undefined ? '' : otherwise) : value;
}

const plain =
  (name: string, make: (value: Value) => Value): Filter =>
  (value, given) => {
    bind(name, given, []);
    return make(value);
  };

const length = plain('length', lengthOf);

const TABLE: Readonly<Record<string, Filter>> = {
  abs: plain('abs', (value) => {
    const number = numberOf(value);
    if (number === undefined) throw value instanceof Undefined ? fail(value) : new TemplateError(`a ${typeName(value)} has no size`);
    return value instanceof Float ? new Float(Math.abs(number)) : Math.abs(number);
  }),
  batch: (value, given) => new Lazy(batch(value, given)),
  capitalize: plain('capitalize', (value) => capitalize(textFor('capitalize', value))),
  count: length,
  d: fallback,
  default: fallback,
  dictsort,
  first,
  float: toFloat,
  indent,
  int: toInt,
  items,
  join,
  last,
  length,
  list: plain('list', (value) => new List([...iterate(value)])),
  lower: plain('lower', (value) => lower(textFor('lower', value))),
  map: (value, given) => new Lazy(map(value, given)),
  max: extreme('max', 1),
  min: extreme('min', -1),
  reject: (value, given) => new Lazy(chosen('reject', value, given)),
  rejectattr: (value, given) => new Lazy(chosen('rejectattr', value, given)),
  replace: (value, given) => {
    const [old, by, times] = bind('replace', given, ['old', 'new', 'count'], 2);
    const count = times === undefined || times === null ? -1 : wholeArgument('replace', times);
    return replace(textFor('replace', value), textFor('replace', old as Value), textFor('replace', by as Value), count);
  },
  reverse,
  round,
  safe: plain('safe', (value) => (value instanceof Safe ? value : new Safe(print(value)))),
  select: (value, given) => new Lazy(chosen('select', value, given)),
  selectattr: (value, given) => new Lazy(chosen('selectattr', value, given)),
  sort,
  string: plain('string', (value) => (value instanceof Safe ? value : print(value))),
  sum,
  title: plain('title', title),
  tojson,
  trim: (value, given) => {
    const [chars] = bind('trim', given, ['chars']);
    return strip(textFor('trim', value), chars === undefined || chars === null ? undefined : textArgument('trim', chars));
  },
  unique: (value, given) => new Lazy(unique(value, given)),
  upper: plain('upper', (value) => textFor('upper', value).toUpperCase()),
};

/** @throws TemplateError for a filter that there is not, or values that it cannot take. */
export function runFilter(name: string, value: Value, given: Given): Value {
  if (!Object.hasOwn(TABLE, name)) throw new TemplateError(`there is no filter ${name}`);
  return TABLE[name](value, given);
}

export const FILTER_NAMES = Object.keys(TABLE);
