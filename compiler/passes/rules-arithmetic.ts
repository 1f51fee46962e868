/** Rules of elementwise arithmetic. */
import { primitiveOf } from '../graph/primitives/table.ts';
import type { EvaluateContext } from '../graph/primitives/primitive.ts';
import type { BinaryFn, Node, UnaryFn } from '../graph/graph.ts';
import type { Rule } from './algebra.ts';
import { constantOf, repeat } from './uniform.ts';

function isUnary(node: Node, fn: UnaryFn): boolean {
  return node.op.kind === 'unary' && node.op.fn === fn;
}

function isBinary(node: Node, ...fns: BinaryFn[]): boolean {
  return node.op.kind === 'binary' && fns.includes(node.op.fn);
}

const noLeaves: EvaluateContext = {
  leaf: () => new Float64Array(0),
  body: () => new Float64Array(0),
};

export const arithmeticRules = {
  /** Elementwise on constants is a constant, as the oracle computes it. */
  foldConstants({ b }, node) {
    if (!['unary', 'binary', 'select', 'cast'].includes(node.op.kind)) return undefined;
    const constants = node.inputs.map(constantOf);
    if (!constants.every((value) => value !== undefined)) return undefined;
    const [exact] = primitiveOf(node.op).evaluate(
      node.op,
      node,
      constants.map((value) => Float64Array.of(value)),
      noLeaves,
    );
    const value = node.dtype === 'f32' ? Math.fround(exact) : node.dtype === 'i32' ? exact | 0 : node.dtype === 'u32' ? exact >>> 0 : exact;
    return repeat(b, b.constant(value, node.dtype), node.shape);
  },

  /** x + -0, -0 + x, x - 0, x * 1, 1 * x, x / 1. Of whole numbers x + 0 too; of floats it is 0 where x is -0. */
  neutral(_c, node) {
    if (!isBinary(node, 'add', 'sub', 'mul', 'div')) return undefined;
    const [x, y] = node.inputs;
    const nothing = isBinary(node, 'mul', 'div') ? 1 : isBinary(node, 'add') && node.dtype === 'f32' ? -0 : 0;
    if (Object.is(constantOf(y), nothing)) return x;
    return isBinary(node, 'add', 'mul') && Object.is(constantOf(x), nothing) ? y : undefined;
  },

  /** -0 - x, x * -1, x / -1. Of whole numbers 0 - x too; of floats it is 0 where x is. */
  negation({ b }, node) {
    if (node.dtype === 'u32') return undefined;
    const [x, y] = node.inputs;
    if (isBinary(node, 'sub') && Object.is(constantOf(x), node.dtype === 'f32' ? -0 : 0)) return b.neg(y);
    if (isBinary(node, 'mul', 'div') && constantOf(y) === -1) return b.neg(x);
    return isBinary(node, 'mul') && constantOf(x) === -1 ? b.neg(y) : undefined;
  },

  /** --x, !!x */
  double(_c, node) {
    const [x] = node.inputs;
    const twice = node.op.kind === 'unary' && (node.op.fn === 'neg' || node.op.fn === 'not') && isUnary(x, node.op.fn);
    return twice ? x.inputs[0] : undefined;
  },

  /** x + -y, -x + y, x - -y; -x * -y, -x / -y. Not -(x - y), whose zero has the other sign. */
  signs({ b }, node) {
    if (!isBinary(node, 'add', 'sub', 'mul', 'div')) return undefined;
    const [x, y] = node.inputs;
    const [minusX, minusY] = [isUnary(x, 'neg'), isUnary(y, 'neg')];
    if (isBinary(node, 'add') && minusY) return b.sub(x, y.inputs[0]);
    if (isBinary(node, 'add') && minusX) return b.sub(y, x.inputs[0]);
    if (isBinary(node, 'sub') && minusY) return b.add(x, y.inputs[0]);
    return isBinary(node, 'mul', 'div') && minusX && minusY && node.op.kind === 'binary'
      ? b.binary(node.op.fn, x.inputs[0], y.inputs[0])
      : undefined;
  },

  /** Division by a power of two is a product, exactly. */
  divideByPower({ b }, node) {
    const divisor = isBinary(node, 'div') && node.dtype === 'f32' ? constantOf(node.inputs[1]) : undefined;
    if (divisor === undefined || divisor === 0) return undefined;
    const power = Math.log2(Math.abs(divisor));
    return Number.isInteger(power) && Math.abs(power) < 100 ? b.mul(node.inputs[0], 1 / divisor) : undefined;
  },

  /** select by a constant, between equal values, or by a negation */
  choice({ b }, node) {
    if (node.op.kind !== 'select') return undefined;
    const [condition, then, otherwise] = node.inputs;
    if (then === otherwise) return then;
    const known = constantOf(condition);
    if (known !== undefined) return known ? then : otherwise;
    return isUnary(condition, 'not') ? b.select(condition.inputs[0], otherwise, then) : undefined;
  },

  /** x and true, x or false, x and x; x and false, x or true */
  logic(_c, node) {
    if (!isBinary(node, 'and', 'or')) return undefined;
    const [x, y] = node.inputs;
    if (x === y) return x;
    const decides = isBinary(node, 'and') ? 0 : 1;
    for (const [side, other] of [
      [x, y],
      [y, x],
    ]) {
      const known = constantOf(side);
      if (known !== undefined) return known === decides ? side : other;
    }
    return undefined;
  },
} satisfies Record<string, Rule>;
