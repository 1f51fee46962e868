/**
 * The tile of one thread: R rows by four columns, in named accumulators. Going down K in steps of four, a thread needs R
 * vectors of A and four of B. On a subgroup, whose lanes own neighbouring columns of the same rows, the lanes load A
 * together and broadcast it from registers (software drivers: nearly free); else each thread loads its own.
 */
import type { Emitter } from '../expression.ts';
import { add, confine, constant, div, lane, mod, plus, scale } from '../index/expression.ts';
import type { Index } from '../index/expression.ts';
import { columnsOf } from './epilogue.ts';
import type { Accumulators } from './epilogue.ts';
import type { ProductShape } from './shape.ts';

export interface Tile extends Omit<Accumulators, 'names'> {
  rows: number;
  /** Lanes that share A, and the number of this one. */
  sharing?: { lanes: number; lid: Index };
}

const COMPONENTS = ['x', 'y', 'z', 'w'];

/** Writes the loop over K; the names of the accumulators, a vector of four columns for each row. */
export function accumulate(e: Emitter, shape: ProductShape, tile: Tile): string[] {
  const { writer } = e;
  const names = Array.from({ length: tile.rows }, () => writer.name('c'));
  for (const name of names) writer.line(`var ${name} = vec4<f32>(0f);`);
  const blocks = Math.floor(shape.k / 4);
  const run = runOf(blocks);
  if (run < blocks) {
    const first = scale(e.loop('s', blocks / run), run);
    const parts = names.map(() => writer.name('p'));
    for (const part of parts) writer.line(`var ${part} = vec4<f32>(0f);`);
    down(e, shape, tile, parts, first, run);
    names.forEach((name, r) => writer.line(`${name} += ${parts[r]};`));
    writer.close();
  } else if (blocks > 0) down(e, shape, tile, names, constant(0), blocks);
  const rest = shape.k % 4;
  if (rest > 0) {
    const ks = Array.from({ length: rest }, (_, i) => constant(blocks * 4 + i));
    const a = ks.map((k) => loadColumn(e, shape, tile, k));
    const b = ks.map((k) => e.widened(e.value(shape.b, shape.atB(tile.batch, columnsOf(tile.columns, shape.n), k)), 4));
    multiply(e, names, (r, kk) => a[kk][r], b, rest);
  }
  return names;
}

/** Goes down `count` blocks of four steps. */
function down(e: Emitter, shape: ProductShape, tile: Tile, names: readonly string[], first: Index, count: number): void {
  const block = add(first, e.loop('k', count));
  multiply(e, names, loadA(e, shape, tile, block), loadB(e, shape, tile, block), 4);
  e.writer.close();
}

/**
 * How many blocks are summed before their sum joins the others'. Rounding grows with the length of a chain of additions, and
 * two levels make short chains of a long one; short sums, and those with no fitting divisor, have one level.
 */
function runOf(blocks: number): number {
  for (let run = 16; run >= 8; run--) if (blocks % run === 0) return run;
  return blocks;
}

function multiply(e: Emitter, names: readonly string[], a: (row: number, kk: number) => string, b: readonly string[], ks: number): void {
  // Row by row: a software driver has few registers, and one row's sum then stays in them for all steps of K.
  names.forEach((name, r) => e.writer.line(`${name} += ${Array.from({ length: ks }, (_, kk) => `${a(r, kk)} * ${b[kk]}`).join(' + ')};`));
}

/** Four values of K of every row: how to name the one of row r and step kk. */
function loadA(e: Emitter, shape: ProductShape, tile: Tile, block: Index): (row: number, kk: number) => string {
  const { rows } = tile;
  if (shape.aAlong === 'outer' && rows % 4 === 0) {
    // Vectors of four rows: vector t holds step floor(t / (rows / 4)) of rows 4 (t % (rows / 4)) and on.
    const quads = rows / 4;
    const first = div(tile.row, 4);
    const vector = (t: Index) => {
      const m = add(scale(confine(add(first, mod(t, quads)), shape.m / 4 - 1), 4), lane);
      return e.widened(e.value(shape.a, shape.atA(tile.batch, m, add(scale(block, 4), div(t, quads)))), 4);
    };
    const held = distribute(e, tile, quads * 4, vector);
    return (r, kk) => `${held(kk * quads + Math.floor(r / 4))}.${COMPONENTS[r % 4]}`;
  }
  const k = add(scale(block, 4), lane);
  const vector = (r: Index) => e.widened(e.value(shape.a, shape.atA(tile.batch, confine(add(tile.row, r), shape.m - 1), k)), 4);
  const held = distribute(e, tile, rows, vector);
  return (r, kk) => `${held(r)}.${COMPONENTS[kk]}`;
}

/** One value of K of every row. */
function loadColumn(e: Emitter, shape: ProductShape, tile: Tile, k: Index): string[] {
  const single = (r: Index) => e.value(shape.a, shape.atA(tile.batch, confine(add(tile.row, r), shape.m - 1), k)).text;
  const held = distribute(e, tile, tile.rows, single);
  return Array.from({ length: tile.rows }, (_, r) => held(r));
}

/** Loads `count` values: each by every thread, or shared out among the lanes and broadcast when asked for. */
function distribute(e: Emitter, { sharing }: Tile, count: number, load: (t: Index) => string): (t: number) => string {
  if (!sharing) {
    const values = Array.from({ length: count }, (_, t) => load(constant(t)));
    return (t) => values[t];
  }
  const { lanes, lid } = sharing;
  const own = Array.from({ length: Math.ceil(count / lanes) }, (_, i) => {
    const t = plus(lid, i * lanes);
    return load(count % lanes === 0 ? t : confine(t, count - 1));
  });
  const sent = new Map<number, string>();
  return (t) => {
    const known = sent.get(t);
    if (known !== undefined) return known;
    const name = e.writer.define(`subgroupBroadcast(${own[Math.floor(t / lanes)]}, ${t % lanes}u)`, e.writer.depth, 'a');
    sent.set(t, name);
    return name;
  };
}

/** The four columns of the thread at each of four values of K. */
function loadB(e: Emitter, shape: ProductShape, tile: Tile, block: Index): string[] {
  if (shape.bAlong !== 'k') {
    const n = columnsOf(tile.columns, shape.n);
    return [0, 1, 2, 3].map((kk) => e.widened(e.value(shape.b, shape.atB(tile.batch, n, plus(scale(block, 4), kk))), 4));
  }
  const k = add(scale(block, 4), lane);
  const columns = [0, 1, 2, 3].map((j) => {
    const n = confine(plus(scale(tile.columns, 4), j), shape.n - 1);
    return e.widened(e.value(shape.b, shape.atB(tile.batch, n, k)), 4);
  });
  return COMPONENTS.map((c) => e.writer.define(`vec4<f32>(${columns.map((column) => `${column}.${c}`).join(', ')})`, e.writer.depth, 'w'));
}
