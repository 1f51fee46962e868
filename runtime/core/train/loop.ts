/**
 * Training: from a task and its programs to weights. Steps are submitted a few ahead and their metrics read late; evaluation
 * and checkpoints wait for the steps before them. The position in the data follows from the step alone, so a checkpoint is the
 * state and a number, and a run that goes on from it equals one that was never stopped, bit for bit.
 *
 * In come a task, its programs for the device at hand, and an executor that holds their state; out go metrics, checkpoints and
 * weights through a `TaskStorage`. Which task comes next, and where files lie, is the business of `runtime/node/run`.
 */
import type { PivotError } from '../../../plan/errors.ts';
import type { StateTensor, TrainTask } from '../../../plan/plan.ts';
import type { Executor } from '../executor/executor.ts';
import type { Pending } from '../executor/pending.ts';
import type { Log } from '../log.ts';
import { tokensOf } from './batches.ts';
import type { RowData } from './batches.ts';
import { Interrupted } from './errors.ts';
import { evaluate, IN_FLIGHT } from './evaluate.ts';
import { findBadNumber, firstBad, haltError, updateError } from './halt.ts';
import type { BadNumber } from './halt.ts';
import { evaluationLine, metricsOf, stepOfLine, trainingLine, upTo } from './metrics.ts';
import type { Tensor } from '../safetensors/format.ts';
import { Pace } from './pace.ts';
import { initialValue, keptState, onDevice, readTensors, resume, writeInitialState } from './start.ts';
import { stepBatches, submitStep } from './step.ts';
import type { Programs, StepBatch } from './step.ts';
import type { LineStore, TaskStorage, WeightSource } from './storage.ts';

export interface Training {
  task: TrainTask;
  programs: Programs;
  executor: Executor;
  data: RowData;
  /** Held-out rows, where the task evaluates. */
  heldOut?: RowData;
  storage: TaskStorage;
  weights: WeightSource;
  log: Log;
  signal?: AbortSignal;
  /** Recorded in checkpoints: `adapter`, `plan`. */
  record: Record<string, string>;
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
}

export interface TrainingEnd {
  status: 'done' | 'interrupted';
  /** Steps that are done, and the checkpoint that holds them. */
  step: number;
  checkpoint?: string;
  /** Seconds of all sessions together. */
  seconds: number;
}

/** Trains from the start or from the newest checkpoint to the last step. Throws R0631 at a number that is not finite. */
export async function train(training: Training): Promise<TrainingEnd> {
  return (await Session.open(training)).run();
}

/** Where a session goes on: steps done, lines of metrics, tokens and seconds so far. */
interface Going {
  step: number;
  lines: number;
  evaluated: boolean;
  tokens: number | undefined;
  seconds: number;
}

class Session {
  private readonly training: Training;
  /** The part of the task's state that is on the device. */
  private readonly state: StateTensor[];
  private readonly metrics: LineStore;
  private readonly timings: LineStore;
  private readonly pace: Pace;
  private readonly began: number;
  private readonly secondsBefore: number;
  private readonly start: number;
  /** Whether the evaluation that belongs to `start` is in the files already. */
  private readonly evaluated: boolean;
  private readonly inFlight: { batch: StepBatch; outputs: Pending }[] = [];
  /** Steps whose metrics have been read. */
  private settled: number;
  private tokens: number | undefined;
  /** Lines of metrics. */
  private written: number;
  private saved: { step: number; path: string } | undefined;

  private constructor(training: Training, state: StateTensor[], metrics: LineStore, timings: LineStore, from: Going) {
    this.training = training;
    this.state = state;
    this.metrics = metrics;
    this.timings = timings;
    this.began = training.now();
    this.secondsBefore = from.seconds;
    this.start = from.step;
    this.evaluated = from.evaluated;
    this.settled = from.step;
    this.tokens = from.tokens;
    this.written = from.lines;
    this.pace = new Pace(training.now);
  }

  /** Puts the state on the device and brings the files back to the step where the task goes on. */
  static async open(training: Training): Promise<Session> {
    const { task, executor, storage, weights, log } = training;
    const metrics = await storage.lines('metrics');
    const timings = await storage.lines('timings');
    const state = onDevice(task.state, training.programs);
    const say = (text: string): void => log.line(`${task.id}: ${text}`);
    const found = await resume(executor, task, state, storage, weights, say, (metadata) => faultOfMetrics(metrics, metadata));
    const step = found?.step ?? 0;
    if (found === undefined) await writeInitialState(executor, state, task.seed, weights);
    else log.line(`${task.id}: goes on after step ${step} of ${task.steps}`);
    const kept = found === undefined ? [] : linesOf(found.metadata, await metrics.read(), step);
    const times = found === undefined ? [] : upTo(await timings.read(), step);
    await metrics.truncate(kept.length);
    await timings.truncate(times.length);
    return new Session(training, state, metrics, timings, {
      step,
      lines: kept.length,
      evaluated: kept.some((line) => stepOfLine(line) === step && line.includes('"eval_')),
      tokens: found?.metadata.tokens === undefined ? undefined : Number(found.metadata.tokens),
      seconds: times.length === 0 ? 0 : ((JSON.parse(times[times.length - 1]) as { time?: number }).time ?? 0),
    });
  }

  async run(): Promise<TrainingEnd> {
    const { task, executor, programs, data, signal } = this.training;
    if (!this.evaluated && this.evaluationDue(this.start)) await this.evaluateAt(this.start);
    for await (const batch of stepBatches(task, data, this.start, signal)) {
      this.inFlight.push({ batch, outputs: submitStep(executor, task, programs, batch) });
      while (this.inFlight.length >= IN_FLIGHT) await this.settle();
      await this.afterStep(batch.step + 1);
    }
    while (this.inFlight.length > 0) await this.settle();
    const end = { step: this.settled, seconds: this.seconds() };
    if (this.settled < task.steps) return { status: 'interrupted', ...end, checkpoint: await this.checkpoint() };
    await this.checkpoint();
    await this.writeWeights();
    return { status: 'done', ...end, seconds: this.seconds() };
  }

  private async writeWeights(): Promise<void> {
    const { task, executor, storage, weights } = this.training;
    const kept = task.state.filter((tensor) => tensor.keep === 'weight');
    const read = await readTensors(
      executor,
      kept.filter((tensor) => this.state.includes(tensor)),
    );
    const byName = new Map(read.map((tensor) => [tensor.name, tensor]));
    const tensors: Tensor[] = [];
    for (const { name, dtype, shape, ...rest } of kept) {
      tensors.push(
        byName.get(name) ?? { name, dtype, shape, data: await initialValue({ name, dtype, shape, ...rest }, task.seed, weights) },
      );
    }
    await storage.writeWeights(tensors, { hash: task.hash, task: task.id });
  }

  /** What is due once `step` steps are submitted: evaluation first, so that a checkpoint stands behind all its lines. */
  private async afterStep(step: number): Promise<void> {
    const { task } = this.training;
    const last = step === task.steps;
    const evaluateNow = this.evaluationDue(step);
    const saveNow = !last && step % task.checkpointEvery === 0;
    if (!evaluateNow && !saveNow) return;
    while (this.inFlight.length > 0) await this.settle();
    if (evaluateNow) await this.evaluateAt(step);
    if (saveNow) await this.checkpoint();
  }

  private evaluationDue(step: number): boolean {
    const { steps, evaluate } = this.training.task;
    return evaluate !== undefined && (step === steps || step % evaluate.every === 0);
  }

  /** Reads the metrics of the oldest step under way and writes its line. */
  private async settle(): Promise<void> {
    const oldest = this.inFlight.shift();
    if (oldest === undefined) return;
    const { task, log } = this.training;
    const outputs = await oldest.outputs.outputs();
    if ((outputs.get('halt')?.[0] ?? 0) !== 0) await this.halt(oldest.batch);
    const step = oldest.batch.step + 1;
    for (const inputs of oldest.batch.parts) {
      const tokens = tokensOf(task.collate, inputs);
      if (tokens !== undefined) this.tokens = (this.tokens ?? 0) + tokens;
    }
    const metrics = metricsOf(task, outputs);
    await this.note(trainingLine(task, step, metrics, this.tokens));
    await this.timings.append([JSON.stringify({ step, time: Math.round(this.seconds() * 1e4) / 1e4 })]);
    this.settled = step;
    const { rate, remaining } = this.pace.at(step, task.steps);
    log.progress({
      task: task.id,
      doing: 'training',
      done: step,
      total: task.steps,
      unit: 'steps',
      rate,
      rows: rate && rate * task.batch,
      remaining,
      note: `loss ${metrics.loss?.toPrecision(4)}`,
    });
  }

  private async evaluateAt(step: number): Promise<void> {
    const { task, executor, programs, heldOut, log, signal } = this.training;
    if (heldOut === undefined) return;
    const began = this.training.now();
    const onRows = (done: number, total: number): void => {
      log.progress({ task: task.id, doing: `evaluating after step ${step}`, done, total, unit: 'rows' });
      if (signal?.aborted === true && step < task.steps) throw new Interrupted();
    };
    try {
      const onBad = (names: string[], where: string): void =>
        log.line(`${task.id}: the evaluation after step ${step} gave no finite ${names.join(', ')}: ${where}`);
      const metrics = await evaluate({ executor, task, programs, data: heldOut, onRows, onBad }, step);
      await this.note(evaluationLine(task, step, metrics));
    } catch (error) {
      // Its line is missing behind the checkpoint that follows; `run` sees that and makes it again.
      if (!(error instanceof Interrupted)) throw error;
    } finally {
      this.pace.leaveOut(this.training.now() - began);
    }
  }

  private async note(line: string): Promise<void> {
    await this.metrics.append([line]);
    this.written++;
  }

  /** Writes a checkpoint of the steps that are settled, once their lines are safe. */
  private async checkpoint(): Promise<string> {
    const { task, executor, storage, record } = this.training;
    const step = this.settled;
    if (this.saved?.step === step) return this.saved.path;
    await this.metrics.flush();
    await this.timings.flush();
    const tensors = await readTensors(executor, keptState(this.state));
    const bad = firstBad(tensors);
    if (bad) throw await this.badUpdate(bad);
    const tokens: Record<string, string> = this.tokens === undefined ? {} : { tokens: String(this.tokens) };
    const metrics = `${this.written} ${await this.metrics.digest(this.written)}`;
    const about = { ...record, hash: task.hash, task: task.id, step: String(step), metrics, ...tokens };
    const path = await storage.writeCheckpoint(step, tensors, about);
    this.saved = { step, path };
    return path;
  }

  /** The first bad step: its updates and all later ones were off, so what is on the device is the state before it. */
  private async halt(batch: StepBatch): Promise<never> {
    const { task, executor, programs } = this.training;
    this.inFlight.length = 0;
    // Throws where the update before was not finite, which this step met in its weights.
    const kept = await this.checkpoint();
    throw haltError(task, batch.step + 1, await findBadNumber(executor, task, programs, batch), kept);
  }

  /**
   * The last settled step left weights or moments that are not finite. Nothing on the device holds those before it, so the steps up to it are done
   * again from the newest checkpoint, bit for bit, and kept. To look at every update instead would cost each step a pass over all weights.
   */
  private async badUpdate(bad: BadNumber): Promise<PivotError> {
    const { task, executor, programs, data, storage, weights } = this.training;
    const step = this.settled;
    this.saved = undefined;
    const found = await resume(executor, task, this.state, storage, weights, () => undefined);
    if (found === undefined) await writeInitialState(executor, this.state, task.seed, weights);
    const from = found?.step ?? 0;
    this.training.log.line(
      `${task.id}: the update of step ${step} was not finite; steps ${from + 1} to ${step - 1} are done again to keep the weights before it`,
    );
    let done = from;
    for await (const batch of stepBatches(task, data, from)) {
      if (batch.step + 1 >= step) break;
      await submitStep(executor, task, programs, batch).outputs();
      done = batch.step + 1;
    }
    const lines = upTo(await this.metrics.read(), done);
    await this.metrics.truncate(lines.length);
    await this.timings.truncate(upTo(await this.timings.read(), done).length);
    this.written = lines.length;
    this.tokens = tokensOfLines(lines) ?? this.tokens;
    this.settled = done;
    const before = firstBad(await readTensors(executor, keptState(this.state)));
    // A bad number may lie where no loss looks. The newest checkpoint was looked at when it was written.
    if (before)
      return updateError(
        task,
        step,
        before,
        from > 0 ? `checkpoint-${from}, the newest that is finite` : 'no checkpoint: it was the first since the start',
      );
    return updateError(task, step, bad, await this.checkpoint());
  }

  private seconds(): number {
    return this.secondsBefore + (this.training.now() - this.began) / 1000;
  }
}

/** Tokens seen until the last of the lines that says so. */
function tokensOfLines(lines: readonly string[]): number | undefined {
  for (const line of [...lines].reverse()) {
    const { num_tokens: tokens } = JSON.parse(line) as { num_tokens?: number };
    if (tokens !== undefined) return tokens;
  }
  return undefined;
}

/** How many lines of metrics a checkpoint stands behind, and their digest; undefined in checkpoints of earlier versions. */
function metricsBehind({ metrics }: { metrics?: string }): { count: number; digest: string } | undefined {
  const [count, digest] = metrics?.split(' ') ?? [];
  return digest === undefined ? undefined : { count: Number(count), digest };
}

/** Lines that were edited or lost would end up beside results that they do not belong to. */
async function faultOfMetrics(metrics: LineStore, metadata: Record<string, string>): Promise<string | undefined> {
  const behind = metricsBehind(metadata);
  if (behind === undefined || (await metrics.digest(behind.count)) === behind.digest) return undefined;
  return `the ${behind.count} lines of metrics.jsonl that belong to it are not those that were written`;
}

function linesOf(metadata: Record<string, string>, lines: readonly string[], step: number): string[] {
  const behind = metricsBehind(metadata);
  return behind === undefined ? upTo(lines, step) : lines.slice(0, behind.count);
}
