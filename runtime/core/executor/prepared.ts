/** A program made ready on a device: its pipelines and bind groups in order, made once and encoded again for each run. */
import type { Program } from '../../../plan/program.ts';
import { deviceError } from '../device/errors.ts';
import type { Buffers } from './buffers.ts';
import { shapeOf, type Kernels } from './kernels.ts';
import type { ProgramLayout } from './layout.ts';

interface Step {
  pipeline: GPUComputePipeline;
  group: GPUBindGroup;
  workgroups: [number, number, number];
}

export interface Prepared {
  role: string;
  program: Program;
  layout: ProgramLayout;
  steps: Step[];
}

/** Throws R0127 where a kernel is missing. */
export function prepare(
  device: GPUDevice,
  role: string,
  program: Program,
  layout: ProgramLayout,
  buffers: Buffers,
  kernels: Kernels,
): Prepared {
  const steps = program.dispatches.map((dispatch): Step => {
    const pipeline = kernels.pipelines.get(dispatch.kernel);
    const group = kernels.groups.get(shapeOf(dispatch));
    if (!pipeline || !group) throw deviceError('R0127', `the kernel of ${dispatch.label} was not compiled`, 'compile the plan again.');
    const entries: GPUBindGroupEntry[] = dispatch.bindings.map((tensor, binding) => ({
      binding,
      resource: buffers.binding(layout.tensors[tensor]),
    }));
    if (dispatch.scalars) entries.push({ binding: entries.length, resource: { buffer: buffers.scalars } });
    return { pipeline, group: device.createBindGroup({ label: dispatch.label, layout: group, entries }), workgroups: dispatch.workgroups };
  });
  return { role, program, layout, steps };
}

/** Encodes the steps `from` (inclusive) to `to` (exclusive) into one pass. */
export function encodeSteps(pass: GPUComputePassEncoder, steps: readonly Step[], from = 0, to = steps.length): void {
  let last: GPUComputePipeline | undefined;
  for (let i = from; i < to; i += 1) {
    const { pipeline, group, workgroups } = steps[i];
    if (pipeline !== last) pass.setPipeline(pipeline);
    last = pipeline;
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
  }
}
