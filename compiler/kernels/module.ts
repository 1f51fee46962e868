/** A WGSL module around the body of a kernel: declarations, helper functions, the entry point. */
import { Bindings } from './bindings.ts';
import { Emitter } from './expression.ts';
import type { GenerateOptions, Kernel, KernelTarget } from './kernel.ts';
import type { Group } from '../fuse/group.ts';
import { Writer } from './writer.ts';

/** What all generators are given. */
export interface Job {
  group: Group;
  target: KernelTarget;
  options: GenerateOptions;
}

export interface Frame {
  /** Threads of a workgroup, in one dimension. `lid` is the thread's number, `wg` the workgroup's. */
  threads: number;
  workgroups: [number, number, number];
  /** A workgroup is one subgroup, and `lid` the number within it. */
  subgroup?: boolean;
  /** Declarations of workgroup memory. */
  shared?: string[];
  label: string;
  flops: number;
}

/** Writes a kernel; `body` is called again where a buffer turned out not to be accessible as vectors. */
export function build(job: Job, frame: Frame, body: (emitter: Emitter) => void): Kernel {
  const scalarOnly = new Set<string>();
  for (;;) {
    const before = scalarOnly.size;
    const kernel = write(job, frame, body, scalarOnly);
    if (scalarOnly.size === before) return kernel;
  }
}

function write({ group, target, options }: Job, frame: Frame, body: (emitter: Emitter) => void, scalarOnly: Set<string>): Kernel {
  const writer = new Writer();
  const bindings = new Bindings(options.inPlace ?? new Map(), scalarOnly);
  const helpers = new Set<string>();
  const reads = new Set(group.reads);
  let scalars = 0;
  const emitter = new Emitter({
    writer,
    bindings,
    unrolls: target.name !== 'gpu',
    isRealised: (node) => reads.has(node),
    scalar(name) {
      const i = options.scalarIndex(name);
      scalars = Math.max(scalars, Math.floor(i / 4) + 1);
      return `scalars[${Math.floor(i / 4)}].${'xyzw'[i % 4]}`;
    },
    helper: (text) => helpers.add(text),
  });
  body(emitter);
  for (const key of bindings.refused) scalarOnly.add(key);

  const declarations = bindings.declarations();
  if (scalars > 0) declarations.push(`@group(0) @binding(${bindings.slots.length}) var<uniform> scalars: array<vec4<f32>, ${scalars}>;`);
  declarations.push(...(frame.shared ?? []));
  const builtin = frame.subgroup ? 'subgroup_invocation_id' : 'local_invocation_index';
  const wgsl = [
    ...(frame.subgroup ? ['enable subgroups;\n'] : []),
    `${declarations.join('\n')}\n`,
    ...[...helpers].map((text) => `${text}\n`),
    `@compute @workgroup_size(${frame.threads})`,
    `fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(${builtin}) lid: u32) {`,
    writer.body(),
    '}\n',
  ].join('\n');
  return {
    wgsl,
    bindings: bindings.slots.map((slot) => slot.binding),
    writes: bindings.slots.flatMap((slot, i) => (slot.written ? [i] : [])),
    scalars: scalars > 0,
    workgroups: frame.workgroups,
    label: frame.label,
    flops: frame.flops,
    bytes: bindings.bytes(),
    aligned: bindings.aligned(),
  };
}
