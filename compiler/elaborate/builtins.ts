/** Functions that every text knows: on numbers here, on tensors in tensor-builtins.ts. */
import { nearest } from '../../grammar/index.ts';
import type { Span } from '../../grammar/index.ts';
import { erf as erfNumber } from '../graph/primitives/erf.ts';
import type { BuiltinName } from './builtin-names.ts';
import type { Given } from './calls.ts';
import type { Unary } from '../../plan/schedule.ts';
import type { Context } from './context.ts';
import { makeNative, mixData, sampleData } from './data.ts';
import { fail } from './fault.ts';
import { mapNumbers } from './operators.ts';
import { makeArchitecture } from './pretrained.ts';
import { remember } from './remember.ts';
import * as tensors from './tensor-builtins.ts';
import * as training from './training-builtins.ts';
import { meet, plainNumber } from './units.ts';
import { describe, number, tensor } from './values.ts';
import type { NumberValue, Value } from './values.ts';

type Rule = (ctx: Context, given: Given[], span: Span) => Value;

/** The arguments by name: those without a name take the open names in order. */
export function named(of: string, given: Given[], names: string[], span: Span, required = names.length): (Value | undefined)[] {
  const result: (Value | undefined)[] = names.map(() => undefined);
  let next = 0;
  for (const g of given) {
    if (g.name === undefined) while (result[next] !== undefined) next++;
    const at = g.name === undefined ? next : names.indexOf(g.name);
    if (at >= names.length) fail('P0211', { of, most: names.length }, g.span);
    if (at < 0) fail('P0209', { name: g.name ?? '', of, nearest: nearest(g.name ?? '', names) ?? '', known: names.join(', ') }, g.span);
    if (result[at] !== undefined) fail('P0212', { name: names[at], of }, g.span);
    result[at] = g.value;
  }
  const missing = names.slice(0, required).filter((_, i) => result[i] === undefined);
  if (missing.length > 0) fail('P0210', { names: missing, of }, span);
  return result;
}

export function numberOf(value: Value | undefined, what: string, span: Span): NumberValue {
  if (value?.kind === 'number') return value;
  return fail('P0301', { expected: `a number for ${what}`, found: value ? describe(value) : 'nothing' }, span);
}

/** A function of one value, on numbers and on tensors. */
function both(name: 'exp' | 'expm1' | 'log' | 'log1p' | 'sqrt' | 'tanh' | 'sin' | 'cos' | 'abs' | 'floor'): Rule {
  return (ctx, given, span) => {
    const [x] = named(name, given, ['x'], span);
    if (x?.kind === 'tensor') return tensor(ctx.builder[name](x.node));
    return mapNumbers(name, [plainNumber(numberOf(x, name, span), span)]);
  };
}

function extreme(name: 'min' | 'max'): Rule {
  return (ctx, given, span) => {
    const [a, b] = named(name, given, ['a', 'b'], span);
    if (a?.kind === 'tensor' || b?.kind === 'tensor')
      return tensor(ctx.builder[name](tensors.operand(ctx, a, span), tensors.operand(ctx, b, span)));
    const { operands, unit } = meet(name, numberOf(a, name, span), numberOf(b, name, span), span);
    return mapNumbers(name, operands, unit);
  };
}

function onNumber(name: Unary): Rule {
  return (_, given, span) => mapNumbers(name, [plainNumber(numberOf(named(name, given, ['x'], span)[0], name, span), span)]);
}

/** The error function has no operator in plans, so the step may not decide its argument. */
const erf: Rule = (ctx, given, span) => {
  const [x] = named('erf', given, ['x'], span);
  if (x?.kind === 'tensor') return tensor(ctx.builder.erf(x.node));
  const { value, schedule, uniform } = plainNumber(numberOf(x, 'erf', span), span);
  if (schedule !== undefined) return fail('P0306', { found: 'a number that changes with the step' }, span);
  return { ...number(erfNumber(value)), ...(uniform === undefined ? {} : { uniform: `erf(${uniform})` }) };
};

const init =
  (name: 'normal' | 'uniform' | 'constant', parameter: string): Rule =>
  (_, given, span) => {
    const { value } = numberOf(named(name, given, [parameter], span)[0], name, span);
    return {
      kind: 'init',
      init:
        name === 'normal'
          ? { kind: 'normal', std: value }
          : name === 'uniform'
            ? { kind: 'uniform', bound: value }
            : { kind: 'constant', value },
    };
  };

const filled =
  (name: string, value: number): Rule =>
  (_, given, span) => {
    named(name, given, [], span);
    return { kind: 'init', init: { kind: 'constant', value } };
  };

/** Scores are declared by `score logistic(...)` in a probe and evaluated there; anywhere else they are out of place. */
const onlyInScore =
  (name: string): Rule =>
  (_, __, span) =>
    fail('P0509', { name, place: 'a `score` of a probe' }, span);

const rules: Record<BuiltinName, Rule> = {
  exp: both('exp'),
  expm1: both('expm1'),
  log: both('log'),
  log1p: both('log1p'),
  sqrt: both('sqrt'),
  tanh: both('tanh'),
  erf,
  sin: both('sin'),
  cos: both('cos'),
  abs: both('abs'),
  floor: both('floor'),
  min: extreme('min'),
  max: extreme('max'),
  isqrt: onNumber('isqrt'),
  ceil: onNumber('ceil'),
  round: onNumber('round'),
  sum: tensors.sum,
  mean: tensors.mean,
  largest: tensors.largest,
  einsum: tensors.einsum,
  reshape: tensors.reshape,
  transpose: tensors.transpose,
  concat: tensors.concat,
  gather: tensors.gather,
  iota: tensors.iota,
  where: tensors.where,
  float: tensors.float,
  stop_gradient: tensors.stopGradient,
  remember,
  grad: tensors.grad,
  is_finite: tensors.isFinite,
  batch_rows: (ctx, given, span) => {
    named('batch_rows', given, [], span);
    return tensor(ctx.builder.scalar('rows'));
  },
  normal: init('normal', 'std'),
  uniform: init('uniform', 'bound'),
  constant: init('constant', 'value'),
  zeros: filled('zeros', 0),
  ones: filled('ones', 1),
  native: (_, given, span) => makeNative(given, span),
  vocabulary: (_, given, span) => {
    const [file] = named('vocabulary', given, ['file'], span);
    return file?.kind === 'string' ? file : fail('P0301', { expected: 'a path in quotes', found: file ? describe(file) : 'nothing' }, span);
  },
  load: (_, given, span) => {
    const [file] = named('load', given, ['file'], span);
    return file?.kind === 'string'
      ? { kind: 'load', file: file.value, span }
      : fail('P0301', { expected: 'a path in quotes', found: file ? describe(file) : 'nothing' }, span);
  },
  mix: (ctx, given, span) => mixData(ctx, given, span),
  sample: (ctx, given, span) => sampleData(ctx, given, span),
  lora: training.lora,
  layers: training.layers,
  within: training.within,
  at_rate: training.atRate,
  checkpoint: (_, given, span) => makeArchitecture(given, span),
  logistic: onlyInScore('logistic'),
  focus: onlyInScore('focus'),
  preference: onlyInScore('preference'),
  segmentation: onlyInScore('segmentation'),
  alignment: onlyInScore('alignment'),
  answering: onlyInScore('answering'),
  drift: onlyInScore('drift'),
};

export function callBuiltin(ctx: Context, name: string, given: Given[], span: Span): Value {
  return rules[name as BuiltinName](ctx, given, span);
}
