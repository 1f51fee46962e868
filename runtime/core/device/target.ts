/** Which of a plan's targets an adapter can run: the first that fits, in the order in which the plan lists them. */
import type { Target } from '../../../plan/program.ts';
import { deviceError } from './errors.ts';
import type { AdapterInfo } from './info.ts';

/** What `info` lacks for `target`; empty where it fits. */
export function lacking(target: Target, info: AdapterInfo): string[] {
  const lacks: string[] = [];
  for (const feature of target.features) {
    if (!info.features.includes(feature)) lacks.push(`the feature ${feature}`);
  }
  const { min, max } = info.subgroup;
  // An adapter with a range of sizes chooses one by itself, so kernels of a fixed size may only run where there is no choice.
  if (target.subgroup !== undefined && (min !== target.subgroup || max !== target.subgroup)) {
    const has = max === 0 ? 'none' : min === max ? `${min}` : `${min} to ${max}`;
    lacks.push(`subgroups of ${target.subgroup} (it has ${has})`);
  }
  for (const [name, need] of Object.entries(target.limits)) {
    const has = info.limits[name] ?? 0;
    if (has < need) lacks.push(`${name} ${need} (it has ${has})`);
  }
  return lacks;
}

/** The first target that `info` satisfies. Throws R0104, which says what each one lacks. */
export function pickTarget(targets: readonly Target[], info: AdapterInfo): Target {
  const refused: string[] = [];
  for (const target of targets) {
    const lacks = lacking(target, info);
    if (lacks.length === 0) return target;
    refused.push(`${target.name} needs ${lacks.join(', ')}`);
  }
  throw deviceError(
    'R0104',
    `no target of this plan runs on ${info.name}: ${refused.join('; ') || 'the plan lists none'}`,
    'compile for this adapter (`pivot run FILE` does), or add the target `portable`.',
  );
}
