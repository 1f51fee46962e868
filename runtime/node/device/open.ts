/**
 * The device on Node. In comes a wish (`swiftshader`, `lavapipe`, `gpu`, a driver's manifest, a part of an adapter's name, or
 * nothing), out goes a device with the adapter's own limits and a record of what it is.
 *
 * Without a wish the order is: a real GPU; an installed software driver that Dawn accepts; SwiftShader out of the install. Which
 * target of a plan fits is left to `runtime/core/device/target.ts`, what the device executes to `runtime/core/executor`, and
 * finding out why a driver was refused to `doctor.ts`.
 */
import { existsSync } from 'node:fs';
import { deviceError } from '../../core/device/errors.ts';
import { describeAdapter, messageOf, requestDevice, type AdapterInfo } from '../../core/device/info.ts';
import { adapterNames, dawn, ensureLoader, type DriverSet } from './dawn.ts';
import { installedDrivers, isLavapipe } from './drivers.ts';
import { withoutIdleWarnings } from './quiet.ts';
import { bundleFits, unpackSwiftShader } from './swiftshader.ts';

export interface OpenDevice {
  device: GPUDevice;
  info: AdapterInfo;
  /** Destroys the device. Buffers on it are gone; whatever is pending is rejected. */
  close(): void;
}

export interface OpenOptions {
  /** Default: the environment variable PIVOT_ADAPTER, else the best there is. */
  adapter?: string;
  /** Told in one line each what is tried and found. */
  log?: (line: string) => void;
}

/** A way to an adapter. */
interface Candidate {
  label: string;
  drivers: DriverSet;
  /** Exact name, where the drivers offer several adapters. */
  name?: string;
}

/** Opens the adapter that was asked for. Throws R0101, R0102, R0103, R0105 or R0106. */
export async function openDevice(options: OpenOptions = {}): Promise<OpenDevice> {
  const wish = (options.adapter ?? process.env.PIVOT_ADAPTER ?? '').trim();
  const log = options.log ?? (() => undefined);
  const adapter = wish === '' ? await best(log) : await named(wish, log);
  const info = describeAdapter(adapter);
  const device = await requestDevice(adapter);
  log(`opened ${info.name} (${info.driver})`);
  return { device, info, close: () => device.destroy() };
}

async function best(log: (line: string) => void): Promise<GPUAdapter> {
  const failures: string[] = [];
  for (const candidate of [systemCandidate(failures), ...bundleCandidate(failures)]) {
    if (!candidate) continue;
    // Among the system's adapters Dawn itself prefers a GPU to a software driver.
    const adapter = await request(candidate, 'high-performance', log);
    if (adapter) return adapter;
    failures.push(`${candidate.label} offers no adapter`);
  }
  throw deviceError(
    'R0101',
    `no adapter can run WebGPU here: ${failures.join('; ')}`,
    bundleFits()
      ? 'run `pivot doctor` to see each driver and why it was refused.'
      : 'install a Vulkan 1.1 driver for your GPU (or Mesa 25 with lavapipe), then run `pivot doctor`.',
  );
}

async function named(wish: string, log: (line: string) => void): Promise<GPUAdapter> {
  const lower = wish.toLowerCase();
  if (lower === 'swiftshader') return bundled(log);
  if (lower === 'gpu') return realGpu(log);
  if (wish.endsWith('.json') || wish.includes('/')) return byManifest(wish, log);
  if (lower === 'lavapipe') {
    const driver = installedDrivers().find(isLavapipe);
    if (driver) return byManifest(driver.icd, log);
    throw await missing(wish);
  }
  return byName(wish, log);
}

async function bundled(log: (line: string) => void): Promise<GPUAdapter> {
  if (!bundleFits()) {
    throw deviceError(
      'R0102',
      `the SwiftShader of the install is made for Linux on x64, and this is ${process.platform} on ${process.arch}`,
      'leave `--adapter` out to use the GPU of this machine.',
    );
  }
  const bundle = unpackSwiftShader();
  ensureLoader(() => bundle);
  const adapter = await request({ label: 'SwiftShader of the install', drivers: { icds: [bundle.icd] } }, undefined, log);
  if (adapter) return adapter;
  throw deviceError(
    'R0101',
    `Dawn does not accept the SwiftShader in ${bundle.folder}`,
    `delete ${bundle.folder}, so that it is unpacked again, and run \`pivot doctor\`.`,
  );
}

async function realGpu(log: (line: string) => void): Promise<GPUAdapter> {
  const candidate = systemCandidate([]);
  const adapter = candidate && (await request(candidate, 'high-performance', log));
  if (adapter && !adapter.info.isFallbackAdapter) return adapter;
  throw await missing('gpu');
}

async function byManifest(icd: string, log: (line: string) => void): Promise<GPUAdapter> {
  if (!existsSync(icd)) throw await missing(icd);
  ensureLoader(unpackSwiftShader);
  const adapter = await request({ label: icd, drivers: { icds: [icd] } }, undefined, log);
  if (adapter) return adapter;
  throw deviceError(
    'R0103',
    `the driver ${icd} is there, but offers no adapter that Dawn accepts`,
    'update it (Mesa 22 is too old for Dawn, Mesa 25 is not), or see that its device is present and may be opened; `pivot doctor` shows what the driver says.',
  );
}

async function byName(wish: string, log: (line: string) => void): Promise<GPUAdapter> {
  for (const candidate of await everyAdapter()) {
    if (!candidate.name?.toLowerCase().includes(wish.toLowerCase())) continue;
    const adapter = await request(candidate, undefined, log);
    if (adapter) return adapter;
  }
  throw await missing(wish);
}

/** What the system's own loader finds; with our loader, the installed manifests are handed to it. */
function systemCandidate(failures: string[]): Candidate | undefined {
  try {
    const loader = ensureLoader(unpackSwiftShader);
    if (loader !== 'bundled') return { label: 'the system', drivers: 'system' };
    const icds = installedDrivers().map((driver) => driver.icd);
    if (icds.length > 0) return { label: 'the installed drivers', drivers: { icds } };
    failures.push('no Vulkan driver is installed');
  } catch (error) {
    failures.push(messageOf(error));
  }
  return undefined;
}

function bundleCandidate(failures: string[]): Candidate[] {
  if (!bundleFits()) return [];
  try {
    return [{ label: 'SwiftShader of the install', drivers: { icds: [unpackSwiftShader().icd] } }];
  } catch (error) {
    failures.push(messageOf(error));
    return [];
  }
}

async function everyAdapter(): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const candidate of [systemCandidate([]), ...bundleCandidate([])]) {
    if (!candidate) continue;
    for (const name of await adapterNames(candidate.drivers)) found.push({ ...candidate, name });
  }
  return found;
}

async function missing(wish: string): Promise<Error> {
  const names = (await everyAdapter()).map((candidate) => candidate.name);
  return deviceError(
    'R0102',
    `there is no adapter "${wish}" on this machine; there is ${names.length > 0 ? names.join(', ') : 'none at all'}`,
    'name one of these with `--adapter` or PIVOT_ADAPTER (any part of its name will do), or `swiftshader`, or leave it out.',
  );
}

async function request(
  candidate: Candidate,
  powerPreference: GPUPowerPreference | undefined,
  log: (line: string) => void,
): Promise<GPUAdapter | undefined> {
  try {
    const gpu = dawn(candidate.drivers, candidate.name);
    const adapter = await withoutIdleWarnings(() => gpu.requestAdapter({ powerPreference }));
    log(adapter ? `${candidate.label}: ${adapter.info.description || adapter.info.device}` : `${candidate.label}: no adapter`);
    return adapter ?? undefined;
  } catch (error) {
    log(`${candidate.label}: ${messageOf(error).split('\n')[0]}`);
    return undefined;
  }
}
