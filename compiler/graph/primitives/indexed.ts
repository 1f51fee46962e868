/** Rows by number: gather reads them, scatter_add sums into them, and each is the gradient of the other. */
import { GatherIndexError, ShapeError } from '../errors.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Node } from '../graph.ts';
import { elements, formatShape, sameShape } from '../shape.ts';
import type { OpOf, Primitive, Values } from './primitive.ts';

/** Row numbers as the oracle reads them; one beyond the table is a mistake in the data, which kernels would clamp. */
function rowAt(index: Values, position: number, rows: number): number {
  const row = index[position];
  if (!(row >= 0 && row < rows)) throw new RangeError(`index ${row} at position ${position} is outside a table of ${rows} rows`);
  return row;
}

export const gather: Primitive<OpOf<'gather'>> = {
  lowering: 'gather',
  type(_op, [table, index]) {
    if (index.dtype !== 'i32') throw new ShapeError(`gather takes an index of i32, not ${index.dtype}`);
    if (table.shape.length === 0) throw new ShapeError('gather takes rows of a table, not of a single number');
    if (table.dtype === 'bool') throw new ShapeError('gather takes a table that is stored, and bool never is');
    return { shape: [...index.shape, ...table.shape.slice(1)], dtype: table.dtype };
  },
  gradient(c, _op, node, dy) {
    const [table, index] = node.inputs;
    if (!c.wanted(0)) return [];
    const b = c.builder;
    const parts = atInputs(b, index, dy);
    if (!parts) {
      throw new GatherIndexError(
        `the table indexed at ${node.label ?? 'a gather'} is trained, but its index is ` +
          `computed (${index.op.kind}) and not an input of the data`,
      );
    }
    const sums = [...parts].map(([input, values]) => b.scatterAdd(values, input, table.shape[0]));
    return [sums.reduce((sum, part) => b.add(sum, part)), undefined];
  },
  evaluate(_op, node, [table, index]) {
    const [rows, ...rest] = node.inputs[0].shape;
    const width = elements(rest);
    const result = new Float64Array(elements(node.shape));
    for (let i = 0; i < index.length; i++) {
      const row = rowAt(index, i, rows);
      result.set(table.subarray(row * width, (row + 1) * width), i * width);
    }
    return result;
  },
  flops: () => 0,
};

/**
 * Values [...lead of the index, ...rest] laid out as the inputs that the index was taken from, [...lead of the input, ...rest]:
 * zeros wherever the index does not look. Undefined if the index is computed from inputs in any way but reshapes, permutes, slices
 * and joins.
 */
function atInputs(b: GraphBuilder, index: Node, values: Node): Map<Node, Node> | undefined {
  const { op, inputs } = index;
  const rest = values.shape.slice(index.shape.length);
  const whole = rest.map(() => 0);
  switch (op.kind) {
    case 'input':
      return new Map([[index, values]]);
    case 'reshape':
      return atInputs(b, inputs[0], b.reshape(values, [...inputs[0].shape, ...rest]));
    case 'slice':
      return atInputs(b, inputs[0], b.pad(values, [...op.start, ...whole], [...inputs[0].shape, ...rest]));
    case 'permute': {
      const back = op.order.map((_, axis) => op.order.indexOf(axis));
      return atInputs(b, inputs[0], b.permute(values, [...back, ...rest.map((_, i) => back.length + i)]));
    }
    case 'concat': {
      const sums = new Map<Node, Node>();
      let start = 0;
      for (const part of inputs) {
        const from = part.shape.map((_, axis) => (axis === op.axis ? start : 0));
        const found = atInputs(b, part, b.slice(values, [...from, ...whole], [...part.shape, ...rest]));
        if (!found) return undefined;
        for (const [input, more] of found) {
          const before = sums.get(input);
          sums.set(input, before ? b.add(before, more) : more);
        }
        start += part.shape[op.axis];
      }
      return sums;
    }
    default:
      return undefined;
  }
}

/** The input whose values, in their order, an index is; undefined if it is computed in any other way. */
export function hostInput(index: Node): Node | undefined {
  let node = index;
  while (node.op.kind === 'reshape') node = node.inputs[0];
  return node.op.kind === 'input' ? node : undefined;
}

export const scatterAdd: Primitive<OpOf<'scatter_add'>> = {
  lowering: 'scatter',
  type(_op, [values, index], wanted) {
    if (index.dtype !== 'i32' || values.dtype !== 'f32')
      throw new ShapeError(`scatter_add takes f32 and an index of i32, not ${values.dtype} and ${index.dtype}`);
    const lead = index.shape.length;
    if (!sameShape(values.shape.slice(0, lead), index.shape)) {
      throw new ShapeError(`scatter_add of values of shape ${formatShape(values.shape)} by an index of shape ${formatShape(index.shape)}`);
    }
    const rows = wanted.shape?.[0];
    if (rows === undefined || !Number.isInteger(rows) || rows < 1) throw new ShapeError('scatter_add needs a number of rows');
    return { shape: [rows, ...values.shape.slice(lead)], dtype: 'f32' };
  },
  gradient: (c, _op, node, dy) => [c.builder.gather(dy, node.inputs[1])],
  evaluate(_op, node, [values, index]) {
    const [rows, ...rest] = node.shape;
    const width = elements(rest);
    const result = new Float64Array(elements(node.shape));
    for (let i = 0; i < index.length; i++) {
      const row = rowAt(index, i, rows);
      for (let j = 0; j < width; j++) result[row * width + j] += values[i * width + j];
    }
    return result;
  },
  flops: (_op, node) => elements(node.inputs[0].shape),
};
