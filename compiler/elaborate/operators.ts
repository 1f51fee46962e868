/** Arithmetic and comparison on numbers that are known, and on tensors. Numbers are float64; whole numbers stay exact. */
import { LIMITS } from '../../grammar/index.ts';
import type { Span } from '../../grammar/index.ts';
import type { Node } from '../graph/graph.ts';
import { hashText } from '../../plan/hash.ts';
import { operation } from '../../plan/schedule.ts';
import type { Binary, Schedule, Unary } from '../../plan/schedule.ts';
import type { Context } from './context.ts';
import { fail } from './fault.ts';
import { meet, plainNumber } from './units.ts';
import { bool, describe, tensor } from './values.ts';
import type { NumberValue, Value } from './values.ts';

const ARITHMETIC: readonly string[] = ['+', '-', '*', '/', '%', '^'] satisfies Binary[];
const COMPARISON: readonly string[] = ['<', '<=', '>', '>=', '==', '!='] satisfies Binary[];

/** Applies an operator to numbers, and to their formulas where they change with the step, and remembers how it was done. */
export function mapNumbers(operator: Binary | Unary, values: NumberValue[], unit?: string): NumberValue {
  const result: NumberValue = { kind: 'number', value: operation(operator)(...values.map((v) => v.value)), ...(unit ? { unit } : {}) };
  const at = values.find((v) => v.at !== undefined)?.at;
  if (at) result.at = at;
  if (values.some((v) => v.uniform !== undefined)) result.uniform = written(operator, values);
  if (values.some((v) => v.schedule !== undefined)) result.schedule = sized([operator, ...values.map(scheduleOf)]);
  return result;
}

/** Operations in each formula as it is written in the plan, where what is shared is written again: `x = x * x` doubles it. */
const SIZES = new WeakMap<object, number>();

function sized(schedule: Schedule & object): Schedule {
  const size = schedule.reduce<number>((n, part) => n + (typeof part === 'object' ? (SIZES.get(part) ?? 1) : 0), 1);
  if (size > LIMITS.formula.most) fail('P0701', { limit: 'formula', where: 'a number that changes with the step' });
  SIZES.set(schedule, size);
  return schedule;
}

/** `(1 - adamw.beta1)`, `sqrt(adamw.beta2)`; the hash of what is too long to read, since `x = x * x` doubles it. */
function written(operator: string, values: NumberValue[]): string {
  const names = values.map((v) => v.uniform ?? String(v.value));
  const whole = /^\w+$/.test(operator) ? `${operator}(${names.join(', ')})` : `(${names.join(` ${operator} `)})`;
  return whole.length > 1_000 ? `(${hashText(whole)})` : whole;
}

/** The formula of a number; one that is the same at every step is its own, as far as JSON has it. */
export function scheduleOf({ value, schedule }: NumberValue): Schedule {
  if (schedule !== undefined) return schedule;
  if (Object.is(value, -0)) return ['neg', 0];
  if (Number.isFinite(value)) return value;
  return ['/', Number.isNaN(value) ? 0 : Math.sign(value), 0];
}

export function binary(ctx: Context, operator: string, left: Value, right: Value, span: Span): Value {
  if (operator === '==' || operator === '!=') {
    const plain = equalPlain(left, right);
    if (plain !== undefined) return bool(operator === '==' ? plain : !plain);
  }
  if (left.kind === 'number' && right.kind === 'number') {
    if (ARITHMETIC.includes(operator)) {
      const { operands, unit } = meet(operator, left, right, span);
      return mapNumbers(operator as Binary, operands, unit);
    }
    if (COMPARISON.includes(operator)) return compare(ctx, operator as Binary, left, right, span);
  }
  if (left.kind === 'string' && right.kind === 'string' && operator === '+') return { kind: 'string', value: left.value + right.value };
  if ((left.kind === 'tensor' || left.kind === 'number') && (right.kind === 'tensor' || right.kind === 'number')) {
    return tensor(tensorBinary(ctx, operator, left, right, span));
  }
  return fail('P0305', { operator, left: describe(left), right: describe(right) }, span);
}

/** A comparison decides what is built, so one that the step decides has a meaning only while a schedule runs. */
function compare(ctx: Context, operator: Binary, left: NumberValue, right: NumberValue, span: Span): Value {
  const changes = left.schedule !== undefined || right.schedule !== undefined;
  if (changes && !ctx.compared) return fail('P0306', { found: 'a number that changes with the step' }, span);
  const [a, b] = meet(operator, left, right, span).operands;
  const holds = operation(operator)(a.value, b.value) !== 0;
  if (changes) ctx.compared?.push({ condition: [operator, scheduleOf(a), scheduleOf(b)], holds });
  return bool(holds);
}

/** Equality of things that are not numbers: `allowed != none`, `kind == "a"`; undefined where it is no such question. */
function equalPlain(left: Value, right: Value): boolean | undefined {
  if (left.kind === 'none' || right.kind === 'none') return left.kind === right.kind;
  if (left.kind === 'string' && right.kind === 'string') return left.value === right.value;
  if (left.kind === 'bool' && right.kind === 'bool') return left.value === right.value;
  return undefined;
}

function tensorBinary(ctx: Context, operator: string, left: Value, right: Value, span: Span): Node {
  const b = ctx.builder;
  const [x, y] = together(ctx, left, right, span);
  switch (operator) {
    case '+':
      return b.add(x, y);
    case '-':
      return b.sub(x, y);
    case '*':
      return b.mul(x, y);
    case '/':
      return b.div(x, y);
    case '^':
      return b.pow(x, right.kind === 'number' && right.uniform === undefined ? plainNumber(right, span).value : y);
    case '<':
      return b.less(x, y);
    case '>':
      return b.less(y, x);
    case '<=':
      return b.lessEqual(x, y);
    case '>=':
      return b.lessEqual(y, x);
    case '==':
      return b.equal(x, y);
    case '!=':
      return b.not(b.equal(x, y));
    default:
      return fail('P0305', { operator, left: describe(left), right: describe(right) }, span);
  }
}

/** Both operands as nodes of one type: a plain number takes the type of the tensor beside it. */
function together(ctx: Context, left: Value, right: Value, span: Span): [Node, Node] {
  const dtype = (left.kind === 'tensor' ? left.node : right.kind === 'tensor' ? right.node : undefined)?.dtype ?? 'f32';
  const node = (v: Value): Node => {
    if (v.kind === 'tensor') return v.node;
    const n = plainNumber(v as NumberValue, span);
    return dtype === 'f32' || n.uniform !== undefined ? ctx.node(n, span) : ctx.builder.constant(n.value, dtype);
  };
  let [x, y] = [node(left), node(right)];
  // Whole tensors and f32 meet as f32; truth values do not count as numbers.
  if (x.dtype !== y.dtype && x.dtype !== 'bool' && y.dtype !== 'bool') [x, y] = [ctx.builder.cast(x, 'f32'), ctx.builder.cast(y, 'f32')];
  return [x, y];
}

/** `and`, `or` where an operand is a tensor of truth values; plain ones are short-circuited by the caller. */
export function logical(ctx: Context, operator: 'and' | 'or', left: Value, right: Value, span: Span): Value {
  if (left.kind === 'bool' && right.kind === 'bool')
    return bool(operator === 'and' ? left.value && right.value : left.value || right.value);
  const node = (v: Value): Node | undefined =>
    v.kind === 'tensor' && v.node.dtype === 'bool' ? v.node : v.kind === 'bool' ? ctx.builder.constant(v.value ? 1 : 0, 'bool') : undefined;
  const [x, y] = [node(left), node(right)];
  if (!x || !y) return fail('P0305', { operator, left: describe(left), right: describe(right) }, span);
  // The builder broadcasts elementwise operands.
  return tensor(ctx.builder.binary(operator, x, y));
}

export function unary(ctx: Context, operator: string, operand: Value, span: Span): Value {
  if (operator === 'not') {
    if (operand.kind === 'bool') return bool(!operand.value);
    if (operand.kind === 'tensor' && operand.node.dtype === 'bool') return tensor(ctx.builder.not(operand.node));
  } else {
    if (operand.kind === 'number') return mapNumbers('neg', [operand], operand.unit);
    if (operand.kind === 'tensor') return tensor(ctx.builder.neg(operand.node));
  }
  return fail('P0305', { operator, left: '', right: describe(operand) }, span);
}
