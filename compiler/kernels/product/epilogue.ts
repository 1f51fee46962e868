/** What happens to the accumulators of a product: the elementwise rest of the group, and the stores. */
import { elements } from '../../../plan/dtypes.ts';
import type { Emitter, Value } from '../expression.ts';
import { flatten } from '../index/coordinates.ts';
import { add, confine, inRange, lane, plus, scale } from '../index/expression.ts';
import type { Index } from '../index/expression.ts';
import type { Job } from '../module.ts';
import type { Binding, ScratchBinding } from '../kernel.ts';
import type { ProductShape } from './shape.ts';

export interface Accumulators {
  batch: Index;
  /** Row of the first accumulator; the others follow. */
  row: Index;
  /** Number of the four columns. */
  columns: Index;
  /** A vec4<f32> of four columns for each row. */
  names: readonly string[];
}

/** Safe position of four columns: of whole quads where N is a multiple of four, else lane by lane. */
export function columnsOf(quadNumber: Index, n: number): Index {
  return n % 4 === 0 ? add(scale(confine(quadNumber, n / 4 - 1), 4), lane) : confine(add(scale(quadNumber, 4), lane), n - 1);
}

/** Rows beyond which the rest is written as a loop: each load and store is long in the machine code of a software driver. */
const MANY = 4;

/** Stores the group's outputs, guarded at the edges. */
export function epilogue(e: Emitter, { group, target }: Job, shape: ProductShape, { batch, row, columns, names }: Accumulators): void {
  const finish = (name: string, m: Index): void => {
    const coordinates = shape.atOut(batch, confine(m, shape.m - 1), columnsOf(columns, shape.n));
    e.know(shape.core, coordinates, { text: name, width: 4, dtype: 'f32', depth: e.writer.depth });
    const values = group.outputs.map((node) => e.value(node, coordinates));
    guarded(e, shape, m, columns, (lanes) => {
      group.outputs.forEach((node, i) => storeLanes(e, node, flatten(coordinates, node.shape), values[i], lanes));
    });
  };
  if (target.name === 'gpu' || names.length <= MANY) {
    names.forEach((name, r) => finish(name, plus(row, r)));
    return;
  }
  const held = e.writer.name('c');
  e.writer.line(`var ${held} = array<vec4<f32>, ${names.length}>(${names.join(', ')});`);
  const r = e.loop('r', names.length);
  finish(e.writer.define(`${held}[${e.position(r)}]`, e.writer.depth), add(row, r));
  e.writer.close();
}

/** Stores the accumulators as they are into part `part` of a scratch tensor [parts, batch, m, n]. */
export function storePartial(
  e: Emitter,
  shape: ProductShape,
  scratch: ScratchBinding,
  part: Index,
  { batch, row, columns, names }: Accumulators,
): void {
  names.forEach((name, r) => {
    const m = confine(plus(row, r), shape.m - 1);
    const at = flatten([part, batch, m, columnsOf(columns, shape.n)], scratch.shape);
    guarded(e, shape, plus(row, r), columns, (lanes) =>
      storeLanes(e, scratch, at, { text: name, width: 4, dtype: 'f32', depth: e.writer.depth }, lanes),
    );
  });
}

/** Opens the tests that keep row m and the columns within the result, and says which lane may store (all: undefined). */
function guarded(e: Emitter, shape: ProductShape, m: Index, columns: Index, store: (lane: number | undefined) => void): void {
  const inside = inRange(m, shape.m);
  if (inside === false) return;
  const conditions = inside === true ? [] : [e.test(inside).text];
  const within = (tests: string[], then: () => void) => {
    if (tests.length > 0) e.writer.open(`if (${tests.join(' && ')})`);
    then();
    if (tests.length > 0) e.writer.close();
  };
  if (shape.n % 4 === 0) {
    const test = inRange(columns, shape.n / 4);
    within(typeof test === 'object' ? [...conditions, e.test(test).text] : conditions, () => store(undefined));
    return;
  }
  for (let i = 0; i < 4; i++) {
    const test = inRange(plus(scale(columns, 4), i), shape.n);
    if (test === false) continue;
    within(typeof test === 'object' ? [...conditions, e.test(test).text] : conditions, () => store(i));
  }
}

function storeLanes(e: Emitter, to: Binding, at: Index, value: Value, i: number | undefined): void {
  if (i === undefined) e.store(to, at, value);
  else e.storeLane(to, at, value, i);
}

/** Elements of the result. */
export function resultSize(shape: ProductShape): number {
  return elements([shape.batch, shape.m, shape.n]);
}
