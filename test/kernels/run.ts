/** Runs the kernels of one group on a device, and compares with the oracle. */
import type { Group, GroupKind } from '../../compiler/fuse/group.ts';
import { evaluateNodes } from '../../compiler/graph/evaluate.ts';
import type { Node } from '../../compiler/graph/graph.ts';
import { isDerived, isScratch } from '../../compiler/kernels/kernel.ts';
import type { Binding, Kernel, KernelTarget } from '../../compiler/kernels/kernel.ts';
import { generate } from '../../compiler/kernels/generate.ts';
import { arrayOf, elements } from '../../plan/dtypes.ts';
import type { StoredDtype, TypedArrayOf } from '../../plan/dtypes.ts';
import { sleepingWait } from '../../runtime/node/device/wait.ts';
import { BufferUsage, MapMode } from '../../runtime/core/executor/usage.ts';
import type { OpenDevice } from '../../runtime/node/device/open.ts';
import { Random } from '../support/random.ts';

/** Scalars of all tests, in the order of the uniform block. */
export const SCALARS: Record<string, number> = { rate: 0.25, decay: 0.9, scale: 1.5, floor: -0.5, beta: 0.1 };

export function targetsOf(open: OpenDevice): KernelTarget[] {
  const { min } = open.info.subgroup;
  const common = { maxBindings: 8, maxWorkgroupsPerDimension: 65535 };
  const targets: KernelTarget[] = [
    { name: 'portable', ...common },
    { name: 'gpu', ...common },
  ];
  if (min === 4 || min === 8 || min === 16) targets.push({ name: 'software', subgroup: min, ...common });
  return targets;
}

/** A group that computes `outputs` from whatever leaves and `reads` they lead to. */
export function groupOf(kind: GroupKind, outputs: Node[], more: Partial<Group> = {}): Group {
  const reads = new Set<Node>(more.reads);
  const inside = new Set<Node>();
  const reduces: Node[] = [];
  const visit = (node: Node): void => {
    if (reads.has(node) || inside.has(node)) return;
    if (node.op.kind === 'input' || node.op.kind === 'state') {
      reads.add(node);
      return;
    }
    node.inputs.forEach(visit);
    inside.add(node);
    if (node.op.kind === 'reduce') reduces.push(node);
  };
  outputs.forEach(visit);
  const core = [...inside].find((node) => node.op.kind === 'contract' || node.op.kind === 'scatter_add');
  const space = kind === 'rows' || kind === 'columns' ? reduces[0].inputs[0].shape : (core ?? outputs[0]).shape;
  const reduced = kind === 'rows' || kind === 'columns' ? space.length - reduces[0].shape.length : 0;
  return { kind, outputs, inside, reduces, space, reduced, core, ...more, reads: [...reads] };
}

/** Random values for the leaves: floats in [-2, 2), and whole numbers below `most` (given by name). */
export function randomLeaves(nodes: readonly Node[], seed: number, most: Record<string, number> = {}): Map<Node, TypedArrayOf> {
  const random = new Random(seed);
  return new Map(
    nodes.map((node) => {
      const name = node.op.kind === 'input' || node.op.kind === 'state' ? node.op.name : '';
      const count = elements(node.shape);
      return [node, node.dtype === 'f32' ? random.floats(count) : random.integers(count, most[name] ?? 4)];
    }),
  );
}

/** Generates, runs, and compares every output with the oracle, element by element. */
export async function check(
  open: OpenDevice,
  group: Group,
  target: KernelTarget,
  values: Map<Node, TypedArrayOf>,
  tolerance = 2e-5,
): Promise<Kernel[]> {
  const kernels = generate(group, target, options);
  const found = await run(open, kernels, values);
  const leaves = { input: {} as Record<string, TypedArrayOf>, state: {} as Record<string, TypedArrayOf>, scalar: SCALARS };
  for (const [node, data] of values) {
    if (node.op.kind === 'input' || node.op.kind === 'state') leaves[node.op.kind][node.op.name] = data;
  }
  const expected = evaluateNodes(group.outputs, leaves);
  group.outputs.forEach((node, i) => {
    const [got, want] = [found.get(node), expected[i]];
    if (!got) throw new Error(`output ${i} was not stored`);
    expectClose(got, want, tolerance, `${target.name}: output ${i} [${node.shape.join(', ')}]`);
  });
  return kernels;
}

export const options = { scalarIndex: (name: string) => Object.keys(SCALARS).indexOf(name) };

/** Throws if an element differs by more than the tolerance, measured against the largest value. */
export function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number, what: string): void {
  let largest = 1e-6;
  for (let i = 0; i < want.length; i++) largest = Math.max(largest, Math.abs(want[i]));
  let at = -1;
  for (let i = 0; i < want.length && at < 0; i++) if (!(Math.abs(got[i] - want[i]) <= tolerance * largest)) at = i;
  if (got.length !== want.length) throw new Error(`${what}: ${got.length} elements instead of ${want.length}`);
  if (at >= 0) throw new Error(`${what}: element ${at} is ${got[at]} instead of ${want[at]}`);
}

/** Runs kernels in order; what they store, by node. */
export async function run(
  { device }: OpenDevice,
  kernels: readonly Kernel[],
  values: Map<Node, TypedArrayOf>,
): Promise<Map<Node, TypedArrayOf>> {
  const buffers = new Map<string, GPUBuffer>();
  const usage = BufferUsage.STORAGE | BufferUsage.COPY_SRC | BufferUsage.COPY_DST;
  const bufferOf = (binding: Binding): GPUBuffer => {
    const key = isScratch(binding) ? binding.scratch : isDerived(binding) ? `${binding.derived}${binding.index.id}` : `${binding.id}`;
    const known = buffers.get(key);
    if (known) return known;
    const data = initial(binding, values);
    const buffer = device.createBuffer({ size: data.byteLength, usage });
    device.queue.writeBuffer(buffer, 0, data);
    buffers.set(key, buffer);
    return buffer;
  };
  const numbers = Object.values(SCALARS);
  const uniform = device.createBuffer({ size: 16 * Math.ceil(numbers.length / 4), usage: BufferUsage.UNIFORM | BufferUsage.COPY_DST });
  device.queue.writeBuffer(uniform, 0, Float32Array.from(numbers));

  device.pushErrorScope('validation');
  const encoder = device.createCommandEncoder();
  const stored = new Set<Node>();
  for (const kernel of kernels) {
    const module = device.createShaderModule({ code: kernel.wgsl });
    const { messages } = await module.getCompilationInfo();
    const bad = messages.filter((message) => message.type === 'error');
    if (bad.length > 0) throw new Error(`${bad.map((m) => `${m.lineNum}: ${m.message}`).join('\n')}\n${kernel.wgsl}`);
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
    const resources = kernel.bindings.map(bufferOf);
    const entries = [...resources, ...(kernel.scalars ? [uniform] : [])].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(...kernel.workgroups);
    pass.end();
    for (const i of kernel.writes) {
      const binding = kernel.bindings[i];
      if (!isScratch(binding) && !isDerived(binding)) stored.add(binding);
    }
  }
  const copies = [...stored].map((node) => {
    const from = bufferOf(node);
    const to = device.createBuffer({ size: from.size, usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST });
    encoder.copyBufferToBuffer(from, 0, to, 0, from.size);
    return { node, to };
  });
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  if (error) throw new Error(`${error.message}\n${kernels.map((kernel) => kernel.wgsl).join('\n')}`);
  const results = new Map<Node, TypedArrayOf>();
  for (const { node, to } of copies) {
    await sleepingWait(to.mapAsync(MapMode.READ));
    const bytes = to.getMappedRange().slice(0);
    results.set(
      node,
      node.dtype === 'f32' ? new Float32Array(bytes) : node.dtype === 'i32' ? new Int32Array(bytes) : new Uint32Array(bytes),
    );
    to.destroy();
  }
  uniform.destroy();
  for (const buffer of buffers.values()) buffer.destroy();
  return results;
}

function initial(binding: Binding, values: Map<Node, TypedArrayOf>): TypedArrayOf {
  if (isScratch(binding)) return poison(binding.dtype, elements(binding.shape));
  if (!isDerived(binding)) return values.get(binding) ?? poison(binding.dtype === 'bool' ? 'u32' : binding.dtype, elements(binding.shape));
  const index = values.get(binding.index);
  if (!index) throw new Error('the index has no values');
  const order = Uint32Array.from(index.keys()).sort((a, b) => index[a] - index[b] || a - b);
  if (binding.derived === 'order') return order;
  return Uint32Array.from({ length: binding.rows + 1 }, (_, row) => order.findIndex((at) => index[at] >= row)).map((at) =>
    at === 2 ** 32 - 1 ? index.length : at,
  );
}

/** What no kernel leaves behind: an element that was not stored is found out. */
function poison(dtype: StoredDtype, count: number): TypedArrayOf {
  return arrayOf(dtype, count).fill(123456);
}
