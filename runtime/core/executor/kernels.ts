/**
 * From WGSL to pipelines: each text is compiled once for a device, whichever programs and tasks use it, and a compile error says
 * which kernel and line.
 */
import type { PivotError } from '../../../plan/errors.ts';
import type { Dispatch, Program } from '../../../plan/program.ts';
import { deviceError } from '../device/errors.ts';
import { messageOf } from '../device/info.ts';
import { ShaderStage } from './usage.ts';

/** Told after each kernel that has been compiled. */
export type Progress = (done: number, total: number, label: string) => void;

/** Pipelines by the hash of their kernel, and bind group layouts by `shapeOf` their dispatch. */
export interface Kernels {
  pipelines: Map<string, GPUComputePipeline>;
  groups: Map<string, GPUBindGroupLayout>;
}

/** What a device has compiled so far. A run has many tasks of few programs, and a driver's compiler is slow. */
interface Compiled {
  pipelines: Map<string, Promise<GPUComputePipeline>>;
  groups: Map<string, GPUBindGroupLayout>;
}

const compiled = new WeakMap<GPUDevice, Compiled>();

/** What decides the layout of a dispatch's bind group. */
export function shapeOf(dispatch: Dispatch): string {
  return `${dispatch.bindings.length}${dispatch.scalars ? '+scalars' : ''}`;
}

/** Compiles every kernel of `programs`. Throws R0112, R0127. */
export async function compileKernels(
  device: GPUDevice,
  programs: Record<string, Program>,
  texts: Record<string, string>,
  onProgress: Progress = () => undefined,
): Promise<Kernels> {
  const first = new Map<string, Dispatch>();
  const known = compiled.get(device) ?? { pipelines: new Map(), groups: new Map() };
  compiled.set(device, known);
  const { groups } = known;
  for (const program of Object.values(programs)) {
    for (const dispatch of program.dispatches) {
      const shape = shapeOf(dispatch);
      if (!groups.has(shape)) groups.set(shape, groupLayout(device, dispatch));
      const other = first.get(dispatch.kernel);
      if (!other) first.set(dispatch.kernel, dispatch);
      else if (shapeOf(other) !== shape) {
        throw deviceError(
          'R0127',
          `the kernel of ${other.label} is bound in another way by ${dispatch.label}`,
          'compile the plan again with this version of Pivot.',
        );
      }
    }
  }
  const pipelines = new Map<string, GPUComputePipeline>();
  let done = 0;
  await Promise.all(
    [...first].map(async ([hash, dispatch]) => {
      const layout = groups.get(shapeOf(dispatch));
      const code = texts[hash];
      if (layout === undefined || code === undefined) {
        throw deviceError(
          'R0127',
          `the text of the kernel ${hash} (${dispatch.label}) is missing`,
          'compile the plan again; a file of its folder `wgsl` is gone.',
        );
      }
      pipelines.set(hash, await once(known.pipelines, `${shapeOf(dispatch)} ${code}`, () => compile(device, dispatch.label, code, layout)));
      done += 1;
      onProgress(done, first.size, dispatch.label);
    }),
  );
  return { pipelines, groups };
}

/** The value of a key, made once; what failed is tried again when it is next asked for. */
function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  made.catch(() => known.delete(key));
  return made;
}

function groupLayout(device: GPUDevice, dispatch: Dispatch): GPUBindGroupLayout {
  const entry = (binding: number, type: GPUBufferBindingType): GPUBindGroupLayoutEntry => ({
    binding,
    visibility: ShaderStage.COMPUTE,
    buffer: { type },
  });
  const entries = dispatch.bindings.map((_, binding) => entry(binding, 'storage'));
  if (dispatch.scalars) entries.push(entry(dispatch.bindings.length, 'uniform'));
  return device.createBindGroupLayout({ label: shapeOf(dispatch), entries });
}

async function compile(device: GPUDevice, label: string, code: string, group: GPUBindGroupLayout): Promise<GPUComputePipeline> {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label, code });
  // The scope takes what the module would report as an uncaptured error; the messages below say more.
  const scope = device.popErrorScope();
  try {
    return await device.createComputePipelineAsync({
      label,
      layout: device.createPipelineLayout({ bindGroupLayouts: [group] }),
      compute: { module, entryPoint: 'main' },
    });
  } catch (cause) {
    throw await compileError(label, code, module, cause);
  } finally {
    await scope;
  }
}

async function compileError(label: string, code: string, module: GPUShaderModule, cause: unknown): Promise<PivotError> {
  const { messages } = await module.getCompilationInfo();
  const error = messages.find((message) => message.type === 'error');
  const what = error
    ? `line ${error.lineNum}: ${error.message}\n    ${(code.split('\n')[error.lineNum - 1] ?? '').trim()}`
    : messageOf(cause).split('\n')[0];
  return deviceError(
    'R0112',
    `the kernel of ${label} does not compile on this device: ${what}`,
    'this is a fault of Pivot or of the driver: please report it with the output of `pivot doctor`.',
    cause,
  );
}
