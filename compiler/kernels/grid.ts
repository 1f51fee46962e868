/** How many workgroups, and how a workgroup finds its number when one dimension does not hold them all. */
import type { KernelTarget } from './kernel.ts';

export interface Grid {
  workgroups: [number, number, number];
  /** Number of the workgroup, as WGSL. May exceed the count by less than a row where the grid has two dimensions. */
  number: string;
  /** Whether it never exceeds the count. */
  exact: boolean;
  /** Statement that ends the workgroups beyond the count; empty where there are none. */
  stop: string[];
}

/** A line of `count` workgroups, folded into two dimensions if it is too long. */
export function line(count: number, target: KernelTarget): Grid {
  const most = target.maxWorkgroupsPerDimension;
  if (count <= most) return { workgroups: [count, 1, 1], number: 'wg.x', exact: true, stop: [] };
  const rows = Math.ceil(count / most);
  const across = Math.ceil(count / rows);
  const number = `(wg.y * ${across}u + wg.x)`;
  const exact = across * rows === count;
  return { workgroups: [across, rows, 1], number, exact, stop: exact ? [] : [`if (${number} >= ${count}u) { return; }`] };
}
