/** What a task will cost: floating-point operations from its programs, bytes on the disk from its tensors. Before it starts. */
import { BYTES, elements } from '../../../plan/dtypes.ts';
import type { EmbedTask, Plan, SampleTask, StateTensor, Task, TrainTask } from '../../../plan/plan.ts';
import type { Program } from '../../../plan/program.ts';

/** Checkpoints that stay, and the one that is being written. */
const CHECKPOINTS = 3;

/** Bytes of a sampled line without its texts, and of a word with its id. */
const LINE = 300;
const WORD = 12;

/** Tasks that run programs; the others are the host's. */
export type DeviceTask = TrainTask | EmbedTask | SampleTask;

export function needsDevice(task: Task): task is DeviceTask {
  return task.kind === 'train' || task.kind === 'embed' || task.kind === 'sample';
}

export function programsOf(plan: Plan, task: DeviceTask, target: string): Record<string, Program> {
  return Object.fromEntries(Object.entries(task.programs[target] ?? {}).map(([role, hash]) => [role, plan.programs[hash]]));
}

/** Operations of a whole task; 0 for those that run on the host. */
export function flopsOf(plan: Plan, task: Task, target: string): number {
  if (!needsDevice(task)) return 0;
  const programs = programsOf(plan, task, target);
  const flops = (role: string): number => programs[role]?.flops ?? 0;
  const over = (role: string, rows: number, batch: number): number =>
    Math.floor(rows / batch) * flops(role) + (rows % batch > 0 ? flops(`${role}.rest`) : 0);
  if (task.kind === 'embed') return over('totals', task.data.count, task.batch) + over('forward', task.data.count, task.batch);
  if (task.kind === 'sample') {
    const answers = task.data.count * task.perPrompt;
    // As if every answer took all the room that there is.
    return over('prefill', answers, task.batch) + (task.collate.answer - 1) * over('decode', answers, task.batch);
  }
  const parts = task.batch / task.micro;
  const step = programs.step === undefined ? parts * (flops('totals') + flops('micro')) + flops('update') : flops('step');
  return task.steps * step + evaluationsOf(task) * evaluationFlops(task, over) + referenceRows(task) * (flops('reference') / task.micro);
}

/** At the start, every so many steps, and at the end. */
function evaluationsOf(task: TrainTask): number {
  return task.evaluate === undefined ? 0 : 1 + Math.ceil(task.steps / task.evaluate.every);
}

function evaluationFlops(task: TrainTask, over: (role: string, rows: number, batch: number) => number): number {
  const rows = task.evaluate?.data.count ?? 0;
  return over('forward', rows, task.micro) + over('totals.eval', rows, task.micro);
}

function referenceRows(task: TrainTask): number {
  return task.reference === undefined ? 0 : task.data.count + (task.evaluate?.data.count ?? 0);
}

/** The most bytes that a task has on the disk at once. */
export function diskBytesOf(plan: Plan, task: Task, target: string): number {
  if (task.kind === 'train') {
    const state = bytesOfState(task.state, ['weight', 'optimizer']);
    const reference = programsOf(plan, task, target).reference;
    const cache = reference === undefined ? 0 : (referenceRows(task) * outputBytes(reference)) / task.micro;
    return CHECKPOINTS * state + bytesOfState(task.state, ['weight']) + 2 * cache;
  }
  if (task.kind === 'embed') {
    const forward = programsOf(plan, task, target).forward;
    // Parts and the finished table stand side by side for a moment.
    return forward === undefined ? 0 : 2 * task.data.count * (outputBytes(forward) / task.batch);
  }
  if (task.kind === 'sample') {
    // A word and an id for each token, and once more in the pairs; the rest of a line is about as long as this much text.
    return task.data.count * task.perPrompt * (LINE + 2 * WORD * (task.collate.prompt + 2 * task.collate.answer));
  }
  return 0;
}

function bytesOfState(state: readonly StateTensor[], keep: readonly StateTensor['keep'][]): number {
  return state.filter((tensor) => keep.includes(tensor.keep)).reduce((n, { dtype, shape }) => n + BYTES[dtype] * elements(shape), 0);
}

function outputBytes(program: Program): number {
  return program.outputs.reduce((n, { dtype, shape }) => n + BYTES[dtype] * elements(shape), 0);
}
