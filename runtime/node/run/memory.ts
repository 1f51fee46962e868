/**
 * Memory that tasks need at once, and whether it is there: found out before anything is loaded, with what would help. In come a plan and a
 * device, out goes nothing, a warning, or R0609. A software driver takes the machine's memory; a GPU is asked for buffers of these
 * sizes, since WebGPU does not say how much it has.
 */
import { freemem, totalmem } from 'node:os';
import { PivotError } from '../../../plan/errors.ts';
import type { Plan, StateTensor, Task } from '../../../plan/plan.ts';
import { Buffers } from '../../core/executor/buffers.ts';
import { scoped } from '../../core/executor/faults.ts';
import { layOut } from '../../core/executor/layout.ts';
import type { Layout } from '../../core/executor/layout.ts';
import { runError } from '../../core/train/errors.ts';
import { startsAtZero } from '../../core/train/start.ts';
import type { RunContext, RunDevice } from './context.ts';
import { needsDevice, programsOf } from './estimate.ts';
import type { DeviceTask } from './estimate.ts';
import { bytes } from './words.ts';

/** Bytes on the device while a task's programs are loaded. */
export interface MemoryNeed {
  /** Weights that it only reads. */
  frozen: number;
  trained: number;
  /** The optimizer's state. */
  moments: number;
  /** Sums over the parts of a batch; a cache of keys and values. */
  working: number;
  /** What programs compute on their way; grows with the rows that go through at once. */
  activations: number;
  /** Inputs and outputs. */
  exchange: number;
  total: number;
}

/** What a task needs with programs of `target`; of a training with a cached reference the larger of both. Undefined for tasks of the host. */
export function memoryOf(plan: Plan, task: Task, target: string): MemoryNeed | undefined {
  if (!needsDevice(task)) return undefined;
  return loads(plan, task, target)
    .map(({ state, layout }) => needOf(state, layout))
    .reduce((most, one) => (one.total > most.total ? one : most));
}

/** The sets of programs that a task has on the device, one after another. */
function loads(plan: Plan, task: DeviceTask, target: string): { state: readonly StateTensor[]; layout: Layout }[] {
  const { reference, ...others } = programsOf(plan, task, target);
  const limit = plan.targets.find(({ name }) => name === target)?.limits.maxStorageBufferBindingSize ?? Infinity;
  const main = { state: task.state, layout: layOut(others, limit) };
  if (task.kind !== 'train' || !task.reference || !reference) return [main];
  return [{ state: task.reference.state, layout: layOut({ reference }, limit) }, main];
}

function needOf(state: readonly StateTensor[], layout: Layout): MemoryNeed {
  const known = new Map(state.map((tensor) => [tensor.name, tensor]));
  const need = { frozen: 0, trained: 0, moments: 0, working: 0 };
  for (const { name, bytes: size } of layout.state.values()) {
    const tensor = known.get(name);
    const kind =
      !tensor || startsAtZero(tensor) ? 'working' : tensor.keep === 'optimizer' ? 'moments' : tensor.trained ? 'trained' : 'frozen';
    need[kind] += size;
  }
  const activations = layout.scratchSlabs.reduce((a, b) => a + b, 0);
  const exchange = layout.inputBytes + layout.outputBytes + layout.scalarBytes;
  return { ...need, activations, exchange, total: Object.values(need).reduce((a, b) => a + b, 0) + activations + exchange };
}

/** `5.3 GB (1.2 GB of frozen weights, ..)` */
export function memoryText(need: MemoryNeed): string {
  const named: [number, string][] = [
    [need.frozen, 'frozen weights'],
    [need.trained, 'trained weights'],
    [need.moments, 'moments'],
    [need.working, 'sums and caches'],
    [need.activations, 'activations'],
  ];
  const parts = named.flatMap(([size, what]) => (size >= need.total / 100 ? [`${bytes(size)} of ${what}`] : []));
  return `${bytes(need.total)} (${parts.join(', ')})`;
}

/** What would make a task smaller, the most first, each with what it saves. */
export function savingsOf(plan: Pick<Plan, 'resolved'>, task: Task, need: MemoryNeed): string[] {
  const rows = task.kind === 'train' ? task.micro : task.kind === 'embed' || task.kind === 'sample' ? task.batch : 1;
  const wide = task.kind === 'train' ? task.state.filter((t) => !t.trained && t.keep === 'working' && !t.half && !startsAtZero(t)) : [];
  const stage = task.kind === 'train' ? (task.arm === undefined ? task.stage : `${task.stage}.${task.arm}`) : undefined;
  // How much that is depends on the layers; it is told by `pivot show` once it is tried.
  const again =
    stage !== undefined &&
    need.activations >= need.total / 5 &&
    !plan.resolved.some(({ name, value }) => name === `${stage}.recompute` && value === 'layers');
  const savings: [number, string][] = [
    [need.activations * (1 - 1 / rows), `fewer rows at once (\`micro 1\` instead of ${rows})`],
    [need.moments + need.working, 'to train less (`freeze`, `lora`)'],
    [wide.length > 0 ? need.frozen / 2 : 0, 'to read frozen weights from a checkpoint of 16-bit floats'],
  ];
  const worthwhile = savings.filter(([size]) => size >= need.total / 20).sort(([a], [b]) => b - a);
  return [
    ...worthwhile.map(([size, what]) => `${what} saves up to ${bytes(size)}`),
    ...(again ? ['`recompute layers` keeps only what enters each layer, for about a third more work'] : []),
  ];
}

/** The task that needs most at once, if any of them needs a device. */
export function largest(plan: Plan, target: string, tasks: readonly Task[] = plan.tasks): { task: Task; need: MemoryNeed } | undefined {
  let most: { task: Task; need: MemoryNeed } | undefined;
  for (const task of tasks) {
    const need = memoryOf(plan, task, target);
    if (need && (most === undefined || need.total > most.need.total)) most = { task, need };
  }
  return most;
}

/** Throws R0609 where some task cannot fit; warns where it needs more than is free now. */
export async function checkMemory(
  { plan, log }: Pick<RunContext, 'plan' | 'log'>,
  tasks: readonly Task[],
  on: RunDevice,
  machine = machineMemory(),
): Promise<void> {
  const most = largest(plan, on.target, tasks);
  if (most === undefined) return;
  const { task, need } = most;
  const tooLarge = (there: string, cause?: unknown): PivotError =>
    runError(
      'R0609',
      `${task.id} needs ${memoryText(need)}, and ${there}`,
      [...savingsOf(plan, task, need), 'or take a machine with more memory'].join('; '),
      cause,
    );
  if (on.info.type === 'software') {
    const { total, free } = machine;
    if (need.total > total) throw tooLarge(`this machine has ${bytes(total)}`);
    if (need.total > free)
      log.line(`warning: ${task.id} needs ${memoryText(need)}, and ${bytes(free)} are free; ${savingsOf(plan, task, need).join('; ')}`);
    return;
  }
  for (const { layout } of loads(plan, task as DeviceTask, on.target)) {
    try {
      const buffers = await on.wait(scoped(on.device, () => new Buffers(on.device, layout)));
      buffers.destroy();
    } catch (error) {
      if (!(error instanceof PivotError) || error.code !== 'R0113') throw error;
      throw tooLarge(`${on.info.name} does not give so much`, error);
    }
  }
}

/** Bytes that this process may have, and those that are free: of the machine, or of the container that it runs in. */
export function machineMemory(): { total: number; free: number } {
  // Of a container without a limit it says 0, or more than there is.
  const limit = process.constrainedMemory() || Infinity;
  const total = Math.min(totalmem(), limit);
  return { total, free: Math.min(freemem(), total) };
}
