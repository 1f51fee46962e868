/** Elementwise functions of one operand. A new function is one more entry of `UNARY`. */
import type { Dtype } from '../../../plan/dtypes.ts';
import type { GraphBuilder } from '../builder.ts';
import { ShapeError } from '../errors.ts';
import type { Node, UnaryFn } from '../graph.ts';
import { elements } from '../shape.ts';
import { erf } from './erf.ts';
import * as erfFunction from './functions/erf.ts';
import * as exponential from './functions/exponential.ts';
import { nameOf, ZERO } from './functions/helper.ts';
import type { Helper, Width } from './functions/helper.ts';
import * as logarithm from './functions/logarithm.ts';
import { sine, sineCall } from './functions/sine.ts';
import { tanh } from './functions/tanh.ts';
import type { OpOf, Primitive } from './primitive.ts';

export interface UnaryRule {
  /** Which element types it takes. */
  takes: readonly Dtype[];
  /** What it gives, where that is not what it takes. */
  gives?: Dtype;
  /**
   * The largest error of a kernel anywhere, in units in the last place of the exact result; NaN, infinities and the sign of zero are always right.
   * Numbers below the smallest normal one may count as zero, given or computed.
   */
  ulp: number;
  evaluate(x: number): number;
  /** Gradient of x, given x, the result y and its gradient dy; absent for steps. */
  gradient?(b: GraphBuilder, x: Node, y: Node, dy: Node): Node;
  /** The expression; the argument is an expression that may stand anywhere without further brackets. */
  wgsl(x: string, width: Width): string;
  /** WGSL functions that the expression calls. */
  helpers?: readonly Helper[];
}

const F32: readonly Dtype[] = ['f32'];
/** A function that is given the hidden zero too (`functions/helper.ts`). */
const hiding = (name: string) => (x: string, width: Width) => `${nameOf(name, width)}(${x}, ${ZERO})`;

export const UNARY: Record<UnaryFn, UnaryRule> = {
  neg: { takes: ['f32', 'i32'], ulp: 0, evaluate: (x) => -x, gradient: (b, _x, _y, dy) => b.neg(dy), wgsl: (x) => `(-${x})` },
  exp: {
    takes: F32,
    ulp: 2,
    evaluate: Math.exp,
    gradient: (b, _x, y, dy) => b.mul(dy, y),
    wgsl: hiding('exp'),
    helpers: [exponential.exp],
  },
  /** exp(x) - 1, with all digits where x is near 0. */
  expm1: {
    takes: F32,
    ulp: 2,
    evaluate: Math.expm1,
    // Not y + 1, which has no digits left where y is near -1.
    gradient: (b, x, _y, dy) => b.mul(dy, b.exp(x)),
    wgsl: hiding('expm1'),
    helpers: [exponential.expm1],
  },
  log: {
    takes: F32,
    ulp: 1,
    evaluate: Math.log,
    gradient: (b, x, _y, dy) => b.div(dy, x),
    wgsl: (x, width) => `${nameOf('log', width)}(${x})`,
    helpers: [logarithm.log],
  },
  /** log(1 + x), with all digits where x is near 0. */
  log1p: {
    takes: F32,
    ulp: 2,
    evaluate: Math.log1p,
    gradient: (b, x, _y, dy) => b.div(dy, b.add(x, 1)),
    wgsl: hiding('log1p'),
    helpers: [logarithm.log1p],
  },
  sqrt: { takes: F32, ulp: 1, evaluate: Math.sqrt, gradient: (b, _x, y, dy) => b.div(b.mul(dy, 0.5), y), wgsl: (x) => `sqrt(${x})` },
  tanh: {
    takes: F32,
    ulp: 2,
    evaluate: Math.tanh,
    gradient: (b, _x, y, dy) => b.mul(dy, b.sub(1, b.mul(y, y))),
    wgsl: hiding('tanh'),
    helpers: [tanh],
  },
  erf: {
    takes: F32,
    ulp: 3,
    evaluate: erf,
    gradient: (b, x, _y, dy) => b.mul(dy, b.mul(b.exp(b.neg(b.mul(x, x))), 2 / Math.sqrt(Math.PI))),
    wgsl: hiding('erf'),
    helpers: [erfFunction.erf],
  },
  sin: {
    takes: F32,
    ulp: 3,
    evaluate: Math.sin,
    gradient: (b, x, _y, dy) => b.mul(dy, b.cos(x)),
    wgsl: (x, width) => sineCall(x, 0, width),
    helpers: [sine],
  },
  cos: {
    takes: F32,
    ulp: 3,
    evaluate: Math.cos,
    gradient: (b, x, _y, dy) => b.neg(b.mul(dy, b.sin(x))),
    wgsl: (x, width) => sineCall(x, 1, width),
    helpers: [sine],
  },
  abs: {
    takes: ['f32', 'i32'],
    ulp: 0,
    evaluate: Math.abs,
    // The sign of x, and 0 at 0.
    gradient: (b, x, _y, dy) => b.select(b.less(0, x), dy, b.select(b.less(x, 0), b.neg(dy), 0)),
    wgsl: (x) => `abs(${x})`,
  },
  floor: { takes: F32, ulp: 0, evaluate: Math.floor, wgsl: (x) => `floor(${x})` },
  not: { takes: ['bool'], ulp: 0, evaluate: (x) => 1 - x, wgsl: (x) => `(!${x})` },
  is_finite: {
    takes: F32,
    gives: 'bool',
    ulp: 0,
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
