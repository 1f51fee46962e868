/** What a kernel costs and what it is called, for timings and reports. */
import { flopsOf } from '../graph/primitives/table.ts';
import type { Group } from '../fuse/group.ts';

/** The model path of what the group stores, and what kind of kernel it is. */
export function labelOf(group: Group): string {
  const label = [...group.outputs, ...group.inside].find((node) => node.label !== undefined)?.label;
  return label === undefined ? group.kind : `${label} (${group.kind})`;
}

/** Floating-point operations of all that the group computes, once each. */
export function elementwiseFlops(group: Group): number {
  return [...group.inside].reduce((sum, node) => sum + flopsOf(node), 0);
}
