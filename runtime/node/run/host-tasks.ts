/** The tasks that need no device: scores of small tables, and exports of weights. */
import { join } from 'node:path';
import type { ExportTask, ScoreTask } from '../../../plan/plan.ts';
import type { Tensor } from '../../core/safetensors/format.ts';
import { scoreNamed } from '../../core/score/score.ts';
import type { Table, TableTensor } from '../../core/score/types.ts';
import type { WeightSource } from '../../core/train/storage.ts';
import { runError } from '../../core/train/errors.ts';
import { initialValue } from '../../core/train/start.ts';
import { readLines } from '../data/lines.ts';
import { readSafetensors } from '../safetensors/files.ts';
import { pathOf, weightsOf } from './context.ts';
import type { RunContext } from './context.ts';
import { onFile, readText } from './files.ts';
import { beginTask, taskFolder } from './folder.ts';
import { writeTensors } from './task-folder.ts';

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
  const data = await initialValue({ ...weight, dtype: 'f32', keep: 'weight', trained: false }, weight.seed, stored);
  return { shape: [data.length], data };
}

/** The table that an embed task left in `folder`. */
export async function readTable(folder: string): Promise<Table> {
  const { tensors } = await readSafetensors(join(folder, 'table.safetensors'));
  const lines = ((await readText(join(folder, 'rows.jsonl'))) ?? '').split('\n').filter((line) => line !== '');
  return { tensors, rows: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

/** Writes the chosen weights under the names that the text gives them. Throws R0641. */
export async function runExport(context: RunContext, task: ExportTask): Promise<string> {
  // A plan may come from elsewhere: an export writes safetensors files and nothing else.
  if (!task.file.endsWith('.safetensors')) {
    throw runError('R0641', `${task.id} would write ${JSON.stringify(task.file)}`, 'let the name of an export end in .safetensors');
  }
  await beginTask(context.files, context.out, task);
  const weights = weightsOf(context);
  const tensors: Tensor[] = [];
  for (const { name, shape, source } of task.tensors) {
    const data = await initialValue({ name, dtype: 'f32', shape, source, keep: 'weight', trained: false }, task.seed, weights);
    tensors.push({ name, dtype: 'f32', shape, data });
  }
  const path = pathOf(context, task.file);
  await writeTensors(context.files, path, joined(tensors), { format: 'pt', pivot: context.planHash });
  return path;
}

/** Tensors whose parts are named `name#0`, `name#1`, .. as one each. */
function joined(tensors: readonly Tensor[]): Tensor[] {
  const groups = new Map<string, Tensor[]>();
  for (const tensor of tensors) {
    const name = tensor.name.replace(/#\d+$/, '');
    groups.set(name, [...(groups.get(name) ?? []), tensor]);
  }
  return [...groups].map(([name, parts]): Tensor => {
    const [first] = parts;
    if (parts.length === 1) return { ...first, name };
    const data = new Float32Array(parts.reduce((n, part) => n + part.data.length, 0));
    let at = 0;
    for (const part of parts) {
      data.set(part.data, at);
      at += part.data.length;
    }
    return { name, dtype: 'f32', shape: [parts.reduce((n, part) => n + part.shape[0], 0), ...first.shape.slice(1)], data };
  });
}
