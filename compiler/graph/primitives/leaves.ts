/** Leaves: what a program is given (input, state, scalar) and what it knows by itself (constant, iota). */
import { ShapeError } from '../errors.ts';
import { checkShape, elements, formatShape, stridesOf } from '../shape.ts';
import { noGradient } from './primitive.ts';
import type { OpOf, Primitive, Typed } from './primitive.ts';

/** What inputs and states have in common. */
function stored(kind: 'input' | 'state'): Primitive<OpOf<'input'> | OpOf<'state'>> {
  return {
    lowering: 'leaf',
    type(op, _inputs, wanted) {
      const { shape, dtype } = wanted;
      if (!shape || !dtype) throw new ShapeError(`${kind} '${op.name}' needs a shape and an element type`);
      checkShape(shape, `${kind} '${op.name}'`);
      // The arguments of a composite's body are values of the graph around it, never memory, so they may be truth values.
      if (dtype === 'bool' && !isArgument(kind, op.name))
        throw new ShapeError(`${kind} '${op.name}' is bool, which is computed but never stored`);
      return { shape, dtype };
    },
    gradient: noGradient,
    evaluate: (op, node, _inputs, c) => c.leaf(kind, node, op.name),
    flops: () => 0,
  };
}

function isArgument(kind: string, name: string): boolean {
  return kind === 'input' && /^arg\d+$/.test(name);
}

export const input: Primitive<OpOf<'input'>> = stored('input');
export const state: Primitive<OpOf<'state'>> = stored('state');

export const scalar: Primitive<OpOf<'scalar'>> = {
  lowering: 'leaf',
  type: () => ({ shape: [], dtype: 'f32' }),
  gradient: noGradient,
  evaluate: (op, node, _inputs, c) => c.leaf('scalar', node, op.name),
  flops: () => 0,
};

export const constant: Primitive<OpOf<'constant'>> = {
  lowering: 'leaf',
  type(op, _inputs, wanted): Typed {
    const dtype = wanted.dtype ?? 'f32';
    const fits = {
      // What is not finite was computed; a finite number must not become infinite unseen.
      f32: !Number.isFinite(op.value) || Number.isFinite(Math.fround(op.value)),
      i32: Number.isInteger(op.value) && Math.abs(op.value) < 2 ** 31,
      u32: Number.isInteger(op.value) && op.value >= 0 && op.value < 2 ** 32,
      bool: op.value === 0 || op.value === 1,
    };
    if (!fits[dtype]) {
      throw new ShapeError(
        `the constant ${op.value} is no ${dtype}`,
        dtype === 'f32' ? 'The largest is 3.4028234663852886e38.' : undefined,
      );
    }
    return { shape: [], dtype };
  },
  gradient: noGradient,
  evaluate: (op) => Float64Array.of(op.value),
  flops: () => 0,
};

export const iota: Primitive<OpOf<'iota'>> = {
  lowering: 'leaf',
  type(op, _inputs, wanted) {
    if (!wanted.shape) throw new ShapeError('iota needs a shape');
    checkShape(wanted.shape, 'iota');
    if (op.axis < 0 || op.axis >= wanted.shape.length) throw new ShapeError(`iota along axis ${op.axis} of ${formatShape(wanted.shape)}`);
    return { shape: wanted.shape, dtype: 'i32' };
  },
  gradient: noGradient,
  evaluate(op, node) {
    const stride = stridesOf(node.shape)[op.axis];
    return new Float64Array(elements(node.shape)).map((_, i) => Math.floor(i / stride) % node.shape[op.axis]);
  },
  flops: () => 0,
};
