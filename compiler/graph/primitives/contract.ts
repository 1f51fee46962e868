/** The generalised product: every matrix product, batched or not, in any layout. */
import { ShapeError } from '../errors.ts';
import { elements, formatShape, stridesOf } from '../shape.ts';
import type { Node } from '../graph.ts';
import type { OpOf, Primitive, Typed } from './primitive.ts';

type Contract = OpOf<'contract'>;

/** Extent of each label of a contract. */
export function labelExtents(op: Contract, inputs: readonly Typed[]): Map<number, number> {
  const extents = new Map<number, number>();
  [op.a, op.b].forEach((labels, i) => {
    const { shape } = inputs[i];
    if (labels.length !== shape.length)
      throw new ShapeError(`a product names ${labels.length} axes of a tensor of shape ${formatShape(shape)}`);
    if (new Set(labels).size !== labels.length) throw new ShapeError('a product names one label twice in an operand');
    labels.forEach((label, axis) => {
      const extent = extents.get(label) ?? shape[axis];
      if (extent !== shape[axis]) {
        throw new ShapeError(
          `a product joins an axis of ${extent} with one of ${shape[axis]}: ` +
            `shapes ${formatShape(inputs[0].shape)} and ${formatShape(inputs[1].shape)}`,
        );
      }
      extents.set(label, extent);
    });
  });
  return extents;
}

/** The labels that are summed over: those that the result does not have. */
export function summedLabels(op: Contract): number[] {
  return op.a.filter((label) => !op.out.includes(label));
}

export const contract: Primitive<Contract> = {
  lowering: 'contract',
  type(op, inputs) {
    if (inputs.some((x) => x.dtype !== 'f32')) throw new ShapeError(`a product takes f32, not ${inputs.map((x) => x.dtype).join(' and ')}`);
    const extents = labelExtents(op, inputs);
    if (new Set(op.out).size !== op.out.length) throw new ShapeError('a product names one label twice in its result');
    for (const [label] of extents) {
      if (!op.out.includes(label) && !(op.a.includes(label) && op.b.includes(label))) {
        throw new ShapeError('a product sums over an axis that only one operand has', 'Sum that operand over the axis first.');
      }
    }
    const shape = op.out.map((label) => {
      const extent = extents.get(label);
      if (extent === undefined) throw new ShapeError('the result of a product has an axis that no operand has');
      return extent;
    });
    return { shape, dtype: 'f32' };
  },
  // A label of one operand is in the result or in the other operand, so each gradient is a product again, in the layout
  // that its operand has.
  gradient(c, op, node, dy) {
    const [a, b] = node.inputs;
    return [
      c.wanted(0) ? c.builder.contract(dy, op.out, b, op.b, op.a) : undefined,
      c.wanted(1) ? c.builder.contract(dy, op.out, a, op.a, op.b) : undefined,
    ];
  },
  evaluate(op, node, [x, y]) {
    const [a, b] = node.inputs;
    const extents = labelExtents(op, node.inputs);
    const summed = summedLabels(op);
    const stride = (labels: readonly number[], strides: readonly number[]) => (label: number) => strides[labels.indexOf(label)] ?? 0;
    const offsets = (labels: readonly number[], of: (label: number) => number) =>
      tableOfOffsets(
        labels.map((label) => extents.get(label) ?? 1),
        labels.map(of),
      );
    const strideA = stride(op.a, stridesOf(a.shape));
    const strideB = stride(op.b, stridesOf(b.shape));
    const [outA, outB, inA, inB] = [offsets(op.out, strideA), offsets(op.out, strideB), offsets(summed, strideA), offsets(summed, strideB)];
    return new Float64Array(elements(node.shape)).map((_, i) => {
      let total = 0;
      for (let k = 0; k < inA.length; k++) total += x[outA[i] + inA[k]] * y[outB[i] + inB[k]];
      return total;
    });
  },
  flops: (op, node) => contractFlops(op, node),
};

/** Offset of every position of a space of these extents, in row-major order. */
function tableOfOffsets(extents: readonly number[], strides: readonly number[]): Int32Array {
  let table = Int32Array.of(0);
  extents.forEach((extent, axis) => {
    const longer = new Int32Array(table.length * extent);
    table.forEach((offset, i) => {
      for (let j = 0; j < extent; j++) longer[i * extent + j] = offset + j * strides[axis];
    });
    table = longer;
  });
  return table;
}

function contractFlops(op: Contract, node: Node): number {
  const depth = summedLabels(op).reduce((n, label) => n * (labelExtents(op, node.inputs).get(label) ?? 1), 1);
  return 2 * depth * elements(node.shape);
}
