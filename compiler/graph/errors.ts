/** Errors of the tensor graph. The elaborator catches them and adds the place in the source. */
import { PivotError } from '../../plan/errors.ts';

/** Operands whose shapes or element types do not go together. */
export class ShapeError extends PivotError {
  constructor(message: string, cure?: string) {
    super('G0101', message, { cure });
    this.name = 'ShapeError';
  }
}

/** More operations than one graph may have. */
export class SizeError extends ShapeError {
  constructor(most: number) {
    super(`there are more than ${most} operations`);
    this.name = 'SizeError';
  }
}

/** The gradient of a gather whose index the host cannot list position by position. */
export class GatherIndexError extends PivotError {
  constructor(message: string) {
    super('G0201', message, {
      cure: 'Index with inputs of the data, reshaped, sliced or joined, or do not train the table that is indexed.',
    });
    this.name = 'GatherIndexError';
  }
}

/** A graph that a pass left in a state which the rules do not allow: a fault of the compiler, never of the text. */
export class GraphFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'GraphFault';
  }
}
