/**
 * From a group of graph nodes to WGSL. In comes what fusion decided that one kernel computes (group.ts), out go one or two
 * kernels (kernel.ts). There is one generator for each kind of group; they share symbolic positions (index/), the value of
 * a node at such a position (expression.ts) and the writing of modules (module.ts).
 *
 * Left to others: what belongs together (fusion), where tensors lie in memory (the lowering), and what runs them (the
 * runtime). The text of a kernel depends on shapes and structure only, never on names or values, so that equal work in two
 * layers is one pipeline.
 */
import type { Group } from '../fuse/group.ts';
import { PivotError } from '../../plan/errors.ts';
import { columns } from './columns.ts';
import type { GenerateOptions, Kernel, KernelTarget } from './kernel.ts';
import { map } from './map.ts';
import { product } from './product/product.ts';
import { rows } from './rows.ts';
import { scatter } from './scatter.ts';
import type { Job } from './module.ts';

const GENERATORS: Record<Group['kind'], (job: Job) => Kernel[]> = { map, rows, columns, product, scatter };

/**
 * The kernels of a group, in the order in which they run. Throws a PivotError if one would bind more buffers than the
 * target allows.
 */
export function generate(group: Group, target: KernelTarget, options: GenerateOptions): Kernel[] {
  const kernels = GENERATORS[group.kind]({ group, target, options });
  for (const kernel of kernels) {
    if (kernel.bindings.length > target.maxBindings) {
      throw new PivotError(
        'K0101',
        `the kernel of ${kernel.label} binds ${kernel.bindings.length} buffers, the target '${target.name}' allows ${target.maxBindings}`,
        {
          cure: 'Choose an adapter with a larger maxStorageBuffersPerShaderStage, or name intermediate results so that fewer tensors meet in one expression.',
        },
      );
    }
  }
  return kernels;
}
