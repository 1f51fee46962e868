/**
 * The walk over the tasks of a run, each after those that it needs. A task that fails leaves the others alone: what needs it is not
 * done, everything else is, and the report tells what is missing. Only what the next task would meet as well ends the run: a lost
 * device, a full disk, a fault of Pivot itself.
 */
import { PivotError } from '../../../plan/errors.ts';
import type { Task } from '../../../plan/plan.ts';
import type { Checksum, Failure, Work } from '../../core/run/store.ts';
import { runError } from '../../core/train/errors.ts';
import { checksumOf, recording } from './checksums.ts';
import type { RunContext, RunDevice } from './context.ts';
import { runEmbed } from './embed-task.ts';
import { flopsOf } from './estimate.ts';
import type { Forecast } from './forecast.ts';
import { runExport } from './export-task.ts';
import { fileError } from './files.ts';
import { runSample } from './sample-task.ts';
import { runScore } from './score-task.ts';
import { runSelect } from './select-task.ts';
import type { TaskLine } from './summary.ts';
import { runTrain } from './train-task.ts';
import { duration } from './words.ts';

export interface Walk {
  context: RunContext;
  todo: readonly Task[];
  device: RunDevice | undefined;
  forecast: Forecast;
  /** Recorded with each result. */
  adapter: string;
  /** Writes the report, given the tasks that failed, and returns its path; called for report tasks only. */
  report(failed: readonly FailedTask[]): Promise<string>;
  /** Told of each task that has a result. */
  onDone(line: TaskLine): void;
}

/** Seconds of silence that are told before they begin. */
const WORTH_TELLING = 2;

export interface FailedTask {
  task: Task;
  failure: Failure;
}

export interface WalkEnd {
  interrupted: boolean;
  /** Tasks that failed, and those that need them. */
  failed: FailedTask[];
}

export async function walkTasks(walk: Walk): Promise<WalkEnd> {
  const { context, todo, forecast, onDone } = walk;
  const { store, log } = context;
  const failed: FailedTask[] = [];
  const finished = new Set<string>();
  const fail = async (task: Task, failure: Failure): Promise<void> => {
    failed.push({ task, failure });
    await store.fail(task, failure);
    log.progress(undefined);
    log.line(`${task.id} failed: ${failure.message}`);
    forecast.end(task.id);
  };
  for (const task of todo) {
    if (context.signal?.aborted === true) return { interrupted: true, failed };
    const lacking = task.kind === 'report' ? [] : task.needs.filter((id) => failed.some((one) => one.task.id === id));
    if (lacking.length > 0) {
      await fail(task, failureOf(runError('R0671', `it needs ${lacking.join(', ')}`, 'see what is said of that')));
      continue;
    }
    // Two tasks that the same things decide share their results.
    if (finished.has(task.hash)) {
      onDone({ task, how: 'reused', seconds: 0 });
      continue;
    }
    const began = context.now();
    try {
      const recorded = new Map<string, Checksum>();
      const files = task.kind === 'export' ? recording(context.files, recorded) : context.files;
      const seconds = await runTask(walk, { ...context, files }, task, failed, recorded);
      if (seconds === undefined) return { interrupted: true, failed };
      const work: Work = {
        seconds: seconds || (context.now() - began) / 1000,
        flops: flopsOf(context.plan, task, walk.device?.target ?? ''),
        adapter: walk.adapter,
      };
      if (task.kind === 'report' && failed.length > 0) continue;
      await store.finish(task, work, Object.fromEntries(recorded));
      finished.add(task.hash);
      forecast.end(task.id, work.seconds);
      onDone({ task, how: 'done', seconds: work.seconds });
      log.progress(undefined);
      log.line(`${task.id}: done in ${duration(work.seconds)}`);
    } catch (caught) {
      const error = fileError(context.out, caught);
      if (endsRun(error, task)) throw error;
      await fail(task, failureOf(error));
    }
  }
  return { interrupted: false, failed };
}

/** Whether the tasks that follow would fail of it too, or nobody can tell. */
function endsRun(error: unknown, task: Task): boolean {
  // Scores are pure functions of what was measured: one that stumbles over its tables harms no other.
  if (!(error instanceof PivotError)) return task.kind !== 'score' || !(error instanceof Error);
  if (error.code === 'R0605') return task.kind !== 'export';
  return ['R0110', 'R0603', 'R0604', 'R0632'].includes(error.code);
}

function failureOf(error: unknown): Failure {
  if (error instanceof PivotError) {
    const { code, message, cure } = error;
    return { code, message, ...(cure === undefined ? {} : { cure }) };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'R0672', message: `this is a fault of Pivot: ${stack}`, cure: 'please report it' };
}

/** Does one task; `outside` gets what it writes outside of the store. The seconds it took over all sessions, 0 where only this one counts, undefined where it was interrupted. */
async function runTask(
  walk: Walk,
  context: RunContext,
  task: Task,
  failed: readonly FailedTask[],
  outside: Map<string, Checksum>,
): Promise<number | undefined> {
  const { log } = context;
  switch (task.kind) {
    case 'train': {
      log.line(`${task.id}: ${task.steps} steps of ${task.batch} rows`);
      const end = await runTrain(context, deviceFor(walk, task), task);
      if (end.status === 'done') return end.seconds;
      log.line(`${task.id}: stopped after step ${end.step} of ${task.steps}; ${end.checkpoint} holds them`);
      return undefined;
    }
    case 'embed':
      return (await runEmbed(context, deviceFor(walk, task), task)) ? 0 : undefined;
    case 'sample':
      return (await runSample(context, deviceFor(walk, task), task)) ? 0 : undefined;
    case 'score': {
      // It cannot tell how far it is: the processor does nothing else meanwhile.
      const seconds = walk.forecast.fit(task.id);
      if (seconds > WORTH_TELLING) log.line(`${task.id}: fitting on the processor, about ${duration(seconds)}`);
      await runScore(context, task);
      return 0;
    }
    case 'select':
      log.line(`${task.id}: ${await runSelect(context, task)}`);
      return 0;
    case 'export':
      log.line(`${task.id}: wrote ${await runExport(context, task)}`);
      return 0;
    case 'report': {
      await (await context.store.begin(task)).close();
      const path = await walk.report(failed);
      outside.set(path, await checksumOf(path));
      log.line(`report: ${path}`);
      return 0;
    }
  }
}

function deviceFor({ device }: Walk, task: Task): RunDevice {
  if (device === undefined) throw new Error(`${task.id} needs a device, and none was opened`);
  return device;
}
