/**
 * How long a run will take: operations on the device at its speed, kernels that have to be compiled, and fits of probes on the
 * processor. In come the tasks that are left and the speed that was measured; each part is corrected by what the run itself sees.
 */
import { elements } from '../../../plan/dtypes.ts';
import type { Plan, ScoreTask, Task } from '../../../plan/plan.ts';
import type { Log } from '../../core/log.ts';
import { flopsOf, needsDevice, programsOf } from './estimate.ts';

/** What a task asks for. */
export interface Work {
  /** Floating-point operations on the device. */
  flops: number;
  /** Kernels that no earlier task of the run has compiled. */
  kernels: number;
  /** Floating-point operations on the processor. */
  fit: number;
}

/** Seconds a kernel, and operations a second of a fit, before the run has seen any. */
const KERNEL = 0.02;
const FIT = 4e8;

/** Classes and passes over the rows of a regression, where the plan does not tell them. */
const CLASSES = 16;
const PASSES = 120;

/** The work of tasks, in the order in which they are done. */
export function workOf(plan: Plan, tasks: readonly Task[], target: string): Map<string, Work> {
  const compiled = new Set<string>();
  const byId = new Map(plan.tasks.map((task) => [task.id, task]));
  return new Map(
    tasks.map((task): [string, Work] => {
      const kernels = needsDevice(task)
        ? Object.values(programsOf(plan, task, target)).flatMap(({ dispatches }) => dispatches.map(({ kernel }) => kernel))
        : [];
      const before = compiled.size;
      for (const kernel of kernels) compiled.add(kernel);
      const fit = task.kind === 'score' ? fitOf(plan, task, byId, target) : 0;
      return [task.id, { flops: flopsOf(plan, task, target), kernels: compiled.size - before, fit }];
    }),
  );
}

/** A regression passes over its rows many times, for each strength of the penalty; other scores look at them a few times. */
function fitOf(plan: Plan, { tables, score, params }: ScoreTask, byId: ReadonlyMap<string, Task>, target: string): number {
  let entries = 0;
  for (const id of Object.values(tables)) {
    const from = byId.get(id);
    if (from?.kind !== 'embed') continue;
    const outputs = programsOf(plan, from, target).forward?.outputs ?? [];
    entries += (from.data.count * outputs.reduce((n, { shape }) => n + elements(shape), 0)) / from.batch;
  }
  if (score !== 'logistic') return 20 * entries;
  const strengths = 1 + (typeof params.l2_steps === 'number' ? params.l2_steps : 0);
  return 4 * entries * CLASSES * PASSES * strengths;
}

export class Forecast {
  private readonly work: Map<string, Work>;
  private flopsPerSecond: number;
  private secondsPerKernel = KERNEL;
  private fitsPerSecond = FIT;

  /** `flopsPerSecond`: the speed of the device to begin with. */
  constructor(work: ReadonlyMap<string, Work>, flopsPerSecond: number) {
    this.work = new Map(work);
    this.flopsPerSecond = flopsPerSecond;
  }

  /** Seconds for all tasks that have not ended. */
  total(): number {
    return this.parts().reduce((sum, one) => sum + one, 0);
  }

  /** Seconds of computing on the device, of compiling and of fits, for all tasks that have not ended. */
  parts(): [device: number, compiling: number, fits: number] {
    const all = [...this.work.values()];
    const sum = (of: (work: Work) => number): number => all.reduce((n, work) => n + of(work), 0);
    return [
      sum(({ flops }) => flops) / this.flopsPerSecond,
      sum(({ kernels }) => kernels) * this.secondsPerKernel,
      sum(({ fit }) => fit) / this.fitsPerSecond,
    ];
  }

  /** Seconds that a fit on the processor will take. */
  fit(task: string): number {
    return (this.work.get(task)?.fit ?? 0) / this.fitsPerSecond;
  }

  /** Takes note of the present task's own forecast and gives that of the run. */
  remaining(task: string, fraction: number, seconds: number): number {
    const work = this.work.get(task);
    const left = (work?.flops ?? 0) * (1 - fraction);
    if (seconds > 0 && left > 0) this.flopsPerSecond = left / seconds;
    if (work !== undefined) this.work.set(task, { ...work, kernels: 0 });
    return seconds + this.others(task);
  }

  /** Takes note of kernels that were compiled in `seconds`, with `left` of the task to come, and gives the seconds of the run. */
  compiling(task: string, done: number, left: number, seconds: number): number {
    if (done > 0 && seconds > 0) this.secondsPerKernel = seconds / done;
    const work = this.work.get(task);
    if (work !== undefined) this.work.set(task, { ...work, kernels: left });
    return this.total();
  }

  /** The task is done, in `seconds` if it was a fit. */
  end(task: string, seconds = 0): void {
    const fit = this.work.get(task)?.fit ?? 0;
    if (fit > 0 && seconds > 0.1) this.fitsPerSecond = fit / seconds;
    this.work.delete(task);
  }

  private others(task: string): number {
    const work = this.work.get(task);
    if (work === undefined) return this.total();
    this.work.delete(task);
    const seconds = this.total();
    this.work.set(task, work);
    return seconds;
  }
}

/** Adds what the whole run still needs to the progress of each loop that knows its own end. */
export function withForecast(log: Log, forecast: Forecast, now: () => number): Log {
  let compiling: { task: string; began: number } | undefined;
  return {
    line: (text) => log.line(text),
    progress: (progress) => {
      if (progress?.unit === 'kernels') {
        const { task, done, total } = progress;
        if (compiling?.task !== task) compiling = { task, began: now() };
        const seconds = (now() - compiling.began) / 1000;
        return log.progress({ ...progress, remainingRun: forecast.compiling(task, done, total - done, seconds) });
      }
      compiling = undefined;
      if (progress?.remaining === undefined) return log.progress(progress);
      return log.progress({
        ...progress,
        remainingRun: forecast.remaining(progress.task, progress.done / progress.total, progress.remaining),
      });
    },
  };
}
