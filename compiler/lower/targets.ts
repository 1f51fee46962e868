/**
 * The targets that programs are compiled for: what each asks of a device, and what the kernel generators may use. A plan
 * may hold programs for several; the runtime takes the first that its adapter satisfies.
 */
import { PivotError } from '../../plan/errors.ts';
import type { Target } from '../../plan/program.ts';
import type { KernelTarget } from '../kernels/kernel.ts';

export type TargetName = 'portable' | 'software-4' | 'software-8' | 'software-16' | 'gpu';

/** The limits that WebGPU promises everywhere. */
const CORE = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxStorageBufferBindingSize: 128 * 2 ** 20,
};

/** SwiftShader binds 12 storage buffers in a kernel and Mesa's lavapipe 16; both allow bindings of 128 MiB at least. */
const software = (subgroup: 4 | 8 | 16): Target => ({
  name: `software-${subgroup}`,
  features: ['subgroups'],
  subgroup,
  limits: { ...CORE, maxStorageBuffersPerShaderStage: 12 },
});

export const TARGETS: Readonly<Record<TargetName, Target>> = {
  portable: { name: 'portable', features: [], limits: CORE },
  'software-4': software(4),
  'software-8': software(8),
  'software-16': software(16),
  // GPUs of the last ten years bind ten buffers in Dawn's tiers, and a gibibyte.
  gpu: { name: 'gpu', features: [], limits: { ...CORE, maxStorageBuffersPerShaderStage: 10, maxStorageBufferBindingSize: 2 ** 30 } },
};

/** The target of a name. @throws PivotError L0101 for an unknown one. */
export function targetNamed(name: string): Target {
  const target = Object.values(TARGETS).find((one) => one.name === name);
  if (!target) throw new PivotError('L0101', `there is no target ${name}`, { cure: `Choose among ${Object.keys(TARGETS).join(', ')}.` });
  return target;
}

/** What the generators must know of a target. */
export function kernelTarget(target: Target): KernelTarget {
  const { subgroup } = target;
  const exact = subgroup === 4 || subgroup === 8 || subgroup === 16 ? subgroup : undefined;
  return {
    name: exact ? 'software' : target.name === 'gpu' ? 'gpu' : 'portable',
    subgroup: exact,
    maxBindings: target.limits.maxStorageBuffersPerShaderStage,
    maxWorkgroupsPerDimension: 65535,
  };
}
