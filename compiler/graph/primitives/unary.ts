/** Elementwise functions of one operand. A new function is one more entry of `UNARY`. */
import type { Dtype } from '../../../plan/dtypes.ts';
import type { GraphBuilder } from '../builder.ts';
import { ShapeError } from '../errors.ts';
import type { Node, UnaryFn } from '../graph.ts';
import { elements } from '../shape.ts';
import { erf, erfHelper, erfName } from './erf.ts';
import type { OpOf, Primitive } from './primitive.ts';
import { sineCall, sineHelper } from './sine.ts';

/** Kernels work on single values or on four at a time. */
export type Width = 1 | 4;

export interface UnaryRule {
  /** Which element types it takes. */
  takes: readonly Dtype[];
  /** What it gives, where that is not what it takes. */
  gives?: Dtype;
  evaluate(x: number): number;
  /** Gradient of x, given x, the result y and its gradient dy; absent for steps. */
  gradient?(b: GraphBuilder, x: Node, y: Node, dy: Node): Node;
  /** The expression; the argument is an expression that may stand anywhere without further brackets. */
  wgsl(x: string, width: Width): string;
  /** A WGSL function that the expression calls. */
  helper?(width: Width): string;
}

const F32: readonly Dtype[] = ['f32'];
const f32 = (value: string, width: Width) => (width === 1 ? value : `vec4<f32>(${value})`);

export const UNARY: Record<UnaryFn, UnaryRule> = {
  neg: { takes: ['f32', 'i32'], evaluate: (x) => -x, gradient: (b, _x, _y, dy) => b.neg(dy), wgsl: (x) => `(-${x})` },
  exp: { takes: F32, evaluate: Math.exp, gradient: (b, _x, y, dy) => b.mul(dy, y), wgsl: (x) => `exp(${x})` },
  log: { takes: F32, evaluate: Math.log, gradient: (b, x, _y, dy) => b.div(dy, x), wgsl: (x) => `log(${x})` },
  sqrt: { takes: F32, evaluate: Math.sqrt, gradient: (b, _x, y, dy) => b.div(b.mul(dy, 0.5), y), wgsl: (x) => `sqrt(${x})` },
  tanh: {
    takes: F32,
    evaluate: Math.tanh,
    gradient: (b, _x, y, dy) => b.mul(dy, b.sub(1, b.mul(y, y))),
    // Some drivers compute it from exponentials that overflow; at 10 it is 1 in f32.
    wgsl: (x, width) => `tanh(clamp(${x}, ${f32('-10.0', width)}, ${f32('10.0', width)}))`,
  },
  erf: {
    takes: F32,
    evaluate: erf,
    gradient: (b, x, _y, dy) => b.mul(dy, b.mul(b.exp(b.neg(b.mul(x, x))), 2 / Math.sqrt(Math.PI))),
    wgsl: (x, width) => `${erfName(width)}(${x})`,
    helper: erfHelper,
  },
  sin: {
    takes: F32,
    evaluate: Math.sin,
    gradient: (b, x, _y, dy) => b.mul(dy, b.cos(x)),
    wgsl: (x, width) => sineCall(x, 0, width),
    helper: sineHelper,
  },
  cos: {
    takes: F32,
    evaluate: Math.cos,
    gradient: (b, x, _y, dy) => b.neg(b.mul(dy, b.sin(x))),
    wgsl: (x, width) => sineCall(x, 1, width),
    helper: sineHelper,
  },
  abs: {
    takes: ['f32', 'i32'],
    evaluate: Math.abs,
    // The sign of x, and 0 at 0.
    gradient: (b, x, _y, dy) => b.select(b.less(0, x), dy, b.select(b.less(x, 0), b.neg(dy), 0)),
    wgsl: (x) => `abs(${x})`,
  },
  floor: { takes: F32, evaluate: Math.floor, wgsl: (x) => `floor(${x})` },
  not: { takes: ['bool'], evaluate: (x) => 1 - x, wgsl: (x) => `(!${x})` },
  is_finite: {
    takes: F32,
    gives: 'bool',
    evaluate: (x) => (Number.isFinite(x) ? 1 : 0),
    // On the exponent's bits: WGSL may assume that neither NaN nor infinity occurs.
    wgsl: (x, width) =>
      width === 1
        ? `((bitcast<u32>(${x}) & 0x7f800000u) != 0x7f800000u)`
        : `((bitcast<vec4<u32>>(${x}) & vec4<u32>(0x7f800000u)) != vec4<u32>(0x7f800000u))`,
  },
};

export const unary: Primitive<OpOf<'unary'>> = {
  lowering: 'elementwise',
  type(op, [x]) {
    const rule = UNARY[op.fn];
    if (!rule.takes.includes(x.dtype)) throw new ShapeError(`${op.fn} takes ${rule.takes.join(' or ')}, not ${x.dtype}`);
    return { shape: x.shape, dtype: rule.gives ?? x.dtype };
  },
  gradient: (c, op, node, dy) => [UNARY[op.fn].gradient?.(c.builder, node.inputs[0], node, dy)],
  evaluate: (op, _node, [x]) => x.map((value) => UNARY[op.fn].evaluate(value)),
  flops: (_op, node) => elements(node.shape),
};
