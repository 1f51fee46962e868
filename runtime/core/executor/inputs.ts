/**
 * What the host writes before a run: inputs checked and packed into one arena, inputs derived from others, and the uniform
 * block of scalars.
 */
import type { TypedArrayOf } from '../../../plan/dtypes.ts';
import type { Program } from '../../../plan/program.ts';
import { deviceError } from '../device/errors.ts';
import type { NamedSlot, ProgramLayout } from './layout.ts';

/** Packs `given` at the offsets of `layout`. Inputs that the program does not have are left out. Throws R0120, R0121, R0122. */
export function packInputs(
  role: string,
  program: Program,
  layout: ProgramLayout,
  given: ReadonlyMap<string, TypedArrayOf>,
): Uint8Array<ArrayBuffer> {
  const arena = new Uint8Array(layout.inputBytes);
  const groups = new Map<string, Grouping>();
  for (const { name, derive } of program.inputs) {
    const slot = layout.inputs.get(name);
    if (!slot) continue;
    let data = given.get(derive ? derive.of : name);
    if (!data) {
      const has = [...given.keys()].join(', ') || 'none';
      throw deviceError(
        'R0120',
        `the program ${role} needs the input ${derive ? derive.of : name}, which was not given (given: ${has})`,
        'see that the data source and the collator supply it.',
      );
    }
    if (derive) {
      const key = `${derive.rows} ${derive.of}`;
      const grouping = groups.get(key) ?? groupByValue(derive.of, data, derive.rows);
      groups.set(key, grouping);
      data = slot.dtype === 'u32' ? new Uint32Array(grouping[derive.part].buffer) : grouping[derive.part];
    }
    checkData(`the input ${name} of the program ${role}`, slot, data);
    arena.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), slot.offset);
  }
  return arena;
}

/** Throws R0121 unless `data` has the type and the length of `slot`. */
export function checkData(what: string, slot: NamedSlot, data: TypedArrayOf): void {
  const type = typeOf(data);
  if (type !== slot.dtype) throw deviceError('R0121', `${what} is ${slot.dtype}, but ${type} was given`, `give a ${ARRAYS[slot.dtype]}.`);
  if (data.length !== slot.length) {
    throw deviceError(
      'R0121',
      `${what} has the shape [${slot.shape.join(', ')}], ${slot.length} elements, but ${data.length} were given`,
      'give as many elements as its shape has.',
    );
  }
}

const ARRAYS = { f32: 'Float32Array', i32: 'Int32Array', u32: 'Uint32Array' } as const;

// By name and not by instanceof: an array may come from another realm (a worker, a test runner).
function typeOf(data: TypedArrayOf): string {
  const name = Object.prototype.toString.call(data).slice(8, -1);
  return Object.entries(ARRAYS).find(([, array]) => array === name)?.[0] ?? name;
}

interface Grouping {
  offsets: Int32Array<ArrayBuffer>;
  order: Int32Array<ArrayBuffer>;
}

/**
 * Counting sort: order[offsets[r] .. offsets[r + 1]] are the positions in `values` where the value is r, ascending. Throws R0122 for a
 * value outside of [0, rows).
 */
export function groupByValue(name: string, values: TypedArrayOf, rows: number): Grouping {
  const offsets = new Int32Array(rows + 1);
  for (let i = 0; i < values.length; i += 1) {
    const row = values[i];
    if (!(row >= 0 && row < rows)) {
      throw deviceError(
        'R0122',
        `the input ${name} holds ${row} at position ${i}, and the table that it points into has rows 0 to ${rows - 1}`,
        'see that the tokenizer or the labels fit the model.',
      );
    }
    offsets[row + 1] += 1;
  }
  for (let r = 0; r < rows; r += 1) offsets[r + 1] += offsets[r];
  const order = new Int32Array(values.length);
  const next = offsets.slice(0, rows);
  for (let i = 0; i < values.length; i += 1) order[next[values[i]]++] = i;
  return { offsets, order };
}

/** The uniform block: f32 each, padded to whole vec4s. Throws R0123. */
export function packScalars(role: string, program: Program, given: Readonly<Record<string, number>>): Float32Array<ArrayBuffer> {
  const block = new Float32Array(Math.ceil(program.scalars.length / 4) * 4);
  program.scalars.forEach((name, i) => {
    const value = given[name];
    if (value === undefined) {
      throw deviceError(
        'R0123',
        `the program ${role} reads the scalar ${name}, which was not given`,
        `give one of: ${program.scalars.join(', ')}.`,
      );
    }
    block[i] = value;
  });
  return block;
}
