/** The types of plan/program.ts as checks, and what must hold within one program. */
import { elements, storageBytes } from '../dtypes.ts';
import type { Half, StoredDtype } from '../dtypes.ts';
import type { Derivation, Dispatch, Memory, Program, ProgramInput, ProgramTensor, Target } from '../program.ts';
import { flag, integer, list, number, object, oneOf, optional, text, triple, variants } from './check.ts';
import type { Check, Faults } from './check.ts';

export const storedDtype: Check<StoredDtype> = oneOf(['f32', 'i32', 'u32']);
export const half: Check<Half> = oneOf(['f16', 'bf16']);
export const shape: Check<number[]> = list(integer(0));

const memory: Check<Memory> = variants<Memory, 'kind'>('kind', {
  state: object({ kind: oneOf(['state']), name: text }),
  input: object({ kind: oneOf(['input']), name: text }),
  output: object({ kind: oneOf(['output']), name: text }),
  scratch: object({ kind: oneOf(['scratch']), slab: integer(0), offset: integer(0) }),
});

const programTensor: Check<ProgramTensor> = object<ProgramTensor>({ name: text, dtype: storedDtype, shape, memory, half: optional(half) });

const dispatch: Check<Dispatch> = object<Dispatch>({
  kernel: text,
  bindings: list(integer(0)),
  scalars: flag,
  workgroups: triple(integer(0)),
  label: text,
  writes: list(integer(0)),
});

const derivation: Check<Derivation> = object<Derivation>({
  kind: oneOf(['group']),
  of: text,
  rows: integer(1),
  part: oneOf(['offsets', 'order']),
});

const input: Check<ProgramInput> = object<ProgramInput>({ name: text, dtype: storedDtype, shape, derive: optional(derivation) });

export const program: Check<Program> = object<Program>({
  target: text,
  tensors: list(programTensor),
  inputs: list(input),
  outputs: list(object({ name: text, dtype: storedDtype, shape })),
  scalars: list(text),
  slabs: list(integer(0)),
  dispatches: list(dispatch),
  flops: number,
  traffic: number,
});

export const target: Check<Target> = object<Target>({
  name: text,
  features: list(text),
  subgroup: optional(integer(1)),
  limits: object({
    maxStorageBuffersPerShaderStage: integer(0),
    maxComputeWorkgroupStorageSize: integer(0),
    maxComputeInvocationsPerWorkgroup: integer(0),
    maxStorageBufferBindingSize: integer(0),
  }),
});

/** Offsets of scratch tensors; the least that every WebGPU device accepts. */
const ALIGNMENT = 256;
/** Workgroups of a dispatch in one dimension; the least limit of WebGPU. */
const MAX_WORKGROUPS = 65535;

/** Tensors lie within their memory, and dispatches speak of tensors and kernels that are there. */
export function checkProgram(value: Program, path: string, kernels: Readonly<Record<string, string>>, faults: Faults): void {
  const fault = (where: string, what: string): void => void faults.push({ path: `${path}.${where}`, text: what });
  const named = (
    all: readonly { name: string; dtype: StoredDtype; shape: number[] }[],
  ): Map<string, { dtype: StoredDtype; shape: number[] }> => new Map(all.map((one) => [one.name, one]));
  const inputs = named(value.inputs);
  const outputs = named(value.outputs);
  value.tensors.forEach((tensor, i) => {
    const { name, dtype, shape: extents, memory: at } = tensor;
    const where = `tensors[${i}]`;
    if (tensor.half !== undefined && (at.kind !== 'state' || dtype !== 'f32'))
      fault(where, `(${name}) is held as ${tensor.half}, and only f32 states are`);
    if (at.kind === 'scratch') {
      const bytes = storageBytes(tensor);
      const slab = value.slabs[at.slab];
      if (slab === undefined) fault(where, `lies in slab ${at.slab}, and there are ${value.slabs.length}`);
      else if (at.offset + bytes > slab) fault(where, `(${name}) ends at byte ${at.offset + bytes} of a slab of ${slab}`);
      if (at.offset % ALIGNMENT !== 0) fault(where, `begins at byte ${at.offset}, which is no multiple of ${ALIGNMENT}`);
    } else if (at.kind !== 'state') {
      const declared = (at.kind === 'input' ? inputs : outputs).get(at.name);
      if (declared === undefined) fault(where, `is the ${at.kind} ${at.name}, which the program does not declare`);
      else if (elements(declared.shape) !== elements(extents) || declared.dtype !== dtype) {
        fault(
          where,
          `is ${dtype} [${extents.join(', ')}], and the ${at.kind} ${at.name} is ${declared.dtype} [${declared.shape.join(', ')}]`,
        );
      }
    }
  });
  value.inputs.forEach(({ derive }, i) => {
    if (derive !== undefined && !inputs.has(derive.of))
      fault(`inputs[${i}]`, `is derived from the input ${derive.of}, which is not declared`);
  });
  value.dispatches.forEach((one, i) => {
    const where = `dispatches[${i}]`;
    if (!Object.hasOwn(kernels, one.kernel)) fault(where, `(${one.label}) runs the kernel ${one.kernel}, which the plan does not have`);
    for (const index of one.bindings) if (index >= value.tensors.length) fault(where, `binds tensor ${index} of ${value.tensors.length}`);
    const written = one.writes.find((index) => value.tensors[one.bindings[index]]?.half !== undefined);
    if (written !== undefined) fault(where, `writes binding ${written}, which is held as 16-bit floats`);
    for (const index of one.writes) if (index >= one.bindings.length) fault(where, `writes binding ${index} of ${one.bindings.length}`);
    if (one.workgroups.some((n) => n > MAX_WORKGROUPS))
      fault(where, `has ${one.workgroups.join(' x ')} workgroups; ${MAX_WORKGROUPS} is the most`);
  });
}
