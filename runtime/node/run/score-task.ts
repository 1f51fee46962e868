/** Scores of small tables, which need no device. */
import { join } from 'node:path';
import type { ScoreTask } from '../../../plan/plan.ts';
import { scoreNamed } from '../../core/score/score.ts';
import type { Table, TableTensor } from '../../core/score/types.ts';
import type { WeightSource } from '../../core/train/storage.ts';
import { readLines } from '../data/lines.ts';
import { readSafetensors } from '../safetensors/files.ts';
import { weightsOf } from './context.ts';
import type { RunContext } from './context.ts';
import { onFile, readText } from './files.ts';
import { beginTask, taskFolder } from './folder.ts';
import { leftTensor } from './left-tensor.ts';

/** Scores the tables of finished embed tasks into `score.json`. */
export async function runScore(context: RunContext, task: ScoreTask): Promise<void> {
  const folder = await beginTask(context.files, context.out, task);
  const tables: Record<string, Table> = {};
  const kinds = new Map(context.plan.tasks.map(({ id, kind }) => [id, kind]));
  for (const [name, id] of Object.entries(task.tables)) {
    const from = taskFolder(context.out, id);
    tables[name] =
      kinds.get(id) === 'sample' ? { tensors: new Map(), rows: await readLines(join(from, 'rows.jsonl')) } : await readTable(from);
  }
  const stored = weightsOf(context);
  for (const [name, list] of Object.entries(task.weights ?? {})) {
    const tensors = new Map<string, TableTensor>();
    for (const w of list) tensors.set(w.name, await weightTensor(w, stored));
    tables[name] = { tensors, rows: [] };
  }
  const result = scoreNamed(task.score)(tables, task.params, task.seed);
  const path = join(folder, 'score.json');
  await onFile(path, () => context.files.write(path, [`${JSON.stringify(result)}\n`]));
}

/** A weight as a flat column of a table. */
async function weightTensor(weight: NonNullable<ScoreTask['weights']>[string][number], stored: WeightSource): Promise<TableTensor> {
  const { data } = await leftTensor(weight, weight.seed, stored);
  return { shape: [data.length], data };
}

/** The table that an embed task left in `folder`. */
export async function readTable(folder: string): Promise<Table> {
  const { tensors } = await readSafetensors(join(folder, 'table.safetensors'));
  const lines = ((await readText(join(folder, 'rows.jsonl'))) ?? '').split('\n').filter((line) => line !== '');
  return { tensors, rows: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}
