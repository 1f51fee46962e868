/** Elementwise functions of two operands of one shape. A new function is one more entry of `BINARY`. */
import type { Dtype } from '../../../plan/dtypes.ts';
import type { GraphBuilder } from '../builder.ts';
import { ShapeError } from '../errors.ts';
import type { BinaryFn, Node } from '../graph.ts';
import { elements, formatShape, sameShape } from '../shape.ts';
import type { OpOf, Primitive } from './primitive.ts';
import type { Width } from './unary.ts';

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
  evaluate(x: number, y: number, dtype: Dtype): number;
  /** Gradients of the two operands, each made only if wanted; absent where none flows. */
  gradient?: { first(a: BinaryArguments): Node; second(a: BinaryArguments): Node };
  wgsl(x: string, y: string, width: Width): string;
}

const NUMBERS: readonly Dtype[] = ['f32', 'i32', 'u32'];
const integer = (dtype: Dtype) => dtype === 'i32' || dtype === 'u32';

export const BINARY: Record<BinaryFn, BinaryRule> = {
  add: {
    takes: NUMBERS,
    evaluate: (x, y) => x + y,
    gradient: { first: ({ dy }) => dy, second: ({ dy }) => dy },
    wgsl: (x, y) => `(${x} + ${y})`,
  },
  sub: {
    takes: NUMBERS,
    evaluate: (x, y) => x - y,
    gradient: { first: ({ dy }) => dy, second: ({ b, dy }) => b.neg(dy) },
    wgsl: (x, y) => `(${x} - ${y})`,
  },
  mul: {
    takes: NUMBERS,
    // Whole numbers wrap around, beyond 2^53 too.
    evaluate: (x, y, dtype) => (integer(dtype) ? Math.imul(x, y) : x * y),
    gradient: { first: ({ b, y, dy }) => b.mul(dy, y), second: ({ b, x, dy }) => b.mul(dy, x) },
    wgsl: (x, y) => `(${x} * ${y})`,
  },
  div: {
    takes: NUMBERS,
    // WGSL defines x / 0 = x for whole numbers.
    evaluate: (x, y, dtype) => (!integer(dtype) ? x / y : y === 0 ? x : Math.trunc(x / y)),
    gradient: {
      first: ({ b, y, dy }) => b.div(dy, y),
      second: ({ b, y, result, dy }) => b.neg(b.mul(b.div(dy, y), result)),
    },
    wgsl: (x, y) => `(${x} / ${y})`,
  },
  // At ties the second operand takes the whole gradient: max(x, 0) then has gradient 0 at 0, as ReLU is defined elsewhere.
  max: {
    takes: NUMBERS,
    evaluate: (x, y) => Math.max(x, y),
    gradient: {
      first: ({ b, x, y, dy }) => b.select(b.less(y, x), dy, 0),
      second: ({ b, x, y, dy }) => b.select(b.less(y, x), 0, dy),
    },
    wgsl: (x, y) => `max(${x}, ${y})`,
  },
  min: {
    takes: NUMBERS,
    evaluate: (x, y) => Math.min(x, y),
    gradient: {
      first: ({ b, x, y, dy }) => b.select(b.less(x, y), dy, 0),
      second: ({ b, x, y, dy }) => b.select(b.less(x, y), 0, dy),
    },
    wgsl: (x, y) => `min(${x}, ${y})`,
  },
  pow: {
    takes: ['f32'],
    evaluate: Math.pow,
    gradient: {
      first: ({ b, x, y, dy }) => b.mul(dy, b.mul(y, b.binary('pow', x, b.sub(y, 1)))),
      // x^y log x has the limit 0 at x = 0, where log is infinite.
      second: ({ b, x, result, dy }) => b.select(b.less(0, x), b.mul(dy, b.mul(result, b.log(b.max(x, 1e-30)))), 0),
    },
    wgsl: (x, y) => `pow(${x}, ${y})`,
  },
  less: { takes: NUMBERS, gives: 'bool', evaluate: (x, y) => (x < y ? 1 : 0), wgsl: (x, y) => `(${x} < ${y})` },
  equal: { takes: [...NUMBERS, 'bool'], gives: 'bool', evaluate: (x, y) => (x === y ? 1 : 0), wgsl: (x, y) => `(${x} == ${y})` },
  // `&&` and `||` do not exist for vectors; `&` and `|` serve both.
  and: { takes: ['bool'], evaluate: (x, y) => x * y, wgsl: (x, y) => `(${x} & ${y})` },
  or: { takes: ['bool'], evaluate: (x, y) => Math.max(x, y), wgsl: (x, y) => `(${x} | ${y})` },
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
