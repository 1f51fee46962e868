/** Arithmetic on static shapes: row-major strides, axis numbers, numpy broadcasting. */
import { elements } from '../../plan/dtypes.ts';
import { ShapeError } from './errors.ts';

export type Shape = readonly number[];

export { elements };

export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** Elements to step for one step along each axis of a row-major array. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** Axis numbers counted from the front, ascending, each once; negative ones count from the end. */
export function normalizeAxes(axes: readonly number[], rank: number): number[] {
  const normal = axes.map((axis) => {
    const fromFront = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(axis) || fromFront < 0 || fromFront >= rank)
      throw new ShapeError(`axis ${axis} does not exist in a tensor of ${rank} axes`);
    return fromFront;
  });
  const unique = [...new Set(normal)].sort((a, b) => a - b);
  if (unique.length !== normal.length) throw new ShapeError(`an axis is named twice in [${axes.join(', ')}]`);
  return unique;
}

/** The common shape of two operands by numpy's rules: aligned at the end, an extent of 1 (or none) repeats. */
export function broadcastShapes(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const x = i <= a.length ? a[a.length - i] : 1;
    const y = i <= b.length ? b[b.length - i] : 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        `shapes ${formatShape(a)} and ${formatShape(b)} do not go together: ${x} against ${y}, ` +
          (i === 1 ? 'in the last axis' : `${i} axes from the end`),
      );
    }
    shape[rank - i] = Math.max(x, y);
  }
  return shape;
}

/** A shape of positive whole extents, or an error that names `what`. */
export function checkShape(shape: Shape, what: string): void {
  if (!shape.every((extent) => Number.isInteger(extent) && extent > 0)) {
    throw new ShapeError(`${what} has shape ${formatShape(shape)}: every extent must be a whole number above zero`);
  }
}
