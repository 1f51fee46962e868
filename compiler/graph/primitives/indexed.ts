/** Rows by number: gather reads them, scatter_add sums into them, and each is the gradient of the other. */
import { GatherIndexError, ShapeError } from '../errors.ts';
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
    if (!hostInput(index)) {
      throw new GatherIndexError(
        `the table indexed at ${node.label ?? 'a gather'} is trained, but its index is ` +
          `computed (${index.op.kind}) and not an input of the data`,
      );
    }
    return [c.builder.scatterAdd(dy, index, table.shape[0]), undefined];
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
