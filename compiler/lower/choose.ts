/** Which target suits a device, when a text is compiled for the one at hand. */
import type { Target } from '../../plan/program.ts';
import { TARGETS, targetNamed } from './targets.ts';

/** What is known of a device. */
export interface DeviceFacts {
  type: 'gpu' | 'software';
  features: readonly string[];
  subgroup: { min: number; max: number };
}

/** Software drivers with a fixed subgroup size get kernels for that size, GPUs the tiled ones, all else the portable ones. */
export function targetFor(facts: DeviceFacts): Target {
  const { min, max } = facts.subgroup;
  const name = `software-${min}`;
  if (facts.type === 'software' && facts.features.includes('subgroups') && min === max && name in TARGETS) return targetNamed(name);
  return facts.type === 'gpu' ? TARGETS.gpu : TARGETS.portable;
}
