/** From what was given to what a parameter's type asks for: units, whole numbers, kinds. One rule a type name. */
import type { Parameter, Span } from '../../grammar/index.ts';
import { requireComplete } from './arguments.ts';
import { requireInDomain } from './domains.ts';
import { fail } from './fault.ts';
import { plainNumber } from './units.ts';
import { describe } from './values.ts';
import type { NumberValue, Value } from './values.ts';

type Rule = (value: Value, where: Where) => Value;
interface Where {
  name: string;
  of: string;
  span: Span;
}

function expected(what: string, value: Value, { name, of, span }: Where): never {
  return fail('P0301', { expected: `${what} for \`${name}\` of ${of}`, found: describe(value) }, span);
}

function unit(what: string, value: NumberValue, { name, of, span }: Where): never {
  return fail('P0302', { expected: `${what} for \`${name}\` of ${of}`, found: describe(value) }, span);
}

/** A number in one of the given units; the unit is taken off. */
function inUnit(units: (string | undefined)[], what: string, integer: boolean): Rule {
  return (value, where) => {
    if (value.kind !== 'number') return expected(what, value, where);
    if (!units.includes(value.unit)) return unit(what, value, where);
    if (integer && !Number.isInteger(value.value))
      return fail('P0303', { found: describe(value), what: `\`${where.name}\` of ${where.of}` }, where.span);
    return value.unit === undefined ? value : { ...value, unit: undefined };
  };
}

const percent: Rule = (value, where) => {
  if (value.kind === 'number' && value.unit === '%') return plainNumber(value);
  return inUnit([undefined], 'a number', false)(value, where);
};

/** A number of steps or epochs, or a share of the run in %. It is kept with its unit. */
const duration: Rule = (value, where) => {
  if (value.kind !== 'number') return expected('a duration, such as 500 steps or 5%,', value, where);
  const { name, of } = where;
  if (value.unit && !['steps', 'epochs', '%'].includes(value.unit)) return unit('a duration in steps, epochs or %', value, where);
  if (!value.unit && value.value > 0 && value.value < 1)
    return fail('P0321', { name, of, found: describe(value), share: `${Number((value.value * 100).toPrecision(6))}%` }, where.span);
  const refuse = (wanted: string): never => fail('P0320', { name, of, wanted, found: describe(value), nearest: '' }, where.span);
  if (!(value.value >= 0)) return refuse('at least 0');
  if (value.unit === '%' && value.value > 100) return refuse('at most 100%');
  if (value.unit !== '%' && value.unit !== 'epochs' && !Number.isInteger(value.value)) return refuse('a whole number of steps');
  return value;
};

function ofKind(what: string, ...kinds: Value['kind'][]): Rule {
  return (value, where) => (kinds.includes(value.kind) ? value : expected(what, value, where));
}

function definitionOf(keyword: string): Rule {
  return (value, where) =>
    value.kind === 'bound' && value.definition.keyword === keyword ? value : expected(`a ${keyword}`, value, where);
}

const rules: Record<string, Rule> = {
  int: inUnit([undefined, 'rows', 'tokens', 'steps'], 'a whole number', true),
  float: percent,
  px: inUnit(['px'], 'a length in px, such as 24px,', true),
  // Kept with its unit: how many steps 5% are is known only where the stage is.
  duration,
  bool: ofKind('true or false', 'bool'),
  string: ofKind('a string', 'string'),
  path: ofKind('a path in quotes', 'string'),
  layer: (value, where) =>
    value.kind === 'instance' ||
    value.kind === 'function' ||
    (value.kind === 'bound' && value.definition.keyword === 'layer') ||
    value.kind === 'builtin'
      ? value
      : expected('a layer', value, where),
  schedule: (value, where) => {
    if (value.kind === 'number') return inUnit([undefined], 'a rate', false)(value, where);
    const rate = definitionOf('schedule')(value, where);
    if (rate.kind === 'bound') requireComplete(rate, where.span);
    return rate;
  },
  loss: definitionOf('loss'),
  tokenizer: ofKind('a tokenizer', 'tokenizer'),
  encoder: ofKind('an encoder of a trained model, such as post.eyes,', 'subject', 'instance'),
  model: ofKind('a stage or comparison', 'subject', 'model'),
  data: ofKind('data', 'data', 'bound'),
  list: ofKind('a list', 'list'),
};
for (const layout of ['pairs', 'answers', 'contrast', 'classes', 'patches']) rules[layout] = rules.data;

export const TYPE_NAMES = [...Object.keys(rules), 'ids'];

/** Checks one argument against its parameter; tensors and records are checked when the layer runs. */
export function convert(parameter: Parameter, value: Value, of: string, span: Span): Value {
  const { type } = parameter;
  if (!type || type.shape) return value;
  if (value.kind === 'none' && (type.optional || parameter.default?.kind === 'NoneLiteral')) return value;
  const name = type.name?.text ?? '';
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
  // A record type begins with a capital letter and is checked where the body is bound.
  if (!rule) return /^[A-Z]/.test(name) ? value : fail('P0310', { name, known: TYPE_NAMES.join(', ') }, type.span);
  const where = { name: parameter.name.text, of, span };
  const converted = rule(value, where);
  requireInDomain(parameter, converted, where);
  return converted;
}
