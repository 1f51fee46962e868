/**
 * What the rest of Pivot may know about an adapter: plain data, recorded in every run and compared when a run is
 * resumed elsewhere. How an adapter is found is the business of each host (`runtime/node/device`, a browser's `navigator.gpu`).
 */
import { deviceError } from './errors.ts';

export interface AdapterInfo {
  /** As the driver names it, lower case with dashes: `swiftshader-device-subzero-`. */
  name: string;
  /** Driver and version: `llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)`. */
  driver: string;
  vendor: string;
  architecture: string;
  type: 'gpu' | 'software';
  /** Least and greatest subgroup size; 0 and 0 where the adapter has no subgroups. */
  subgroup: { min: number; max: number };
  /** Sorted. */
  features: string[];
  limits: Record<string, number>;
}

/** The features that Pivot asks for where the adapter has them. */
export const WANTED_FEATURES = ['subgroups', 'timestamp-query', 'shader-f16'] as const;

export function describeAdapter(adapter: GPUAdapter): AdapterInfo {
  const { info } = adapter;
  const { subgroupMinSize: min = 0, subgroupMaxSize: max = 0 } = info;
  return {
    name: info.device || info.description || info.architecture || 'unnamed',
    driver: info.description || info.device,
    vendor: info.vendor,
    architecture: info.architecture,
    type: info.isFallbackAdapter ? 'software' : 'gpu',
    subgroup: adapter.features.has('subgroups') ? { min, max } : { min: 0, max: 0 },
    features: [...adapter.features].sort(),
    limits: limitsOf(adapter.limits),
  };
}

/** Requests a device with the adapter's own limits, so that no limit is written into the code. Throws R0106. */
export async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredFeatures = WANTED_FEATURES.filter((feature) => adapter.features.has(feature));
  try {
    return await adapter.requestDevice({ label: 'pivot', requiredFeatures, requiredLimits: limitsOf(adapter.limits) });
  } catch (cause) {
    throw deviceError(
      'R0106',
      `the adapter ${adapter.info.device || adapter.info.description} gave no device: ${messageOf(cause)}`,
      'run `pivot doctor`; another process may hold the device, or its driver needs an update.',
      cause,
    );
  }
}

/** The limits stand on the prototype, so they are walked with `in`, not with `Object.entries`. */
function limitsOf(limits: GPUSupportedLimits): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name in limits) {
    const value: unknown = Reflect.get(limits, name);
    if (typeof value === 'number') found[name] = value;
  }
  return found;
}

/** By shape and not by class: errors of the binding may come from another realm (a test runner). */
export function messageOf(error: unknown): string {
  const message: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : undefined;
  return typeof message === 'string' ? message : String(error);
}
