/** Small programs written by hand, for tests of the executor: kernels are named by their text's key instead of a hash. */
import { elements, type StoredDtype } from '../../plan/dtypes.ts';
import type { Dispatch, Memory, Program } from '../../plan/program.ts';

/** `name: [kind, dtype, shape]`; scratch tensors are laid one after another in slab 0. */
export type Tensors = Record<string, ['state' | 'input' | 'output' | 'scratch', StoredDtype, number[]]>;

export interface Step {
  kernel: string;
  bind: string[];
  writes: string[];
  workgroups?: [number, number, number];
  scalars?: boolean;
}

export function program(tensors: Tensors, steps: Step[], more: Partial<Pick<Program, 'scalars' | 'inputs'>> = {}): Program {
  const names = Object.keys(tensors);
  let end = 0;
  const listed = names.map((name) => {
    const [kind, dtype, shape] = tensors[name];
    let memory: Memory;
    if (kind === 'scratch') {
      memory = { kind, slab: 0, offset: end };
      end += Math.ceil((elements(shape) * 4) / 256) * 256;
    } else memory = { kind, name };
    return { name, dtype, shape, memory };
  });
  const of = (kind: string): { name: string; dtype: StoredDtype; shape: number[] }[] =>
    listed.filter((tensor) => tensor.memory.kind === kind).map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  const dispatches = steps.map(({ kernel, bind, writes, workgroups = [1, 1, 1], scalars = false }): Dispatch => ({
    kernel,
    bindings: bind.map((name) => names.indexOf(name)),
    scalars,
    workgroups,
    label: kernel,
    writes: writes.map((name) => bind.indexOf(name)),
  }));
  return {
    target: 'portable',
    tensors: listed,
    inputs: more.inputs ?? of('input'),
    outputs: of('output'),
    scalars: more.scalars ?? [],
    slabs: end > 0 ? [end] : [],
    dispatches,
    flops: 0,
    traffic: 0,
  };
}

/** WGSL with storage bindings of the given element types, then the uniform block where `scalars`; `body` has `i`, bounded by `count`. */
export function kernel(types: string[], count: number, body: string, scalars = 0): string {
  const bindings = types.map((type, at) => `@group(0) @binding(${at}) var<storage, read_write> b${at}: array<${type}>;`);
  if (scalars > 0) bindings.push(`@group(0) @binding(${types.length}) var<uniform> s: array<vec4<f32>, ${Math.ceil(scalars / 4)}>;`);
  return `${bindings.join('\n')}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= ${count}u) { return; }
  ${body}
}
`;
}
