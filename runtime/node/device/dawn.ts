/**
 * One object of Dawn for each set of drivers. The Vulkan loader reads VK_ICD_FILENAMES whenever an instance is made, so several
 * sets can stand side by side in one process; a driver that crashes takes the process with it all the same, which is why
 * `doctor` looks at each one from a child.
 *
 * Traps that this file keeps from the others: what `create()` returns must never be collected (the process would abort); the
 * environment must be the real one of the process, so a device is opened on the main thread (workers have a copy); and
 * `libvulkan.so.1` must be found or loaded first.
 */
import { runInThisContext } from 'node:vm';
import { create } from 'webgpu';
import { messageOf } from '../../core/device/info.ts';
import type { Bundle } from './swiftshader.ts';

/** Drivers by their manifests, or `system`: whatever the Vulkan loader (or Metal, or Direct3D) finds by itself. */
export type DriverSet = 'system' | { icds: string[] };

interface Held {
  gpus: Map<string, GPU>;
  /** What the user has set himself, read before this file changes it. */
  user: Record<string, string | undefined>;
}

// Test runners give modules a copy of `process` and of the globals. A driver reads the environment of the process itself, and
// Dawn's objects have to outlive a test file, so both are taken from the main context.
const host = runInThisContext('globalThis') as { process: NodeJS.Process; pivotDawn?: Held };

/** The loader's variable and its older name; where both are set, the older one is ignored. */
const VARIABLES = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'] as const;

const held = (host.pivotDawn ??= {
  gpus: new Map<string, GPU>(),
  user: Object.fromEntries(VARIABLES.map((name) => [name, host.process.env[name]])),
});

const RTLD_NOW_GLOBAL_NODELETE = 0x2 | 0x100 | 0x1000;

/** Dawn over the given drivers; made once a process. `name` is part of an adapter's name where there are several. */
export function dawn(drivers: DriverSet, name?: string): GPU {
  const key = JSON.stringify([drivers, name ?? null]);
  const known = held.gpus.get(key);
  if (known) return known;
  const env = host.process.env;
  for (const variable of VARIABLES) {
    const value = drivers === 'system' ? held.user[variable] : drivers.icds.join(':');
    if (value === undefined) delete env[variable];
    else env[variable] = value;
  }
  // The default rounds timestamps to 0.1 ms, a defence of browsers that a trainer has no need of.
  const gpu = create(['disable-dawn-features=timestamp_quantization', ...(name ? [`adapter=${name}`] : [])]);
  held.gpus.set(key, gpu);
  return gpu;
}

/** Names of all adapters over the given drivers. Dawn tells them only in the message with which it refuses an unknown name. */
export async function adapterNames(drivers: DriverSet): Promise<string[]> {
  try {
    await dawn(drivers, 'pivot: no adapter has this name').requestAdapter();
    return [];
  } catch (error) {
    return [...messageOf(error).matchAll(/name: '(.*)'$/gm)].map((match) => match[1]);
  }
}

/**
 * Sees to it that Dawn finds a Vulkan loader: the system's, else the one that comes with the software driver. Does nothing where
 * there is no Vulkan. Returns which one it is.
 */
export function ensureLoader(bundle: () => Bundle): 'system' | 'bundled' | 'none' {
  if (host.process.platform !== 'linux') return 'none';
  if (load('libvulkan.so.1')) return 'system';
  return load(bundle().loader) ? 'bundled' : 'none';
}

/** Loads a library that is no addon: Node complains that it registers nothing, and it stays loaded (NODELETE). */
function load(library: string): boolean {
  try {
    host.process.dlopen({ exports: {} }, library, RTLD_NOW_GLOBAL_NODELETE);
    return true;
  } catch (error) {
    return /did not self-register/i.test(messageOf(error));
  }
}
