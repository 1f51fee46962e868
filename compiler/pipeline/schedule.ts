/** Rates by step: a schedule's body is run once for each update, in float64, when the plan is made. */
import { bindParameters } from '../elaborate/calls.ts';
import type { Context } from '../elaborate/context.ts';
import { fail } from '../elaborate/fault.ts';
import { runStatements } from '../elaborate/statements.ts';
import { describe, number } from '../elaborate/values.ts';
import type { BoundValue, NumberValue, Value } from '../elaborate/values.ts';
import { countedApart } from '../elaborate/work.ts';
import type { Span } from '../../grammar/index.ts';

/** How long a stage is: what durations in epochs and percent refer to. */
export interface Length {
  steps: number;
  stepsPerEpoch: number;
}

/** A duration in steps; percent are rounded up, as transformers rounds its warm-up ratio. */
export function inSteps(value: NumberValue, length: Length): number {
  if (value.unit === '%') return Math.ceil((value.value / 100) * length.steps);
  if (value.unit === 'epochs') return Math.round(value.value * length.stepsPerEpoch);
  return value.value;
}

/** The rate at each of the steps; a plain number is a constant rate. `uniform` names the scalar that it becomes. */
export function evaluateSchedule(ctx: Context, rate: Value, length: Length, uniform: string, span: Span): NumberValue {
  if (rate.kind === 'number' && !Number.isFinite(rate.value)) fail('P0301', { expected: 'a finite rate', found: describe(rate) }, span);
  const steps = countedApart(() =>
    Float64Array.from({ length: length.steps }, (_, step) => (rate.kind === 'number' ? rate.value : rateAt(ctx, rate, step, length, span))),
  );
  return { kind: 'number', value: steps[0] ?? 0, steps, uniform };
}

function rateAt(ctx: Context, rate: Value, step: number, length: Length, span: Span): number {
  if (rate.kind !== 'bound' || rate.definition.keyword !== 'schedule')
    return fail('P0301', { expected: 'a schedule or a number', found: describe(rate) }, span);
  const bound: BoundValue = { ...rate, given: new Map([...rate.given, ['step', number(step)], ['steps', number(length.steps)]]) };
  const scope = bindParameters(ctx, bound, rate.module, span, (_, value) =>
    value.kind === 'number' && value.unit ? { ...value, value: inSteps(value, length), unit: undefined } : value,
  );
  const result = runStatements(ctx, rate.definition.body ?? [], scope, {});
  if (result?.kind !== 'number' || !Number.isFinite(result.value))
    return fail(
      'P0301',
      {
        expected: `a finite rate from the schedule ${rate.definition.name.text} at step ${step}`,
        found: result ? describe(result) : 'nothing',
      },
      span,
    );
  return result.value;
}
