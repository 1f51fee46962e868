/** Times the kernels of one group on a device, apart from any program: the least of several runs. */
import type { Group, GroupKind } from '../compiler/fuse/group.ts';
import type { Node } from '../compiler/graph/graph.ts';
import { isDerived, isScratch } from '../compiler/kernels/kernel.ts';
import type { Binding, Kernel, KernelTarget } from '../compiler/kernels/kernel.ts';
import { generate } from '../compiler/kernels/generate.ts';
import { BYTES, elements } from '../plan/dtypes.ts';
import { BufferUsage } from '../runtime/core/executor/usage.ts';
import type { OpenDevice } from '../runtime/node/device/open.ts';
import { sleepingWait } from '../runtime/node/device/wait.ts';

export interface Timed {
  kernels: Kernel[];
  /** Milliseconds of one run of all kernels, and of the first, which compiles. */
  ms: number;
  firstMs: number;
}

/** The targets that a device can run: `portable`, `gpu`, and `software` where it has subgroups of one size. */
export function targetsOf({ info }: OpenDevice): KernelTarget[] {
  const common = { maxBindings: 8, maxWorkgroupsPerDimension: 65535 };
  const { min, max } = info.subgroup;
  const targets: KernelTarget[] = [
    { name: 'portable', ...common },
    { name: 'gpu', ...common },
  ];
  if (min === max && (min === 4 || min === 8 || min === 16)) targets.unshift({ name: 'software', subgroup: min, ...common });
  return targets;
}

/** A group that computes `outputs` from the inputs and states that they lead to. */
export function groupOf(kind: GroupKind, outputs: Node[]): Group {
  const reads = new Set<Node>();
  const inside = new Set<Node>();
  const visit = (node: Node): void => {
    if (inside.has(node)) return;
    if (node.op.kind === 'input' || node.op.kind === 'state') {
      reads.add(node);
      return;
    }
    node.inputs.forEach(visit);
    inside.add(node);
  };
  outputs.forEach(visit);
  const reduces = [...inside].filter((node) => node.op.kind === 'reduce');
  const core = [...inside].find((node) => node.op.kind === 'contract' || node.op.kind === 'scatter_add');
  const reducing = kind === 'rows' || kind === 'columns';
  const space = reducing ? reduces[0].inputs[0].shape : (core ?? outputs[0]).shape;
  const reduced = reducing ? space.length - reduces[0].shape.length : 0;
  return { kind, outputs, inside, reads: [...reads], core, reduces, space, reduced };
}

/** Runs the group's kernels until `enough` milliseconds have gone by; several submits are in flight together. */
export async function timeGroup({ device }: OpenDevice, group: Group, target: KernelTarget, enough = 400): Promise<Timed> {
  const kernels = generate(group, target, { scalarIndex: () => 0 });
  const buffers = new Map<string, GPUBuffer>();
  const bufferOf = (binding: Binding): GPUBuffer => {
    const key = isScratch(binding) ? binding.scratch : isDerived(binding) ? `${binding.derived}${binding.index.id}` : `${binding.id}`;
    const known = buffers.get(key);
    if (known) return known;
    if (isDerived(binding)) throw new Error('a scatter is timed within a program');
    const size = elements(binding.shape) * BYTES.f32;
    const buffer = device.createBuffer({ size, usage: BufferUsage.STORAGE | BufferUsage.COPY_DST });
    // Numbers of ordinary size: denormal ones would be slow.
    device.queue.writeBuffer(
      buffer,
      0,
      Float32Array.from({ length: size / 4 }, (_, i) => ((i * 7919) % 1009) / 1009 - 0.5),
    );
    buffers.set(key, buffer);
    return buffer;
  };
  const scalars = device.createBuffer({ size: 16, usage: BufferUsage.UNIFORM });
  const steps = await Promise.all(
    kernels.map(async (kernel) => {
      const module = device.createShaderModule({ code: kernel.wgsl });
      const pipeline = await sleepingWait(device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } }));
      const resources = [...kernel.bindings.map(bufferOf), ...(kernel.scalars ? [scalars] : [])];
      const entries = resources.map((buffer, binding) => ({ binding, resource: { buffer } }));
      return { pipeline, kernel, group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }) };
    }),
  );
  const once = async (repeats: number): Promise<number> => {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < repeats; i++) {
      for (const step of steps) {
        pass.setPipeline(step.pipeline);
        pass.setBindGroup(0, step.group);
        pass.dispatchWorkgroups(...step.kernel.workgroups);
      }
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
    await sleepingWait(device.queue.onSubmittedWorkDone());
    return (performance.now() - start) / repeats;
  };
  const firstMs = await once(1);
  let ms = Infinity;
  const begin = performance.now();
  const repeats = Math.max(1, Math.min(50, Math.floor(10 / (await once(1)))));
  do ms = Math.min(ms, await once(repeats));
  while (performance.now() - begin < enough);
  scalars.destroy();
  for (const buffer of buffers.values()) buffer.destroy();
  return { kernels, ms, firstMs };
}
