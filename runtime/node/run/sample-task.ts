/** A sampling task on Node, and the pairs that are made of its answers. */
import type { SampleTask } from '../../../plan/plan.ts';
import type { Executor } from '../../core/executor/executor.ts';
import type { OpenTask } from '../../core/run/store.ts';
import { rankNamed } from '../../core/score/rank.ts';
import type { Rank } from '../../core/score/rank.ts';
import { pairsOf } from '../../core/train/pairs.ts';
import type { SampledLine } from '../../core/train/pairs.ts';
import { sample } from '../../core/train/sample.ts';
import { openSpeech } from '../tokenize/speech.ts';
import type { SpokenTokens } from '../tokenize/speech.ts';
import { dataOf, makeExecutor, pathOf, weightsOf } from './context.ts';
import type { RunContext, RunDevice } from './context.ts';
import { programsOf } from './estimate.ts';

/** Whether all answers are there; otherwise the signal stopped it. Throws R0704 for a rank that this runtime does not have. */
export async function runSample(context: RunContext, on: RunDevice, task: SampleTask): Promise<boolean> {
  const rank = task.rank === undefined ? undefined : rankNamed(task.rank);
  const programs = programsOf(context.plan, task, on.target);
  const data = await dataOf(context, task.data, task.collate);
  const storage = await context.store.begin(task);
  let executor: Executor | undefined;
  let tokens: SpokenTokens | undefined;
  try {
    tokens = task.speech && (await openSpeech(task.speech, (path) => pathOf(context, path)));
    executor = await makeExecutor(context, on, task.id, programs);
    const { log, signal, now } = context;
    if (!(await sample({ task, programs, executor, data, tokens, storage, weights: weightsOf(context), log, signal, now }))) return false;
    if (rank !== undefined) await writePairs(storage, await (await storage.lines('rows')).read(), rank);
    return true;
  } finally {
    executor?.destroy();
    await tokens?.close();
    await storage.close();
  }
}

/** `kept.json`, then `pairs.jsonl`, which is the task's result and so comes last. */
async function writePairs(storage: OpenTask, lines: readonly string[], rank: Rank): Promise<void> {
  const { pairs, kept } = pairsOf(
    lines.map((line) => JSON.parse(line) as SampledLine),
    rank,
  );
  await storage.writeText('kept.json', `${JSON.stringify(kept)}\n`);
  await storage.writeText('pairs.jsonl', pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(''));
}
