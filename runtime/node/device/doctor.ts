/**
 * What this machine can run Pivot on: every installed driver and the one of the install, each opened and measured in a child
 * process, with the reason where Dawn does not accept it. Goes out as data; `formatDoctor` prints it.
 *
 * The child is the compiled file beside this one (`probe.js`), run by the same Node. Where this file runs untranslated, as in
 * tests, `execArgv` has to bring a loader for TypeScript.
 */
import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, type AdapterInfo } from '../../core/device/info.ts';
import { ensureLoader } from './dawn.ts';
import { installedDrivers } from './drivers.ts';
import type { Speed } from './measure.ts';
import type { Answer, Question } from './probe.ts';
import { bundleFits, unpackSwiftShader } from './swiftshader.ts';

export interface DriverReport {
  /** What to give to `--adapter`. */
  adapter: string;
  /** The manifest's name, `SwiftShader of the install` or `the system`. */
  label: string;
  /** Version of Vulkan that the manifest declares. */
  apiVersion?: string;
  info?: AdapterInfo;
  speed?: Speed;
  /** Why there is no `info`, with what the driver itself said. */
  refused?: string;
}

export interface Diagnosis {
  platform: string;
  node: string;
  /** Whose Vulkan loader is used; `none` where there is no Vulkan. */
  loader: 'system' | 'bundled' | 'none';
  drivers: DriverReport[];
  /** What a run uses here, and by which wish. */
  chosen: { wish: string; info?: AdapterInfo; refused?: string };
}

export interface DoctorOptions {
  /** Default: true. */
  measure?: boolean;
  /** For the child's Node. */
  execArgv?: string[];
  /** Before a child counts as hung. */
  timeoutMs?: number;
  onDriver?: (report: DriverReport) => void;
}

/** Looks at every driver in turn. Does not throw for a driver that fails. */
export async function examine(options: DoctorOptions = {}): Promise<Diagnosis> {
  const wish = process.env.PIVOT_ADAPTER ?? '';
  const drivers: DriverReport[] = [];
  for (const candidate of candidates()) {
    const report = {
      ...candidate,
      ...(candidate.refused ? {} : await ask({ adapter: candidate.adapter, measure: options.measure ?? true }, options)),
    };
    drivers.push(report);
    options.onDriver?.(report);
  }
  const { info, refused } = await ask({ adapter: wish, measure: false }, options);
  return {
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    loader: loader(),
    drivers,
    chosen: { wish, info, refused },
  };
}

function candidates(): DriverReport[] {
  if (process.platform !== 'linux') return [{ adapter: '', label: 'the system' }];
  const found: DriverReport[] = installedDrivers().map(({ icd, name, apiVersion }) => ({ adapter: icd, label: name, apiVersion }));
  if (bundleFits()) {
    const label = 'SwiftShader of the install';
    try {
      unpackSwiftShader();
      found.push({ adapter: 'swiftshader', label });
    } catch (error) {
      found.push({ adapter: 'swiftshader', label, refused: messageOf(error) });
    }
  }
  return found;
}

function loader(): Diagnosis['loader'] {
  try {
    return ensureLoader(unpackSwiftShader);
  } catch {
    return 'none';
  }
}

function ask(
  question: Question,
  { execArgv = [], timeoutMs = 120_000 }: DoctorOptions,
): Promise<Pick<DriverReport, 'info' | 'speed' | 'refused'>> {
  const self = fileURLToPath(import.meta.url);
  const probe = new URL(`./probe${extname(self)}`, import.meta.url);
  return new Promise((resolve) => {
    const child = fork(probe, [JSON.stringify(question)], { execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let said = '';
    let answer: Answer | undefined;
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.on('message', (message) => (answer = message as Answer));
    child.on('error', (error) => (said += error.message));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (answer && 'adapter' in answer) resolve({ info: answer.adapter, speed: answer.speed });
      else if (answer) resolve({ refused: withWords(answer.refused, said) });
      else if (hung) resolve({ refused: withWords(`it did not answer within ${timeoutMs / 1000} s`, said) });
      else resolve({ refused: withWords(`it ended the process (${signal ?? `exit code ${code}`})`, said) });
    });
  });
}

/** The reason, and those lines of the driver and of Dawn that may explain it. */
function withWords(reason: string, said: string): string {
  // The loader's way of saying that a driver is installed for hardware that is not there: the usual case, and no fault.
  if (/Failed to detect any valid GPUs/.test(said)) return 'the driver finds no device of its kind on this machine';
  const lines = said.split('\n').map((line) => line.trim());
  const telling = lines.filter((line) => line !== '' && !/artificially reduced|^at |ExperimentalWarning|--trace-warnings/.test(line));
  return [reason, ...new Set(telling)].slice(0, 5).join('\n');
}

/** The diagnosis as lines of text. */
export function formatDoctor(diagnosis: Diagnosis): string {
  const { platform, node, drivers, chosen } = diagnosis;
  const loaders = { system: "the system's", bundled: "the install's", none: 'none' };
  const lines = [`${platform}, Node ${node}, Vulkan loader: ${loaders[diagnosis.loader]}`, ''];
  for (const driver of drivers) lines.push(...formatDriver(driver), '');
  if (drivers.length === 0) lines.push('no driver is installed', '');
  const wished = chosen.wish ? ` (PIVOT_ADAPTER=${chosen.wish})` : '';
  lines.push(
    chosen.info ? `runs use ${chosen.info.name}${wished}` : `runs find no adapter${wished}: ${chosen.refused ?? 'no reason was given'}`,
  );
  return lines.join('\n');
}

function formatDriver({ label, adapter, apiVersion, info, speed, refused }: DriverReport): string[] {
  const head = `${info ? '+' : '-'} ${label}${apiVersion ? ` (Vulkan ${apiVersion})` : ''}${adapter && `  --adapter ${adapter}`}`;
  if (!info) return [head, ...(refused ?? 'no reason was given').split('\n').map((line) => `    ${line}`)];
  const { limits, subgroup } = info;
  const has = ['subgroups', 'shader-f16', 'timestamp-query', 'chromium-experimental-subgroup-matrix'].filter((feature) =>
    info.features.includes(feature),
  );
  const sizes =
    subgroup.max === 0
      ? 'no subgroups'
      : `subgroups of ${subgroup.min === subgroup.max ? subgroup.min : `${subgroup.min} to ${subgroup.max}`}`;
  const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  const lines = [
    head,
    `    ${info.name}: ${info.type}, ${info.driver}`,
    `    ${sizes}; features: ${has.join(', ') || 'none of interest'}`,
    `    one binding ${mib(limits.maxStorageBufferBindingSize)}, one buffer ${mib(limits.maxBufferSize)}, ${limits.maxStorageBuffersPerShaderStage} storage buffers, ` +
      `${limits.maxComputeInvocationsPerWorkgroup} invocations and ${Math.round(limits.maxComputeWorkgroupStorageSize / 1024)} KiB a workgroup`,
  ];
  if (speed)
    lines.push(
      `    ${speed.gflops.toPrecision(3)} GFLOP/s (plain product of ${speed.size}), ${speed.gbs.toPrecision(3)} GB/s (copy of ${mib(speed.bytes)})`,
    );
  return lines;
}
