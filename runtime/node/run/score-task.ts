/** Scores of small tables, which need no device. */
import type { ScoreTask } from '../../../plan/plan.ts';
import { scoreNamed } from '../../core/score/score.ts';
import type { Table, TableTensor } from '../../core/score/types.ts';
import type { WeightSource } from '../../core/train/storage.ts';
import { taskOf, weightsOf } from './context.ts';
import type { RunContext } from './context.ts';
import { leftTensor } from './left-tensor.ts';

/** Scores the tables of finished tasks into `score.json`. */
export async function runScore(context: RunContext, task: ScoreTask): Promise<void> {
  const { store, plan } = context;
  const open = await store.begin(task);
  try {
    const tables: Record<string, Table> = {};
    for (const [name, id] of Object.entries(task.tables)) tables[name] = await store.table(taskOf(plan, id));
    const stored = weightsOf(context);
    for (const [name, list] of Object.entries(task.weights ?? {})) {
      const tensors = new Map<string, TableTensor>();
      for (const w of list) tensors.set(w.name, await weightTensor(w, stored));
      tables[name] = { tensors, rows: [] };
    }
    const result = scoreNamed(task.score)(tables, task.params, task.seed);
    await open.writeText('score.json', `${JSON.stringify(result)}\n`);
  } finally {
    await open.close();
  }
}

/** A weight as a flat column of a table. */
async function weightTensor(weight: NonNullable<ScoreTask['weights']>[string][number], stored: WeightSource): Promise<TableTensor> {
  const { data } = await leftTensor(weight, weight.seed, stored);
  return { shape: [data.length], data };
}
