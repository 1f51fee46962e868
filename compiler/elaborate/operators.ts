/** Arithmetic and comparison on numbers that are known, and on tensors. Numbers are float64; whole numbers stay exact. */
import type { Span } from '../../grammar/index.ts';
import type { Node } from '../graph/graph.ts';
import type { Context } from './context.ts';
import { fail } from './fault.ts';
import { bool, describe, tensor } from './values.ts';
import type { NumberValue, Value } from './values.ts';

type Numeric = (a: number, b: number) => number;

const ARITHMETIC: Record<string, Numeric> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => ((a % b) + b) % b,
  '^': (a, b) => a ** b,
};

const COMPARISON: Record<string, (a: number, b: number) => boolean> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
};

/** Applies a numeric function to numbers, step by step where they change with the step, and remembers how it was done. */
export function mapNumbers(
  fn: (...xs: number[]) => number,
  how: (...keys: string[]) => string,
  values: NumberValue[],
  unit?: string,
): NumberValue {
  const result: NumberValue = { kind: 'number', value: fn(...values.map((v) => v.value)), ...(unit ? { unit } : {}) };
  const at = values.find((v) => v.at !== undefined)?.at;
  if (at) result.at = at;
  if (values.some((v) => v.uniform !== undefined)) result.uniform = how(...values.map((v) => v.uniform ?? String(v.value)));
  const changing = values.flatMap((v) => (v.steps ? [v.steps] : []));
  if (changing.length === 0) return result;
  const key = how(...values.map((v) => (v.steps ? 'step' : String(v.value))));
  const known = changing.length === 1 ? MAPPED.get(changing[0])?.get(key) : undefined;
  const steps = known ?? changing[0].map((_, i) => fn(...values.map((v) => (v.steps ? v.steps[i] : v.value))));
  if (changing.length === 1) MAPPED.set(changing[0], (MAPPED.get(changing[0]) ?? new Map<string, Float64Array>()).set(key, steps));
  return { ...result, steps };
}

/** What was made of numbers that change with the step, by what was done: an optimizer does the same for every weight. */
const MAPPED = new WeakMap<Float64Array, Map<string, Float64Array>>();

/** Unit of a result: equal units add up, a unit survives a plain factor, and divides away against itself. */
function unitOf(operator: string, a: NumberValue, b: NumberValue, span: Span): string | undefined {
  if (a.unit === b.unit) return operator === '/' ? undefined : a.unit;
  if ((operator === '*' || operator === '/') && (a.unit === undefined || b.unit === undefined)) return a.unit ?? b.unit;
  if (a.unit === undefined && b.value === 0) return b.unit;
  return fail('P0302', { expected: a.unit ? `a number in ${a.unit}` : 'a plain number', found: describe(b) }, span);
}

export function binary(ctx: Context, operator: string, left: Value, right: Value, span: Span): Value {
  if (operator === '==' || operator === '!=') {
    const plain = equalPlain(left, right);
    if (plain !== undefined) return bool(operator === '==' ? plain : !plain);
  }
  if (left.kind === 'number' && right.kind === 'number') {
    const arithmetic = ARITHMETIC[operator];
    if (arithmetic) return mapNumbers(arithmetic, (a, b) => `(${a} ${operator} ${b})`, [left, right], unitOf(operator, left, right, span));
    if (left.steps || right.steps) return fail('P0306', { found: 'a number that changes with the step' }, span);
    if (COMPARISON[operator]) return bool(COMPARISON[operator](left.value, right.value));
  }
  if (left.kind === 'string' && right.kind === 'string' && operator === '+') return { kind: 'string', value: left.value + right.value };
  if ((left.kind === 'tensor' || left.kind === 'number') && (right.kind === 'tensor' || right.kind === 'number')) {
    return tensor(tensorBinary(ctx, operator, left, right, span));
  }
  return fail('P0305', { operator, left: describe(left), right: describe(right) }, span);
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
  const [x, y] = together(ctx, left, right);
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
      return b.pow(x, right.kind === 'number' && right.uniform === undefined ? right.value : y);
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
function together(ctx: Context, left: Value, right: Value): [Node, Node] {
  const dtype = (left.kind === 'tensor' ? left.node : right.kind === 'tensor' ? right.node : undefined)?.dtype ?? 'f32';
  const node = (v: Value): Node => {
    if (v.kind === 'tensor') return v.node;
    const n = v as NumberValue;
    return dtype === 'f32' || n.uniform !== undefined ? ctx.node(n) : ctx.builder.constant(n.value, dtype);
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
    if (operand.kind === 'number')
      return mapNumbers(
        (a) => -a,
        (a) => `(-${a})`,
        [operand],
        operand.unit,
      );
    if (operand.kind === 'tensor') return tensor(ctx.builder.neg(operand.node));
  }
  return fail('P0305', { operator, left: '', right: describe(operand) }, span);
}
