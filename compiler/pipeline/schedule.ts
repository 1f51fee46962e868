/**
 * Rates by step. A schedule's body is run at a few steps, and what it does with the step becomes a formula: a run takes one side of each
 * comparison that the step decides, and holds for all steps that take the same sides; the others are run on their own. Where the body does
 * more with the step than a formula can say (it chooses from a list, it counts up to it), it is run for each update.
 */
import { asFunction, firstNotFinite, valueAt } from '../../plan/schedule.ts';
import type { Schedule } from '../../plan/schedule.ts';
import { bindParameters } from '../elaborate/calls.ts';
import type { Context } from '../elaborate/context.ts';
import { Fault, fail } from '../elaborate/fault.ts';
import { scheduleOf } from '../elaborate/operators.ts';
import { runStatements } from '../elaborate/statements.ts';
import { plainNumber } from '../elaborate/units.ts';
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

/** The rate of all steps; a plain number is a constant rate. `uniform` names the scalar that it becomes. */
export function evaluateSchedule(ctx: Context, rate: Value, length: Length, uniform: string, span: Span): NumberValue {
  if (rate.kind === 'number') {
    if (!Number.isFinite(rate.value)) fail('P0301', { expected: 'a finite rate', found: describe(rate) }, span);
    return { kind: 'number', value: rate.value, schedule: rate.value, uniform };
  }
  if (rate.kind !== 'bound' || rate.definition.keyword !== 'schedule')
    return fail('P0301', { expected: 'a schedule or a number', found: describe(rate) }, span);
  const schedule = known(rate, length, () => scheduleOfRun({ ctx, rate, length, span }));
  return { kind: 'number', value: valueAt(schedule, 0), schedule, uniform };
}

/** Schedules by what they were evaluated of, by the steps and the steps of an epoch: a stage asks for each of its programs. */
const KNOWN = new WeakMap<BoundValue, Map<string, Schedule>>();

function known(rate: BoundValue, { steps, stepsPerEpoch }: Length, make: () => Schedule): Schedule {
  const schedules = KNOWN.get(rate) ?? new Map<string, Schedule>();
  const key = `${steps} ${stepsPerEpoch}`;
  const schedule = schedules.get(key) ?? make();
  KNOWN.set(rate, schedules.set(key, schedule));
  return schedule;
}

function scheduleOfRun(run: Run): Schedule {
  const { length } = run;
  const schedule = countedApart(
    () => formulaOf(run) ?? (['listed', ...Array.from({ length: length.steps }, (_, step) => rateAt(run, step))] as const),
  );
  const wrong = firstNotFinite(schedule, length.steps);
  if (wrong !== undefined) notFinite(run, wrong, number(valueAt(schedule, wrong)));
  return schedule;
}

/** One schedule over one stage. */
interface Run {
  ctx: Context;
  rate: BoundValue;
  length: Length;
  span: Span;
}

/** The rate at one step, by the body alone. */
function rateAt(run: Run, step: number): number {
  const result = bodyAt(run, number(step));
  return result?.kind === 'number' && Number.isFinite(result.value) ? result.value : notFinite(run, step, result);
}

/** What the body gives at a step, as a plain number: 10% is 0.1. */
function bodyAt({ ctx, rate, length, span }: Run, step: NumberValue): Value | undefined {
  const bound: BoundValue = { ...rate, given: new Map([...rate.given, ['step', step], ['steps', number(length.steps)]]) };
  const scope = bindParameters(ctx, bound, rate.module, span, (_, value) =>
    value.kind === 'number' && value.unit ? { ...value, value: inSteps(value, length), unit: undefined } : value,
  );
  const result = runStatements(ctx, rate.definition.body ?? [], scope, {});
  return result?.kind === 'number' ? plainNumber(result, rate.definition.name.span) : result;
}

function notFinite({ rate, span }: Run, step: number, found: Value | undefined): never {
  const expected = `a finite rate from the schedule ${rate.definition.name.text} at step ${step}`;
  return fail('P0301', { expected, found: found ? describe(found) : 'nothing' }, span);
}

type Compared = NonNullable<Context['compared']>;

/**
 * Sides of comparisons that a schedule may have in all, steps of each at which its formula is compared with its body, and comparisons that may be
 * made to find the steps of each side.
 */
const PIECES = 64;
const SAMPLES = 5;
const COMPARISONS = 10_000_000;

/** The formula of a schedule, or undefined where it has none. */
function formulaOf(run: Run): Schedule | undefined {
  const { steps } = run.length;
  const samples = new Set<number>();
  let pieces = 0;
  let comparisons = 0;
  /** The formula of the steps that take these sides; undefined where there are none. */
  const explore = (sides: Compared): Schedule | undefined => {
    const conditions = sides.map(({ condition, holds }) => ({ at: asFunction(condition), holds }));
    const takes = (step: number): boolean => {
      comparisons += conditions.length;
      if (comparisons > COMPARISONS) throw new NoFormula();
      return conditions.every(({ at, holds }) => (at(step) !== 0) === holds);
    };
    let first = 0;
    while (first < steps && !takes(first)) first++;
    if (first === steps) return undefined;
    if (++pieces > PIECES) throw new NoFormula();
    let last = steps - 1;
    while (!takes(last)) last--;
    for (let i = 0; i < SAMPLES; i++) samples.add(first + Math.round(((last - first) * i) / (SAMPLES - 1)));
    const { formula, compared } = traced(run, first);
    return compared.reduceRight<Schedule>((taken, { condition, holds }, i) => {
      if (i < sides.length) return taken;
      const other = explore([...compared.slice(0, i), { condition, holds: !holds }]);
      if (other === undefined) return taken;
      return holds ? ['if', condition, taken, other] : ['if', condition, other, taken];
    }, formula);
  };
  try {
    const formula = explore([]);
    if (formula === undefined) return undefined;
    const at = asFunction(formula);
    return [...samples].every((step) => Object.is(at(step), rateAt(run, step))) ? formula : undefined;
  } catch (error) {
    // A fault of the body itself is met again, at its step, when the body is run for each.
    if (error instanceof NoFormula || error instanceof Fault) return undefined;
    throw error;
  }
}

class NoFormula extends Error {}

/** Runs the body at a step and keeps what it did with the step: its formula, and the comparisons on the way. */
function traced(run: Run, step: number): { formula: Schedule; compared: Compared } {
  const compared: Compared = [];
  run.ctx.compared = compared;
  try {
    const result = bodyAt(run, { kind: 'number', value: step, schedule: 'step' });
    return { formula: result?.kind === 'number' ? scheduleOf(result) : notFinite(run, step, result), compared };
  } finally {
    run.ctx.compared = undefined;
  }
}
