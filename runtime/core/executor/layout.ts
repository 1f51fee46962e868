/**
 * Where every tensor of a set of programs lies: from names and shapes to buffers, offsets and sizes, before anything is allocated.
 *
 * State is united by name over the programs and packed into slabs no larger than one binding. Scratch slabs, the upload arena and
 * the output buffer are shared by all programs, each as large as the most demanding program needs: programs run one after another, and
 * uploads are ordered with submits, so nothing of one run overlaps another.
 */
import { elements, storageBytes } from '../../../plan/dtypes.ts';
import type { Half, StoredDtype } from '../../../plan/dtypes.ts';
import type { Program } from '../../../plan/program.ts';
import { deviceError } from '../device/errors.ts';
import { ALIGNMENT, alignUp } from './usage.ts';

/** Index of a buffer among those of one kind, and the bytes of the tensor within it. */
export interface Slot {
  kind: 'state' | 'scratch' | 'input' | 'output';
  buffer: number;
  offset: number;
  bytes: number;
}

export interface NamedSlot extends Slot {
  name: string;
  dtype: StoredDtype;
  shape: readonly number[];
  length: number;
  /** Held as 16-bit floats, see `halves.ts`. */
  half?: Half;
}

export interface ProgramLayout {
  /** By index of `Program.tensors`. */
  tensors: Slot[];
  inputs: Map<string, NamedSlot>;
  outputs: Map<string, NamedSlot>;
  /** Bytes of the upload arena and of the outputs that this program uses. */
  inputBytes: number;
  outputBytes: number;
}

export interface Layout {
  state: Map<string, NamedSlot>;
  /** Sizes of the buffers in bytes. */
  stateSlabs: number[];
  scratchSlabs: number[];
  inputBytes: number;
  outputBytes: number;
  scalarBytes: number;
  programs: Map<string, ProgramLayout>;
}

/** Lays out `programs` for buffers and bindings of at most `limit` bytes. Throws R0125, R0126, R0127. */
export function layOut(programs: Record<string, Program>, limit: number): Layout {
  const roles = Object.entries(programs);
  const { state, slabs: stateSlabs } = layOutState(roles, limit);
  const scratchSlabs: number[] = [];
  const laid = new Map<string, ProgramLayout>();
  let inputBytes = 0;
  let outputBytes = 0;
  let scalarBytes = 0;
  for (const [role, program] of roles) {
    program.slabs.forEach((bytes, slab) => {
      if (bytes > limit) throw tooLarge(`scratch slab ${slab} of the program ${role}`, bytes, limit);
      scratchSlabs[slab] = Math.max(scratchSlabs[slab] ?? ALIGNMENT, alignUp(bytes));
    });
    const layout = layOutProgram(role, program, state, limit);
    laid.set(role, layout);
    inputBytes = Math.max(inputBytes, layout.inputBytes);
    outputBytes = Math.max(outputBytes, layout.outputBytes);
    scalarBytes = Math.max(scalarBytes, alignUp(program.scalars.length * 4, 16));
  }
  return { state, stateSlabs, scratchSlabs, inputBytes, outputBytes, scalarBytes, programs: laid };
}

function layOutState(roles: [string, Program][], limit: number): { state: Map<string, NamedSlot>; slabs: number[] } {
  const state = new Map<string, NamedSlot>();
  const slabs: number[] = [];
  for (const [role, program] of roles) {
    for (const tensor of program.tensors) {
      if (tensor.memory.kind !== 'state') continue;
      const { name } = tensor.memory;
      const known = state.get(name);
      if (known) {
        if (known.dtype !== tensor.dtype || known.half !== tensor.half || known.shape.join() !== tensor.shape.join()) {
          throw deviceError(
            'R0125',
            `the state tensor ${name} is ${describe(known)} in one program and ${describe(tensor)} in ${role}`,
            'compile the programs of a task together.',
          );
        }
        continue;
      }
      const bytes = storageBytes(tensor);
      if (bytes > limit) throw tooLarge(name, bytes, limit);
      const last = slabs.length - 1;
      const fits = last >= 0 && slabs[last] + alignUp(bytes) <= limit;
      const buffer = fits ? last : last + 1;
      const offset = fits ? slabs[last] : 0;
      slabs[buffer] = offset + alignUp(bytes);
      state.set(name, {
        kind: 'state',
        buffer,
        offset,
        bytes,
        name,
        dtype: tensor.dtype,
        shape: tensor.shape,
        length: elements(tensor.shape),
        ...(tensor.half ? { half: tensor.half } : {}),
      });
    }
  }
  return { state, slabs };
}

function layOutProgram(role: string, program: Program, state: Map<string, NamedSlot>, limit: number): ProgramLayout {
  const [inputs, inputBytes] = arena('input', program.inputs);
  const [outputs, outputBytes] = arena('output', program.outputs);
  if (Math.max(inputBytes, outputBytes) > limit)
    throw tooLarge(`the inputs or outputs of the program ${role}`, Math.max(inputBytes, outputBytes), limit);
  const tensors = program.tensors.map((tensor): Slot => {
    const bytes = storageBytes(tensor);
    const { memory } = tensor;
    if (memory.kind === 'scratch') {
      const size = program.slabs[memory.slab];
      if (size === undefined || memory.offset % ALIGNMENT !== 0 || memory.offset + bytes > alignUp(size)) {
        throw broken(role, `${tensor.name} lies at byte ${memory.offset} of scratch slab ${memory.slab}, which has ${size ?? 'no'} bytes`);
      }
      return { kind: 'scratch', buffer: memory.slab, offset: memory.offset, bytes };
    }
    const slot = { state, input: inputs, output: outputs }[memory.kind].get(memory.name);
    if (!slot) throw broken(role, `${tensor.name} is the ${memory.kind} ${memory.name}, which the program does not declare`);
    if (slot.bytes !== bytes || slot.dtype !== tensor.dtype)
      throw broken(role, `${tensor.name} is ${describe(tensor)}, but its ${memory.kind} is declared ${describe(slot)}`);
    return slot;
  });
  checkDispatches(role, program);
  return { tensors, inputs, outputs, inputBytes, outputBytes };
}

function arena(
  kind: 'input' | 'output',
  list: readonly { name: string; dtype: StoredDtype; shape: number[] }[],
): [Map<string, NamedSlot>, number] {
  const slots = new Map<string, NamedSlot>();
  let end = 0;
  for (const { name, dtype, shape } of list) {
    const bytes = storageBytes({ dtype, shape });
    slots.set(name, { kind, buffer: 0, offset: end, bytes, name, dtype, shape, length: elements(shape) });
    end += alignUp(bytes);
  }
  return [slots, end];
}

function checkDispatches(role: string, program: Program): void {
  for (const { label, bindings, writes } of program.dispatches) {
    if (bindings.some((tensor) => !program.tensors[tensor])) throw broken(role, `the dispatch ${label} binds a tensor that is not listed`);
    if (new Set(bindings).size !== bindings.length) throw broken(role, `the dispatch ${label} binds a tensor twice`);
    if (writes.some((at) => bindings[at] === undefined)) throw broken(role, `the dispatch ${label} writes a binding that it does not have`);
  }
}

function describe(tensor: { dtype: StoredDtype; shape: readonly number[]; half?: Half }): string {
  return `${tensor.half ? `${tensor.half}, read as ` : ''}${tensor.dtype} [${tensor.shape.join(', ')}]`;
}

function broken(role: string, what: string): Error {
  return deviceError('R0127', `the program ${role} is inconsistent: ${what}`, 'compile the plan again with this version of Pivot.');
}

function tooLarge(what: string, bytes: number, limit: number): Error {
  return deviceError(
    'R0126',
    `${what} takes ${bytes} bytes, and this device binds at most ${limit}`,
    'choose a smaller micro batch or width, or an adapter that binds more.',
  );
}
