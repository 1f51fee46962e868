/**
 * The update of the weights: an optimizer's text is run once for each trained weight, on symbols. Its numbers become
 * scalars of the program, those that change with the step become schedules.
 */
import type { Definition, Span } from '../../grammar/index.ts';
import { asFunction } from '../../plan/schedule.ts';
import { bindParameters } from '../elaborate/calls.ts';
import type { Context, WeightInfo } from '../elaborate/context.ts';
import { domainInWords, isWithin } from '../elaborate/domains.ts';
import { fail } from '../elaborate/fault.ts';
import { scheduleOf } from '../elaborate/operators.ts';
import { runStatements } from '../elaborate/statements.ts';
import { bool, describe, tensor } from '../elaborate/values.ts';
import type { BoundValue, NumberValue, Rate, Value } from '../elaborate/values.ts';
import type { Node } from '../graph/graph.ts';
import { evaluateSchedule } from './schedule.ts';
import type { Length } from './schedule.ts';

/** A weight that is to be updated. */
export interface Slope {
  weight: WeightInfo;
  gradient: Node;
  /** Its own rate, where it is not that of the stage. */
  rate?: Rate;
}

export interface Update {
  weight: WeightInfo;
  value: Node;
  /** New values of the optimizer's own state, by its name in the task (`m:eyes.norm.scale`). */
  state: { name: string; before: Node; value: Node }[];
}

/** A number of a loss or optimizer that stays out of the program. */
export function asUniform(of: string): (name: string, value: Value) => Value {
  return (name, value) => (value.kind === 'number' && value.uniform === undefined ? { ...value, uniform: `${of}.${name}` } : value);
}

/** New values of the weights under the given gradients. `rates` gets the rate by step, for the metrics. */
export function applyOptimizer(
  ctx: Context,
  optimizer: BoundValue,
  updates: readonly Slope[],
  length: Length,
  span: Span,
): { updates: Update[]; rate?: NumberValue } {
  ctx.steps = length.steps;
  const { definition, module } = optimizer;
  const name = definition.name.text;
  const given = new Map(optimizer.given);
  let rate: NumberValue | undefined;
  let rateName = '';
  for (const p of definition.params) {
    if (p.type?.name?.text !== 'schedule') continue;
    const value = given.get(p.name.text);
    if (!value) fail('P0210', { names: [p.name.text], of: `optimizer ${name}` }, span);
    const resolved = evaluateSchedule(ctx, value, length, `${name}.${p.name.text}`, span);
    requireRates(resolved, p, name, length, span);
    given.set(p.name.text, resolved);
    if (rate) continue;
    rate = resolved;
    rateName = p.name.text;
  }
  const step: NumberValue = { kind: 'number', value: 0, schedule: 'step', uniform: 'step' };
  const rates = new Map<Rate, NumberValue>();
  const ownRate = (own: Rate): NumberValue => {
    if (!rate) return fail('P0529', { name }, span);
    // A scalar of its own even where it happens to be another's: cells of a tuning grid must have the same programs.
    const known = rates.get(own) ?? rateOf(ctx, own, { ...rate, uniform: `${rate.uniform} (${rates.size + 1})` }, length, span);
    rates.set(own, known);
    return known;
  };
  const results = updates.map(({ weight, gradient, rate: own }) => {
    const state: Update['state'] = [];
    const local = new Map([...given, ['p', tensor(weight.node)], ['g', tensor(gradient)]]);
    if (own) local.set(rateName, ownRate(own));
    const scope = bindParameters(ctx, { ...optimizer, given: local }, module, span, asUniform(name));
    scope.define('step', step);
    scope.define('decay', bool(weight.decay));
    // Parameters that the body may assign to.
    scope.define('p', tensor(weight.node), true);
    runStatements(ctx, definition.body ?? [], scope, {
      state: (own, like, at) => {
        if (like.kind !== 'tensor') return fail('P0301', { expected: 'a tensor', found: describe(like) }, at);
        const before = ctx.builder.state(`${own}:${weight.path}`, like.node.shape);
        state.push({ name: own, before, value: before });
        return tensor(before);
      },
    });
    const p = scope.lookup('p');
    if (p?.kind !== 'tensor' || p.node.shape.join() !== weight.shape.join())
      return fail(
        'P0401',
        {
          what: `p after ${name}`,
          expected: `[${weight.shape.join(', ')}]`,
          found: p ? describe(p) : 'nothing',
          why: 'an update keeps the shape',
        },
        span,
      );
    for (const s of state) {
      const value = scope.lookup(s.name);
      if (value?.kind !== 'tensor')
        return fail('P0301', { expected: `a tensor in the state ${s.name}`, found: value ? describe(value) : 'nothing' }, span);
      s.value = value.node;
    }
    return { weight, value: p.node, state: state.map((s) => ({ ...s, name: `${s.name}:${weight.path}` })) };
  });
  return { updates: results, ...(rate ? { rate } : {}) };
}

/**
 * A schedule's rates are within the domain of the parameter; 0 is one of them also where it says `> 0`, since warm-ups begin and decays end there.
 */
function requireRates(
  { schedule = 0 }: NumberValue,
  { domain, name }: Definition['params'][number],
  of: string,
  { steps }: Length,
  span: Span,
): void {
  if (!domain?.bounds.length) return;
  const at = asFunction(schedule);
  for (let step = 0; step < steps; step++) {
    const rate = at(step);
    if (rate !== 0 && !isWithin(domain, rate))
      fail(
        'P0320',
        { name: name.text, of: `optimizer ${of}`, wanted: domainInWords(domain), found: `${rate} at step ${step}`, nearest: '' },
        span,
      );
  }
}

/** The rate of a part of its own: a share of the stage's at every step, or another one. It becomes scalars like the stage's. */
function rateOf(ctx: Context, own: Rate, whole: NumberValue, length: Length, span: Span): NumberValue {
  const uniform = whole.uniform ?? '';
  if (!('share' in own)) return evaluateSchedule(ctx, own, length, uniform, span);
  return { ...whole, value: whole.value * own.share, schedule: ['*', scheduleOf(whole), own.share], uniform };
}
