/** What the tasks of a run share: the plan, the folder, one device, the data that are open, and ways to speak and to stop. */
import { hashOf } from '../../../plan/hash.ts';
import type { Collate, DataSource, Plan, Task } from '../../../plan/plan.ts';
import type { Program } from '../../../plan/program.ts';
import type { AdapterInfo } from '../../core/device/info.ts';
import type { Wait } from '../../core/device/wait.ts';
import { openSource } from '../../core/data/row.ts';
import type { RowSource, SourceContext } from '../../core/data/row.ts';
import { Executor } from '../../core/executor/executor.ts';
import type { Log } from '../../core/log.ts';
import type { RowData } from '../../core/train/batches.ts';
import type { WeightSource } from '../../core/train/storage.ts';
import { readWeight } from '../safetensors/checkpoint.ts';
import type { Access } from './access.ts';
import type { Files } from './files.ts';
import type { DiskStore } from './store.ts';

export interface RunDevice {
  device: GPUDevice;
  info: AdapterInfo;
  wait: Wait;
  /** Name of the plan's target that fits. */
  target: string;
}

export interface RunContext {
  plan: Plan;
  /** Hash of the plan. */
  planHash: string;
  out: string;
  /** What paths of the plan lead to. */
  access: Access;
  files: Files;
  store: DiskStore;
  log: Log;
  signal: AbortSignal | undefined;
  sources: SourcePool;
  now(): number;
}

/** A path of the plan, to be read. */
export function pathOf(context: Pick<RunContext, 'access'>, path: string): string {
  return context.access.reading(path);
}

/** A task by its id. */
export function taskOf(plan: Plan, id: string): Task {
  const found = plan.tasks.find((task) => task.id === id);
  if (found === undefined) throw new Error(`the plan has no task ${id}`);
  return found;
}

/** Sources of data, each opened once in a run. */
export class SourcePool {
  private readonly context: SourceContext;
  private readonly open = new Map<string, Promise<RowSource>>();

  constructor(context: SourceContext) {
    this.context = context;
  }

  get(spec: DataSource): Promise<RowSource> {
    const key = hashOf(spec);
    const known = this.open.get(key);
    if (known !== undefined) return known;
    const opened = openSource(spec, this.context);
    this.open.set(key, opened);
    return opened;
  }

  async close(): Promise<void> {
    for (const source of this.open.values()) await source.then((found) => found.close?.()).catch(() => undefined);
    this.open.clear();
  }
}

/** Data of a task, open. */
export async function dataOf(context: RunContext, spec: DataSource, collate: Collate): Promise<RowData> {
  const tokenizer = spec.tokenizer === undefined ? undefined : context.plan.tokenizers[spec.tokenizer];
  return { source: await context.sources.get(spec), collate, tokenizer };
}

/** Weights of finished tasks and of the plan's files, read tensor by tensor: a checkpoint never lies in memory as a whole. */
export function weightsOf(context: Pick<RunContext, 'store' | 'access' | 'plan'>): WeightSource {
  return {
    ofTask: (task, name) => context.store.weight(taskOf(context.plan, task), name),
    ofFile: (file, name, rows) => readWeight(pathOf(context, context.plan.files[file].path), name, rows),
  };
}

/** Compiles the kernels of a task's programs, which may take long, and allocates its memory. */
export function makeExecutor(context: RunContext, on: RunDevice, task: string, programs: Record<string, Program>): Promise<Executor> {
  const onProgress = (done: number, total: number): void =>
    context.log.progress({ task, doing: 'compiling', done, total, unit: 'kernels' });
  return Executor.create({ device: on.device, wait: on.wait, programs, kernels: context.plan.kernels, onProgress });
}
