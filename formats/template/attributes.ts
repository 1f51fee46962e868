/** `a.b`, `a['b']`, `a[0]`, `a[1:]`, as Jinja2's sandbox looks them up. */
import { bind } from './arguments.ts';
import { TemplateError, unsupported } from './errors.ts';
import { equals } from './operators.ts';
import { OTHER_TEXT_METHODS, TEXT_METHODS } from './text.ts';
import { Callable, Computed, Dict, fail, Float, letters, List, Namespace, orUndefined, Safe, typeName, Undefined, View } from './values.ts';
import type { Given, Value } from './values.ts';

const DICT_METHODS: Readonly<Record<string, (dict: Dict, given: Given) => Value>> = {
  get: (dict, given) => {
    const [key, fallback] = bind('get', given, ['key', 'default'], 1);
    const value = dict.get(key as Value);
    return value === undefined ? (fallback ?? null) : value;
  },
  items: (dict, given) => {
    bind('items', given, []);
    return new View('items', dict.entries().map((entry) => new List(entry, true))); // prettier-ignore
  },
  keys: (dict, given) => {
    bind('keys', given, []);
    return new View('keys', dict.keys());
  },
  values: (dict, given) => {
    bind('values', given, []);
    return new View('values', dict.entries().map(([, value]) => value)); // prettier-ignore
  },
  copy: (dict, given) => {
    bind('copy', given, []);
    return Dict.of(dict.entries());
  },
};

const LIST_METHODS: Readonly<Record<string, (list: List, given: Given) => Value>> = {
  count: (list, given) => {
    const [value] = bind('count', given, ['value'], 1);
    return list.items.filter((one) => equals(one, value as Value)).length;
  },
  index: (list, given) => {
    const [value] = bind('index', given, ['value'], 1);
    const at = list.items.findIndex((one) => equals(one, value as Value));
    if (at < 0) throw new TemplateError('the value is not in the list');
    return at;
  },
};

/** Methods that change what they belong to: the sandbox refuses them. */
const CHANGING = ['append', 'extend', 'insert', 'pop', 'remove', 'reverse', 'sort', 'clear', 'update', 'setdefault', 'popitem', 'fromkeys'];
const NUMBER_FIELDS = [
  'real',
  'imag',
  'numerator',
  'denominator',
  'bit_length',
  'conjugate',
  'is_integer',
  'to_bytes',
  'as_integer_ratio',
  'hex',
];

/** A method or a field of Python's own; undefined where the type has none of this name. */
function ownAttribute(object: Value, name: string): Value | undefined {
  if (name.startsWith('_')) throw new TemplateError(`${name} of a ${typeName(object)} is not to be read by templates`);
  if (typeof object === 'string') {
    const method = TEXT_METHODS.get(name);
    if (method !== undefined) return new Callable(name, (given) => method(object, given));
    if (OTHER_TEXT_METHODS.has(name)) throw unsupported(`the method ${name} of a text`);
    return undefined;
  }
  if (object instanceof Safe) throw unsupported(`${name} of a text that is marked safe`);
  const methods = object instanceof Dict ? DICT_METHODS : object instanceof List ? LIST_METHODS : undefined;
  if (methods !== undefined && Object.hasOwn(methods, name)) {
    const method = methods[name] as (object: Value, given: Given) => Value;
    return new Callable(name, (given) => method(object, given));
  }
  if ((object instanceof Dict || (object instanceof List && !object.isTuple)) && CHANGING.includes(name))
    return new Callable(name, () => {
      throw new TemplateError(`${name} of a ${typeName(object)} is not allowed in templates, since it changes it`);
    });
  if (object instanceof List && !object.isTuple && name === 'copy') return new Callable(name, () => new List([...object.items]));
  if (object instanceof Computed) return object.read(name);
  if (object instanceof Namespace) return object.fields.get(name);
  if ((typeof object === 'number' || typeof object === 'boolean' || object instanceof Float) && NUMBER_FIELDS.includes(name))
    throw unsupported(`${name} of a number`);
  if (object instanceof View || object instanceof Callable) throw unsupported(`${name} of a ${typeName(object)}`);
  return undefined;
}

/** `object.name`: methods count before keys. */
export function attribute(object: Value, name: string): Value {
  if (object instanceof Undefined) throw fail(object);
  const own = ownAttribute(object, name);
  if (own !== undefined) return own;
  return orUndefined(
    object instanceof Dict ? object.get(name) : undefined,
    `'${typeName(object)} object' has no attribute '${name}', which`,
  );
}

/** `object[index]`: keys count before methods. */
export function item(object: Value, index: Value): Value {
  if (object instanceof Undefined) throw fail(object);
  if (object instanceof Safe) throw unsupported('a letter of a text that is marked safe');
  const found = indexed(object, index);
  if (found !== undefined) return found;
  const own = typeof index === 'string' ? ownAttribute(object, index) : undefined;
  return orUndefined(
    own,
    `'${typeName(object)} object' has no element ${typeof index === 'string' || typeof index === 'number' ? JSON.stringify(index) : `of a ${typeName(index)}`}, which`,
  );
}

function indexed(object: Value, index: Value): Value | undefined {
  if (object instanceof Dict) return index instanceof List && !index.isTuple ? undefined : object.get(index);
  const at = typeof index === 'boolean' ? Number(index) : index;
  if (typeof at !== 'number') return undefined;
  if (typeof object === 'string') return letters(object).at(at);
  if (object instanceof List) return object.items.at(at);
  return object instanceof View && object.kind === 'range' ? object.items.at(at) : undefined;
}

/** `object[from:to:step]`. */
export function slice(object: Value, from: Value, to: Value, step: Value): Value {
  if (object instanceof Undefined) throw fail(object);
  const bounds = [from, to, step].map((one) => {
    if (one === null) return undefined;
    if (typeof one === 'number' || typeof one === 'boolean') return Number(one);
    throw one instanceof Undefined ? fail(one) : new TemplateError(`a slice takes whole numbers, not a ${typeName(one)}`);
  });
  if (typeof object === 'string') return cut(letters(object), bounds).join('');
  if (object instanceof List) return new List(cut(object.items, bounds), object.isTuple);
  if (object instanceof View || object instanceof Safe) throw unsupported(`a slice of a ${typeName(object)}`);
  // Jinja makes an undefined value of what has no slices.
  return new Undefined(`a slice of a ${typeName(object)}`);
}

function cut<T>(items: readonly T[], [from, to, step = 1]: (number | undefined)[]): T[] {
  if (step === 0) throw new TemplateError('the step of a slice is 0');
  const { length } = items;
  const clamp = (at: number): number => (step > 0 ? Math.min(Math.max(at, 0), length) : Math.min(Math.max(at, -1), length - 1));
  const place = (at: number | undefined, otherwise: number): number => (at === undefined ? otherwise : clamp(at < 0 ? at + length : at));
  const [begin, end] = step > 0 ? [place(from, 0), place(to, length)] : [place(from, length - 1), place(to, -1)];
  const found: T[] = [];
  for (let i = begin; step > 0 ? i < end : i > end; i += step) found.push(items[i]);
  return found;
}
