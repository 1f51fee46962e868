/** Reads the notation of `einsum`: axis names separated by spaces, operands by commas, the result after `->`. */
import { ShapeError } from './errors.ts';
import { formatShape } from './shape.ts';
import type { Shape } from './shape.ts';

export interface Einsum {
  inputs: string[][];
  out: string[];
}

/** Parses `n t d, v d -> n t v` and checks it against the operands' shapes. */
export function parseEinsum(spec: string, shapes: readonly Shape[]): Einsum {
  const [left, right, more] = spec.split('->');
  if (right === undefined || more !== undefined) throw new ShapeError(`'${spec}' needs one '->' between the operands and the result`);
  const inputs = left.split(',').map(names);
  const out = names(right);
  if (inputs.length !== shapes.length || inputs.length > 2) {
    throw new ShapeError(`'${spec}' describes ${inputs.length} operands, but ${shapes.length} were given (one or two are possible)`);
  }
  const extents = new Map<string, number>();
  inputs.forEach((axes, i) => {
    if (new Set(axes).size !== axes.length) throw new ShapeError(`'${spec}' names an axis twice in one operand`);
    if (axes.length !== shapes[i].length) {
      throw new ShapeError(`'${axes.join(' ')}' names ${axes.length} axes, but the operand has shape ${formatShape(shapes[i])}`);
    }
    axes.forEach((name, axis) => {
      const extent = extents.get(name) ?? shapes[i][axis];
      if (extent !== shapes[i][axis]) {
        throw new ShapeError(
          `axis '${name}' of '${spec}' is ${extent} in one operand and ${shapes[i][axis]} in the other: ` +
            `shapes ${shapes.map(formatShape).join(' and ')}`,
        );
      }
      extents.set(name, extent);
    });
  });
  if (new Set(out).size !== out.length) throw new ShapeError(`'${spec}' names an axis twice in the result`);
  const unknown = out.find((name) => !extents.has(name));
  if (unknown !== undefined) throw new ShapeError(`axis '${unknown}' of the result of '${spec}' stands in no operand`);
  return { inputs, out };
}

function names(text: string): string[] {
  return text.split(' ').filter((name) => name !== '');
}
