/**
 * Two figures of a device that tell which order of speed to expect: a plain matrix product and a copy. The product is a 4 x 4 register
 * tile without subgroups or workgroup memory, so it runs everywhere; compiled programs are usually faster.
 */
import type { Wait } from '../../core/device/wait.ts';
import { BufferUsage, alignUp } from '../../core/executor/usage.ts';

export interface Speed {
  /** Products and sums of a square matrix product of `size`, in 10^9 a second. */
  gflops: number;
  size: number;
  /** Bytes read and written by a copy of `bytes`, in 10^9 a second. */
  gbs: number;
  bytes: number;
}

/** Long enough to be told from the cost of a submit. */
const ENOUGH_MS = 40;
const REPEATS = 3;

export async function measure(device: GPUDevice, wait: Wait): Promise<Speed> {
  const limit = Math.min(device.limits.maxStorageBufferBindingSize, 256 * 2 ** 20);
  const product = await grow(128, 4096, 2, (size) => timeProduct(device, wait, size));
  const copy = await grow(2 ** 20, limit, 4, (bytes) => timeCopy(device, wait, bytes));
  return { gflops: (2 * product.size ** 3) / product.ms / 1e6, size: product.size, gbs: (2 * copy.size) / copy.ms / 1e6, bytes: copy.size };
}

/** Grows the size until one execution takes long enough. */
async function grow(
  from: number,
  to: number,
  factor: number,
  time: (size: number) => Promise<number>,
): Promise<{ size: number; ms: number }> {
  let size = from;
  for (;;) {
    const ms = await time(size);
    if (ms >= ENOUGH_MS || size * factor > to) return { size, ms };
    size *= factor;
  }
}

function timeProduct(device: GPUDevice, wait: Wait, size: number): Promise<number> {
  const n = size / 4;
  const code = `
@group(0) @binding(0) var<storage, read_write> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4<f32>>;
@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = 4u * id.y;
  var s0 = vec4<f32>(); var s1 = vec4<f32>(); var s2 = vec4<f32>(); var s3 = vec4<f32>();
  for (var k = 0u; k < ${n}u; k++) {
    let b0 = b[(4u * k) * ${n}u + id.x]; let b1 = b[(4u * k + 1u) * ${n}u + id.x];
    let b2 = b[(4u * k + 2u) * ${n}u + id.x]; let b3 = b[(4u * k + 3u) * ${n}u + id.x];
    let a0 = a[row * ${n}u + k]; let a1 = a[(row + 1u) * ${n}u + k];
    let a2 = a[(row + 2u) * ${n}u + k]; let a3 = a[(row + 3u) * ${n}u + k];
    s0 += a0.x * b0 + a0.y * b1 + a0.z * b2 + a0.w * b3;
    s1 += a1.x * b0 + a1.y * b1 + a1.z * b2 + a1.w * b3;
    s2 += a2.x * b0 + a2.y * b1 + a2.z * b2 + a2.w * b3;
    s3 += a3.x * b0 + a3.y * b1 + a3.z * b2 + a3.w * b3;
  }
  c[row * ${n}u + id.x] = s0; c[(row + 1u) * ${n}u + id.x] = s1;
  c[(row + 2u) * ${n}u + id.x] = s2; c[(row + 3u) * ${n}u + id.x] = s3;
}`;
  return time(device, wait, code, [size * size * 4, size * size * 4, size * size * 4], [n / 8, n / 8]);
}

function timeCopy(device: GPUDevice, wait: Wait, bytes: number): Promise<number> {
  const groups = bytes / 16 / 64;
  // The second dimension keeps the first below the limit of workgroups.
  const wide = Math.min(groups, 32768);
  const code = `
@group(0) @binding(0) var<storage, read_write> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> b: array<vec4<f32>>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * ${wide * 64}u + id.x;
  if (i < ${bytes / 16}u) { b[i] = a[i]; }
}`;
  return time(device, wait, code, [bytes, bytes], [wide, Math.ceil(groups / wide)]);
}

/** Least of several executions, in milliseconds; the first one, which compiles, is not counted. */
async function time(device: GPUDevice, wait: Wait, code: string, sizes: number[], workgroups: [number, number]): Promise<number> {
  const buffers = sizes.map((size) => device.createBuffer({ size: alignUp(size), usage: BufferUsage.STORAGE }));
  try {
    const module = device.createShaderModule({ code });
    const pipeline = await wait(device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } }));
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    let least = Infinity;
    for (let i = 0; i <= REPEATS; i += 1) {
      const start = performance.now();
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(workgroups[0], workgroups[1]);
      pass.end();
      device.queue.submit([encoder.finish()]);
      await wait(device.queue.onSubmittedWorkDone());
      if (i > 0) least = Math.min(least, performance.now() - start);
    }
    return least;
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}
