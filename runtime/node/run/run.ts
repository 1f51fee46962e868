/**
 * A run: from a plan to a folder of results. Tasks are done in the order of their needs, on one device; what the folder
 * already holds by hash is not done again; whatever stops the process, the same call goes on where it stopped.
 *
 * In come a plan (or its folder) and options, out go the folder (`folder.ts` has its layout) and a `RunResult`. Training and
 * embedding themselves are `runtime/core/train`; the report is written by a function that the caller hands in.
 */
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { PivotError } from '../../../plan/errors.ts';
import type { Plan, Task } from '../../../plan/plan.ts';
import { planHash, validatePlan } from '../../../plan/validate.ts';
import type { SourceContext } from '../../core/data/row.ts';
import { pickTarget } from '../../core/device/target.ts';
import type { Log } from '../../core/log.ts';
import { Interrupted, runError } from '../../core/train/errors.ts';
import { NODE_SOURCES } from '../data/sources.ts';
import { measure } from '../device/measure.ts';
import { openDevice } from '../device/open.ts';
import { sleepingWait } from '../device/wait.ts';
import { Access } from './access.ts';
import { SourcePool, taskOf } from './context.ts';
import type { RunContext, RunDevice } from './context.ts';
import { diskBytesOf, needsDevice } from './estimate.ts';
import { Forecast, withForecast, workOf } from './forecast.ts';
import { diskFiles, fileError, makeFolder, namesIn, remove, sweep } from './files.ts';
import { planFolder, readRun, refuseLinkedFolders, requireRunFolder, shelveReport, writeRun } from './folder.ts';
import type { RunRecord } from './folder.ts';
import { lockFolder } from './lock.ts';
import { EXIT } from './options.ts';
import type { RunOptions, RunResult } from './options.ts';
import { inOrder } from './order.ts';
import { checkMemory } from './memory.ts';
import { readPlan, writePlan } from './plan-folder.ts';
import { checkData, checkDisk, checkFiles } from './preflight.ts';
import { taskTable } from './summary.ts';
import type { TaskLine } from './summary.ts';
import { DiskStore } from './store.ts';
import { valuesOf } from './values.ts';
import { versions } from './versions.ts';
import { walkTasks } from './walk.ts';
import type { FailedTask } from './walk.ts';
import { bytes, counted, duration, flops } from './words.ts';

export { EXIT } from './options.ts';
export type { RunOptions, RunResult } from './options.ts';

/**
 * Runs a plan, or the plan in a folder. An abort of the signal is no error: the steps in flight are finished, a checkpoint is
 * written, and the status is `interrupted`. Throws PivotErrors: R02xx for the plan, R05xx for its data, R06xx for the run, R01xx for the device.
 */
export async function runPlan(from: string | Plan, options: RunOptions): Promise<RunResult> {
  const plan = typeof from === 'string' ? await readPlan(from) : validatePlan(from);
  const out = resolve(options.out);
  const files = options.files ?? diskFiles;
  await makeFolder(out);
  const unlock = await lockFolder(out);
  const access = new Access(options.base ?? '.', options.allow ?? []);
  const openers = NODE_SOURCES;
  const store = new DiskStore({ out, base: access.base, files, warn: (text) => options.log.line(text) });
  const sources: SourceContext = {
    openers,
    resolve: (path) => access.reading(path),
    results: (task) => store.folder(taskOf(plan, task)),
    workers: options.workers ?? Math.min(4, availableParallelism() - 1),
    warn: (text) => options.log.line(text),
  };
  const pool = new SourcePool(sources);
  const now = (): number => performance.now();
  try {
    await requireRunFolder(out);
    await refuseLinkedFolders(out);
    if (options.fresh === true) await empty(out, store, options.log);
    const context: RunContext = {
      plan,
      planHash: planHash(plan),
      out,
      access,
      files,
      store,
      log: options.log,
      signal: options.signal,
      sources: pool,
      now,
    };
    return await new Run(context, options, sources).go();
  } finally {
    options.log.progress(undefined);
    await pool.close();
    await unlock();
  }
}

class Run {
  private readonly context: RunContext;
  private readonly options: RunOptions;
  private readonly sources: SourceContext;
  private readonly lines: TaskLine[] = [];
  private record: RunRecord;

  constructor(context: RunContext, options: RunOptions, sources: SourceContext) {
    this.context = context;
    this.options = options;
    this.sources = sources;
    const { plan, planHash: hash } = context;
    this.record = {
      name: plan.name,
      plan: hash,
      values: valuesOf(plan),
      adapter: '',
      driver: '',
      target: '',
      versions: versions(),
      started: new Date().toISOString(),
      status: 'running',
    };
  }

  async go(): Promise<RunResult> {
    const { plan, out, files, store, log } = this.context;
    const before = await readRun(out);
    if (typeof before?.adapter === 'string') this.record.adapter = before.adapter;
    if (typeof before?.driver === 'string') this.record.driver = before.driver;
    if (typeof before?.target === 'string') this.record.target = before.target;
    if (typeof before?.started === 'string' && before.plan === this.record.plan) this.record.started = before.started;
    await sweep(out);
    const aside = typeof before?.plan === 'string' ? await shelveReport(out, before.plan, this.record.plan) : undefined;
    if (aside !== undefined) log.line(`the report of other values is ${aside} now`);
    await this.note();
    await store.adopt(plan.tasks);
    await writePlan(planFolder(out), plan, files);
    const todo = await this.unfinished();
    let on: (RunDevice & { close(): void }) | undefined;
    try {
      checkFiles(this.context, todo);
      await checkData(this.context, todo);
      if (todo.some(needsDevice)) {
        on = await this.openDevice(before);
        await checkMemory(this.context, todo, on);
      }
      return await this.runTasks(todo, on);
    } catch (error) {
      if (error instanceof Interrupted) return this.end('interrupted');
      await this.note('failed').catch(() => undefined);
      throw lostDevice(fileError(out, error));
    } finally {
      on?.close();
    }
  }

  /** Tasks that the folder has no result of, in order. A report is made again once anything else is. */
  private async unfinished(): Promise<Task[]> {
    const { plan, store } = this.context;
    const todo: Task[] = [];
    for (const task of inOrder(plan.tasks)) {
      if (task.kind === 'report' && this.options.report === undefined) continue;
      const done = task.kind === 'report' && todo.length > 0 ? undefined : await store.done(task);
      if (done === undefined) todo.push(task);
      else this.lines.push({ task, how: 'reused', seconds: done.seconds });
    }
    return todo;
  }

  /** Opens the device, and refuses to mix its results with those of another. Throws R0602. */
  private async openDevice(before: Record<string, unknown> | undefined): Promise<RunDevice & { close(): void }> {
    const { plan, out, log } = this.context;
    const open = this.options.device ?? (await openDevice({ adapter: this.options.adapter, log: (line) => log.line(line) }));
    const close = (): void => (this.options.device === undefined ? open.close() : undefined);
    const { name, driver } = open.info;
    try {
      const other = typeof before?.adapter === 'string' && before.adapter !== '' && (before.adapter !== name || before.driver !== driver);
      if (other && this.options.otherAdapter !== true && (await namesIn(join(out, 'tasks'))).length > 0) {
        const was = `${String(before.adapter)} (${String(before.driver)})`;
        throw runError(
          'R0602',
          `${out} was begun on ${was}, and this is ${name} (${driver}): bits may differ`,
          'use the same adapter, begin anew with --fresh, or go on all the same with --other-adapter',
        );
      }
      const target = pickTarget(plan.targets, open.info).name;
      this.record = { ...this.record, adapter: name, driver, target };
      await this.note();
      return { device: open.device, info: open.info, wait: sleepingWait, target, close };
    } catch (error) {
      close();
      throw error;
    }
  }

  private async runTasks(todo: readonly Task[], on: RunDevice | undefined): Promise<RunResult> {
    const forecast = await this.announce(todo, on);
    const context = { ...this.context, log: withForecast(this.context.log, forecast, this.context.now) };
    const { out, plan } = context;
    const end = await walkTasks({
      context,
      todo,
      device: on,
      forecast,
      adapter: this.record.adapter,
      onDone: (line) => this.lines.push(line),
      report: async (failed) => {
        await this.note(failed.length > 0 ? 'incomplete' : 'done', failed);
        return (await this.options.report?.(out, plan, this.sources)) ?? '';
      },
    });
    return this.end(end.interrupted ? 'interrupted' : end.failed.length > 0 ? 'incomplete' : 'done', end.failed);
  }

  /** Says what lies ahead, and refuses a disk that is too small for it. */
  private async announce(todo: readonly Task[], on: RunDevice | undefined): Promise<Forecast> {
    const { plan, log } = this.context;
    const work = workOf(plan, todo, on?.target ?? '');
    const sum = [...work.values()].reduce((n, one) => n + one.flops, 0);
    const disk = todo.reduce((n, task) => n + diskBytesOf(plan, task, on?.target ?? ''), 0);
    await checkDisk(this.context, disk);
    const tasks = `${todo.length} of ${plan.tasks.length} tasks to do`;
    if (on === undefined || sum < WORTH_MEASURING) {
      log.line(`${plan.name}: ${tasks}, up to ${bytes(disk)} on the disk`);
      return new Forecast(work, 1e9);
    }
    const { gflops } = await measure(on.device, on.wait);
    const forecast = new Forecast(work, gflops * 1e9);
    const [device, compiling, fits] = forecast.parts();
    const parts = [
      `${duration(device)} for ${flops(sum)} at the ${gflops.toPrecision(2)} GFLOP/s measured on ${on.info.name}`,
      `${duration(compiling)} for compiling kernels`,
      ...(fits > 0 ? [`${duration(fits)} for fits on the processor`] : []),
    ];
    log.line(`${plan.name}: ${tasks}, about ${duration(forecast.total())} (${parts.join(', ')}), up to ${bytes(disk)} on the disk`);
    return forecast;
  }

  private async end(status: RunResult['status'], failed: readonly FailedTask[] = []): Promise<RunResult> {
    const { plan, out, log } = this.context;
    await this.note(status, failed);
    log.progress(undefined);
    if (this.lines.length > 0) for (const line of taskTable(this.lines)) log.line(line);
    for (const { task, failure } of failed)
      if (failure.code !== 'R0671')
        log.line(`${task.id}: error ${failure.code}: ${failure.message}${failure.cure ? `\n  help: ${failure.cure}` : ''}`);
    if (status !== 'interrupted' && this.options.summary !== undefined) {
      log.line('');
      log.line(this.options.summary(out, plan));
    }
    if (failed.length > 0)
      log.line(`${counted(failed.length, 'task')} failed; the same command tries them again (other results are in ${out})`);
    if (status === 'interrupted') log.line(`interrupted; the same command goes on where it stopped (results so far are in ${out})`);
    const named = (how: TaskLine['how']): string[] => this.lines.filter((line) => line.how === how).map(({ task }) => task.id);
    const failures = failed.map(({ task, failure }) => ({ task: task.id, ...failure }));
    return { status, exitCode: EXIT[status], out, ran: named('done'), reused: named('reused'), failed: failures };
  }

  /** Writes `run.json`. */
  private async note(status: RunRecord['status'] = this.record.status, failed: readonly FailedTask[] = []): Promise<void> {
    this.record = {
      ...this.record,
      status,
      ...(status === 'running' ? {} : { ended: new Date().toISOString() }),
      ...(failed.length > 0 ? { failed: Object.fromEntries(failed.map(({ task, failure }) => [task.id, failure.message])) } : {}),
    };
    await writeRun(this.context.files, this.context.out, this.record);
  }
}

/** Throws away what a run folder holds, and says what that was. */
async function empty(out: string, store: DiskStore, log: Log): Promise<void> {
  const kept = await store.kept();
  const finished = kept.filter((one) => one.finished).length;
  const size = kept.reduce((sum, one) => sum + one.bytes, 0);
  if (kept.length > 0)
    log.line(
      `--fresh: ${counted(finished, 'finished task')} and ${kept.length - finished} begun (${bytes(size)}) in ${out} are thrown away`,
    );
  for (const name of await namesIn(out)) if (name !== 'lock') await remove(join(out, name));
  store.reread();
}

/** Below this many operations a run is over before its speed has been measured. */
const WORTH_MEASURING = 1e10;

function lostDevice(error: unknown): unknown {
  if (!(error instanceof PivotError) || error.code !== 'R0110') return error;
  return runError(
    'R0632',
    `the device was lost: ${error.message}`,
    'run the same command again: it goes on from the last checkpoint; if it happens again, look at the driver with `pivot doctor`',
    error,
  );
}
