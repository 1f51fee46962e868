/** Elementwise functions of two operands of one shape. A new function is one more entry of `BINARY`. */
import type { Dtype } from '../../../plan/dtypes.ts';
import type { GraphBuilder } from '../builder.ts';
import { ShapeError } from '../errors.ts';
import type { BinaryFn, Node } from '../graph.ts';
import { elements, formatShape, sameShape } from '../shape.ts';
import * as compare from './functions/compare.ts';
import { nameOf, ZERO } from './functions/helper.ts';
import type { Helper, Width } from './functions/helper.ts';
import { pow } from './functions/power.ts';
import type { OpOf, Primitive } from './primitive.ts';

export interface BinaryArguments {
  b: GraphBuilder;
  x: Node;
  y: Node;
  result: Node;
  dy: Node;
}

export interface BinaryRule {
  takes: readonly Dtype[];
  gives?: Dtype;
  /** As of `UnaryRule`; 0.5 is correct rounding. */
  ulp: number;
  evaluate(x: number, y: number, dtype: Dtype): number;
  /** Gradients of the two operands, each made only if wanted; absent where none flows. */
  gradient?: { first(a: BinaryArguments): Node; second(a: BinaryArguments): Node };
  wgsl(x: string, y: string, width: Width, dtype: Dtype): string;
  /** WGSL functions that the expression calls on f32; other types have the operators of the language. */
  helpers?: readonly Helper[];
}

const NUMBERS: readonly Dtype[] = ['f32', 'i32', 'u32'];
const integer = (dtype: Dtype) => dtype === 'i32' || dtype === 'u32';

/** A call of the helper of that name for f32; for whole numbers what the language has. */
const onFloats = (name: string, otherwise: (x: string, y: string) => string) => (x: string, y: string, width: Width, dtype: Dtype) =>
  dtype === 'f32' ? `${nameOf(name, width)}(${x}, ${y})` : otherwise(x, y);

/** C99's pow. JavaScript gives NaN where 1 or -1 meets an infinite exponent, or 1 a NaN. */
function power(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
}

export const BINARY: Record<BinaryFn, BinaryRule> = {
  add: {
    takes: NUMBERS,
    ulp: 0.5,
    evaluate: (x, y) => x + y,
    gradient: { first: ({ dy }) => dy, second: ({ dy }) => dy },
    wgsl: (x, y) => `(${x} + ${y})`,
  },
  sub: {
    takes: NUMBERS,
    ulp: 0.5,
    evaluate: (x, y) => x - y,
    gradient: { first: ({ dy }) => dy, second: ({ b, dy }) => b.neg(dy) },
    wgsl: (x, y) => `(${x} - ${y})`,
  },
  mul: {
    takes: NUMBERS,
    ulp: 0.5,
    // Whole numbers wrap around, beyond 2^53 too.
    evaluate: (x, y, dtype) => (integer(dtype) ? Math.imul(x, y) : x * y),
    gradient: { first: ({ b, y, dy }) => b.mul(dy, y), second: ({ b, x, dy }) => b.mul(dy, x) },
    wgsl: (x, y) => `(${x} * ${y})`,
  },
  div: {
    takes: NUMBERS,
    ulp: 2.5,
    // WGSL defines x / 0 = x for whole numbers.
    evaluate: (x, y, dtype) => (!integer(dtype) ? x / y : y === 0 ? x : Math.trunc(x / y)),
    gradient: {
      first: ({ b, y, dy }) => b.div(dy, y),
      second: ({ b, y, result, dy }) => b.neg(b.mul(b.div(dy, y), result)),
    },
    // A constant 0 as a divisor of whole numbers would not compile; this one the compiler does not know.
    wgsl: (x, y, width, dtype) =>
      dtype === 'f32' ? `(${x} / ${y})` : `(${x} / (${y} | ${width === 1 ? '' : `vec4<${dtype}>`}(${dtype}(${ZERO}))))`,
  },
  // At ties the second operand takes the whole gradient: max(x, 0) then has gradient 0 at 0, as ReLU is defined elsewhere. Where an operand is
  // NaN both take it, as in torch.
  max: {
    takes: NUMBERS,
    ulp: 0,
    evaluate: (x, y) => Math.max(x, y),
    gradient: {
      first: ({ b, x, y, dy }) => b.select(b.lessEqual(x, y), 0, dy),
      second: ({ b, x, y, dy }) => b.select(b.less(y, x), 0, dy),
    },
    wgsl: onFloats('max', (x, y) => `max(${x}, ${y})`),
    helpers: [compare.max],
  },
  min: {
    takes: NUMBERS,
    ulp: 0,
    evaluate: (x, y) => Math.min(x, y),
    gradient: {
      first: ({ b, x, y, dy }) => b.select(b.lessEqual(y, x), 0, dy),
      second: ({ b, x, y, dy }) => b.select(b.less(x, y), 0, dy),
    },
    wgsl: onFloats('min', (x, y) => `min(${x}, ${y})`),
    helpers: [compare.min],
  },
  pow: {
    takes: ['f32'],
    ulp: 2,
    evaluate: power,
    gradient: {
      // 0 for the exponent 0, where x^-1 may be infinite.
      first: ({ b, x, y, dy }) => b.select(b.equal(y, 0), 0, b.mul(dy, b.mul(y, b.binary('pow', x, b.sub(y, 1))))),
      // x^y log x has the limit 0 at x = 0, where log is infinite; negative bases have powers for whole exponents only, and no slope.
      second: ({ b, x, y, result, dy }) => b.select(b.and(b.equal(x, 0), b.lessEqual(0, y)), 0, b.mul(dy, b.mul(result, b.log(x)))),
    },
    wgsl: (x, y, width) => `${nameOf('pow', width)}(${x}, ${y}, ${ZERO})`,
    helpers: [pow],
  },
  less: { takes: NUMBERS, gives: 'bool', ulp: 0, evaluate: (x, y) => (x < y ? 1 : 0), wgsl: (x, y) => `(${x} < ${y})` },
  // Not the negation of y < x, which would be true for NaN.
  less_equal: {
    takes: NUMBERS,
    gives: 'bool',
    ulp: 0,
    evaluate: (x, y) => (x <= y ? 1 : 0),
    wgsl: onFloats('less_equal', (x, y) => `(${x} <= ${y})`),
    helpers: [compare.lessEqual],
  },
  equal: {
    takes: [...NUMBERS, 'bool'],
    gives: 'bool',
    ulp: 0,
    evaluate: (x, y) => (x === y ? 1 : 0),
    wgsl: onFloats('equal', (x, y) => `(${x} == ${y})`),
    helpers: [compare.equal],
  },
  // `&&` and `||` do not exist for vectors; `&` and `|` serve both.
  and: { takes: ['bool'], ulp: 0, evaluate: (x, y) => x * y, wgsl: (x, y) => `(${x} & ${y})` },
  or: { takes: ['bool'], ulp: 0, evaluate: (x, y) => Math.max(x, y), wgsl: (x, y) => `(${x} | ${y})` },
};

export const binary: Primitive<OpOf<'binary'>> = {
  lowering: 'elementwise',
  type(op, [x, y]) {
    const rule = BINARY[op.fn];
    if (!sameShape(x.shape, y.shape))
      throw new ShapeError(`${op.fn} of shapes ${formatShape(x.shape)} and ${formatShape(y.shape)}, which differ`);
    if (x.dtype !== y.dtype) throw new ShapeError(`${op.fn} of ${x.dtype} and ${y.dtype}`, 'Cast one operand to the type of the other.');
    if (!rule.takes.includes(x.dtype)) throw new ShapeError(`${op.fn} takes ${rule.takes.join(' or ')}, not ${x.dtype}`);
    return { shape: x.shape, dtype: rule.gives ?? x.dtype };
  },
  gradient(c, op, node, dy) {
    const rule = BINARY[op.fn].gradient;
    if (!rule) return [];
    const args = { b: c.builder, x: node.inputs[0], y: node.inputs[1], result: node, dy };
    return [c.wanted(0) ? rule.first(args) : undefined, c.wanted(1) ? rule.second(args) : undefined];
  },
  evaluate(op, node, [x, y]) {
    const { evaluate } = BINARY[op.fn];
    const dtype = node.inputs[0].dtype;
    return x.map((value, i) => evaluate(value, y[i], dtype));
  },
  flops: (_op, node) => elements(node.shape),
};
