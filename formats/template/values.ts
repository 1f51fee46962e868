/**
 * Values of Python as templates have them. Texts are strings, whole numbers are numbers, None is null; the rest are classes, since 1.0 is
 * printed otherwise than 1, a tuple otherwise than a list, and what a filter yields can be gone through once only.
 */
import type { Json } from '../../plan/json.ts';
import { TemplateError, unsupported } from './errors.ts';

export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** A name without a value: prints nothing, and fails where it is used. */
export class Undefined {
  readonly what: string;
  constructor(what: string) {
    this.what = what;
  }
}

export class List {
  readonly items: Value[];
  readonly isTuple: boolean;
  constructor(items: Value[], isTuple = false) {
    this.items = items;
    this.isTuple = isTuple;
  }
}

/** A dict; equal numbers and truth values are one key, as in Python. */
export class Dict {
  private readonly map = new Map<string, [Value, Value]>();

  static of(entries: Iterable<readonly [Value, Value]>): Dict {
    const dict = new Dict();
    for (const [key, value] of entries) dict.set(key, value);
    return dict;
  }

  get size(): number {
    return this.map.size;
  }

  get(key: Value): Value | undefined {
    return this.map.get(hash(key))?.[1];
  }

  has(key: Value): boolean {
    return this.map.has(hash(key));
  }

  set(key: Value, value: Value): void {
    const known = this.map.get(hash(key));
    if (known === undefined) this.map.set(hash(key), [key, value]);
    else known[1] = value;
  }

  entries(): [Value, Value][] {
    return [...this.map.values()];
  }

  keys(): Value[] {
    return this.entries().map(([key]) => key);
  }
}

/** `d.keys()`, `d.values()`, `d.items()`, `range(..)`: they have a length, and are no lists. */
export class View {
  readonly kind: 'keys' | 'values' | 'items' | 'range';
  readonly items: Value[];
  constructor(kind: View['kind'], items: Value[]) {
    this.kind = kind;
    this.items = items;
  }
}

/** What `map`, `select` and the like yield: gone through once, of no length, and always true. */
export class Lazy {
  readonly iterator: Iterator<Value>;
  constructor(values: Iterable<Value>) {
    this.iterator = values[Symbol.iterator]();
  }
}

export class Namespace {
  readonly fields = new Map<string, Value>();
}

/** A text that the filter `safe` has marked. It prints as it is; in sums it would escape what it is joined with. */
export class Safe {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export interface Given {
  positional: Value[];
  named: Map<string, Value>;
}

export class Callable {
  readonly name: string;
  readonly call: (given: Given) => Value;
  constructor(name: string, call: (given: Given) => Value) {
    this.name = name;
    this.call = call;
  }
}

/** Fields that are computed when they are read: `loop`. */
export class Computed {
  readonly name: string;
  readonly read: (field: string) => Value | undefined;
  constructor(name: string, read: (field: string) => Value | undefined) {
    this.name = name;
    this.read = read;
  }
}

export type Value =
  null | boolean | number | string | Float | Undefined | List | Dict | View | Lazy | Namespace | Safe | Callable | Computed;

/** The value of JSON. Whole numbers become ints. */
export function fromJson(json: Json | undefined): Value {
  if (json === undefined) return new Undefined('nothing');
  if (json === null || typeof json === 'string' || typeof json === 'boolean') return json;
  if (typeof json === 'number') return Number.isSafeInteger(json) ? json : new Float(json);
  if (Array.isArray(json)) return new List(json.map(fromJson));
  return Dict.of(Object.entries(json).map(([key, value]) => [key, fromJson(value)] as const));
}

/** What Python calls the type. */
export function typeName(value: Value): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'int';
  if (typeof value === 'string' || value instanceof Safe) return 'str';
  if (value instanceof Float) return 'float';
  if (value instanceof List) return value.isTuple ? 'tuple' : 'list';
  if (value instanceof Dict) return 'dict';
  if (value instanceof View) return value.kind === 'range' ? 'range' : `dict_${value.kind}`;
  if (value instanceof Lazy) return 'generator';
  if (value instanceof Namespace) return 'namespace';
  return value instanceof Undefined ? 'undefined' : value instanceof Callable ? 'function' : value.name;
}

function hash(key: Value): string {
  if (typeof key === 'string') return `s${key}`;
  if (key instanceof Safe) return `s${key.text}`;
  const number = numberOf(key);
  if (number !== undefined) return `n${number}`;
  if (key === null) return 'none';
  if (key instanceof List && key.isTuple) return `t${key.items.map((one) => JSON.stringify(hash(one))).join()}`;
  throw new TemplateError(`a ${typeName(key)} cannot be a key`);
}

/** The number of an int, a float or a truth value. */
export function numberOf(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value instanceof Float ? value.value : undefined;
}

export function isTrue(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return value !== '';
  const number = numberOf(value);
  if (number !== undefined) return number !== 0;
  if (value instanceof Safe) return value.text !== '';
  if (value instanceof List || value instanceof View) return value.items.length > 0;
  return value instanceof Dict ? value.size > 0 : true;
}

/** The value; where there is none, one that is not defined. None is a value. */
export function orUndefined(value: Value | undefined, what: string): Value {
  return value === undefined ? new Undefined(what) : value;
}

export function fail(value: Undefined): TemplateError {
  return new TemplateError(`${value.what} is undefined`);
}

/** Goes through a value as Python's `iter` does. */
export function* iterate(value: Value): Generator<Value, void, undefined> {
  if (value instanceof Undefined) return;
  if (typeof value === 'string') yield* value;
  else if (value instanceof Safe) throw unsupported('going through a text that is marked safe');
  else if (value instanceof List || value instanceof View) {
    // By index, as a list may not grow here.
    yield* value.items;
  } else if (value instanceof Dict) yield* value.keys();
  else if (value instanceof Lazy) {
    for (;;) {
      const { done, value: one } = value.iterator.next();
      if (done === true) return;
      yield one;
    }
  } else throw new TemplateError(`a ${typeName(value)} cannot be gone through`);
}

export function lengthOf(value: Value): number {
  if (value instanceof Undefined) return 0;
  if (typeof value === 'string') return codePoints(value);
  if (value instanceof Safe) return codePoints(value.text);
  if (value instanceof List || value instanceof View) return value.items.length;
  if (value instanceof Dict) return value.size;
  throw new TemplateError(`a ${typeName(value)} has no length`);
}

const PAIRS = /[\ud800-\udbff][\udc00-\udfff]/;

function codePoints(text: string): number {
  return PAIRS.test(text) ? Array.from(text).length : text.length;
}

/** Letters as Python counts them. */
export function letters(text: string): string[] {
  return PAIRS.test(text) ? Array.from(text) : text.split('');
}

/** The text of a `str`; undefined for others. */
export function textOf(value: Value): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
