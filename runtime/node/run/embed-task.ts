/** An embedding task on Node. */
import type { EmbedTask } from '../../../plan/plan.ts';
import type { Executor } from '../../core/executor/executor.ts';
import { embed } from '../../core/train/embed.ts';
import { dataOf, makeExecutor, weightsOf } from './context.ts';
import type { RunContext, RunDevice } from './context.ts';
import { programsOf } from './estimate.ts';

/** Whether all rows were embedded; otherwise the signal stopped it. */
export async function runEmbed(context: RunContext, on: RunDevice, task: EmbedTask): Promise<boolean> {
  const programs = programsOf(context.plan, task, on.target);
  const data = await dataOf(context, task.data, task.collate);
  const storage = await context.store.begin(task);
  let executor: Executor | undefined;
  try {
    executor = await makeExecutor(context, on, task.id, programs);
    const { log, signal, now } = context;
    return await embed({ task, programs, executor, data, storage, weights: weightsOf(context), log, signal, now });
  } finally {
    executor?.destroy();
    await storage.close();
  }
}
