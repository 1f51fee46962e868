/**
 * The child of the startup benchmark, so that nothing is compiled yet: from the text of the quickstart to a plan, to pipelines, to the
 * first step of each arm, to steps as they follow one another. Started with a `Start` as JSON; sends an `Answer`.
 */
import { join } from 'node:path';
import { nodeHost, packageRoot } from '../../cli/host.ts';
import { compile } from '../../compiler/compile.ts';
import { targetFor } from '../../compiler/lower/choose.ts';
import { formatDiagnostics } from '../../grammar/index.ts';
import type { Plan, TrainTask } from '../../plan/plan.ts';
import type { Program } from '../../plan/program.ts';
import { openSource } from '../../runtime/core/data/row.ts';
import { Executor } from '../../runtime/core/executor/executor.ts';
import type { RowData } from '../../runtime/core/train/batches.ts';
import { onDevice, writeInitialState } from '../../runtime/core/train/start.ts';
import { stepBatches, submitStep } from '../../runtime/core/train/step.ts';
import type { Tensor } from '../../runtime/core/safetensors/format.ts';
import { NODE_SOURCES } from '../../runtime/node/data/sources.ts';
import { openDevice } from '../../runtime/node/device/open.ts';
import type { OpenDevice } from '../../runtime/node/device/open.ts';
import { sleepingWait } from '../../runtime/node/device/wait.ts';
import { readSafetensors } from '../../runtime/node/safetensors/files.ts';

export interface Start {
  adapter: string;
  /** Steps that are timed after the first. */
  steps: number;
}

export interface Arm {
  task: string;
  /** Kernels of the step: dispatches, and different texts. */
  dispatches: number;
  kernels: number;
  pipelinesMs: number;
  firstMs: number;
  /** Milliseconds of a step among others, rows and upload included. */
  stepMs: number;
}

export interface Answer {
  adapter: string;
  driver: string;
  /** From the text to the plan of all its tasks, for one target. */
  planMs: number;
  arms: Arm[];
}

const FOLDER = join(packageRoot(), 'examples');
const TEXT = 'quickstart.pivot';
const ARMS = ['post.sft@0', 'post.dpo@0'];

async function answer({ adapter, steps }: Start): Promise<Answer> {
  const open = await openDevice({ adapter });
  const target = targetFor(open.info);
  const start = performance.now();
  const { plan, diagnostics, texts } = compile(TEXT, nodeHost(FOLDER), { targets: [target] });
  const planMs = performance.now() - start;
  if (!plan) throw new Error(formatDiagnostics(diagnostics, texts));
  const arms: Arm[] = [];
  for (const id of ARMS) {
    const task = plan.tasks.find((one): one is TrainTask => one.kind === 'train' && one.id === id);
    if (!task) throw new Error(`${TEXT} has no training task ${id}`);
    arms.push(await timeArm(open, plan, task, plan.programs[task.programs[target.name].step], steps));
  }
  return { adapter: open.info.name, driver: open.info.driver, planMs, arms };
}

async function timeArm({ device }: OpenDevice, plan: Plan, task: TrainTask, step: Program, steps: number): Promise<Arm> {
  const programs = { step };
  const data = await rowsOf(plan, task, step);
  const pipelines = performance.now();
  const executor = await Executor.create({ device, wait: sleepingWait, programs, kernels: plan.kernels });
  const pipelinesMs = performance.now() - pipelines;
  await writeInitialState(executor, onDevice(task.state, programs), task.seed, {
    ofTask: () => Promise.reject(new Error('the arms of the quickstart start from a file')),
    ofFile: async (file, name) => {
      const tensor: Tensor | undefined = (await readSafetensors(join(FOLDER, plan.files[file].path))).tensors.get(name);
      return tensor ?? Promise.reject(new Error(`${file} has no ${name}`));
    },
  });
  let began = performance.now();
  let firstMs = 0;
  for await (const batch of stepBatches({ ...task, steps: steps + 1 }, data, 0)) {
    const pending = submitStep(executor, task, programs, batch);
    if (batch.step > 0 && batch.step < steps) pending.discard();
    else await pending.outputs();
    if (batch.step > 0) continue;
    firstMs = performance.now() - began;
    began = performance.now();
  }
  const stepMs = (performance.now() - began) / steps;
  executor.destroy();
  await data.source.close?.();
  const kernels = new Set(step.dispatches.map((dispatch) => dispatch.kernel)).size;
  return { task: task.id, dispatches: step.dispatches.length, kernels, pipelinesMs, firstMs, stepMs };
}

/** The rows of the task; a cached reference is all zeros, which costs a step the same. */
async function rowsOf(plan: Plan, task: TrainTask, step: Program): Promise<RowData> {
  const source = await openSource(task.data, { openers: NODE_SOURCES, resolve: (path) => join(FOLDER, path), workers: 0 });
  const tokenizer = task.data.tokenizer === undefined ? undefined : plan.tokenizers[task.data.tokenizer];
  const reference = new Map(
    step.inputs
      .filter(({ name }) => name.startsWith('reference.'))
      .map(({ name, shape }) => [name.slice('reference.'.length), { width: shape[1], data: new Float32Array(task.data.count * shape[1]) }]),
  );
  return { source, collate: task.collate, tokenizer, reference };
}

answer(JSON.parse(process.argv[2]) as Start)
  .then((found) => process.send?.(found, () => process.exit(0)))
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  });
