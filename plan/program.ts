/**
 * A program is what one submit to the device executes: a list of dispatches over tensors whose memory is laid out
 * ahead. It is pure data. Its kernels are WGSL texts, named by the hash of their content and kept beside the plan.
 *
 * Memory is of four kinds. `state` lives as long as the task and is shared by the task's programs (weights, optimizer
 * moments, gradient accumulators, the halt flag). `input` is written by the host before the program runs. `output` is
 * read by the host after it (metrics, features). `scratch` is laid out by lifetime in slabs that the task's programs
 * share, since they never run at the same time.
 */
import type { Half, StoredDtype } from './dtypes.ts';

export type Memory =
  | { kind: 'state'; name: string }
  | { kind: 'input'; name: string }
  | { kind: 'output'; name: string }
  | { kind: 'scratch'; slab: number; /** bytes, a multiple of 256 */ offset: number };

export interface ProgramTensor {
  /** A readable path, such as `eyes.blocks.2.attention.scores`; the halt report names it. */
  name: string;
  dtype: StoredDtype;
  /** Row-major and contiguous. */
  shape: number[];
  memory: Memory;
  /** Of a state that no program of the task writes: it is held as 16-bit floats. */
  half?: Half;
}

export interface Dispatch {
  /** Hash of the WGSL text (key of `Plan.kernels`). Entry point `main`. */
  kernel: string;
  /** Index into `Program.tensors` for @group(0) @binding(0), (1), ...; all bound as read_write storage. */
  bindings: number[];
  /** Whether the kernel binds the uniform block of scalars at @group(0) @binding(bindings.length). */
  scalars: boolean;
  workgroups: [number, number, number];
  /** What this dispatch computes, for timings and for the report of a bad number. */
  label: string;
  /** Which of `bindings` (positions in that list) it writes. */
  writes: number[];
}

/**
 * Inputs that the host derives from another input when it uploads it.
 * `group`: for a table of `rows` rows indexed by the values of input `of`: `offsets` [rows + 1] and `order` [elements of
 * `of`], such that order[offsets[r] .. offsets[r+1]] are the flat positions where the value is r, ascending. It makes
 * the gradient of a gather a deterministic sum without atomics.
 */
export type Derivation = { kind: 'group'; of: string; rows: number; part: 'offsets' | 'order' };

export interface ProgramInput {
  name: string;
  dtype: StoredDtype;
  shape: number[];
  derive?: Derivation;
}

export interface Program {
  /** What it was compiled for: `portable`, `software-4`, `software-8`, `software-16`, `gpu`. */
  target: string;
  tensors: ProgramTensor[];
  inputs: ProgramInput[];
  outputs: { name: string; dtype: StoredDtype; shape: number[] }[];
  /** Names of the values in the uniform block, in order: f32 each, packed as array<vec4<f32>, ceil(n/4)>. */
  scalars: string[];
  /** Bytes of each scratch slab. */
  slabs: number[];
  dispatches: Dispatch[];
  /** Floating-point operations of one execution (products count two). */
  flops: number;
  /** Bytes read and written by the dispatches, as the memory layout has them. */
  traffic: number;
}

/** What a kernel needs of a device, by target. The runtime takes the first target of a plan that an adapter satisfies. */
export interface Target {
  name: string;
  features: string[];
  /** Exact subgroup size that the kernels were generated for; absent where they use none. */
  subgroup?: number;
  /** Storage buffers per stage, workgroup storage in bytes, invocations per workgroup, bytes of one binding. */
  limits: {
    maxStorageBuffersPerShaderStage: number;
    maxComputeWorkgroupStorageSize: number;
    maxComputeInvocationsPerWorkgroup: number;
    maxStorageBufferBindingSize: number;
  };
}
