/** Exports: a safetensors file under our names, a checkpoint with trained tensors in place of its own, or an adapter as PEFT stores it. */
import { copyFile, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LeftTensor, ExportTask } from '../../../plan/plan.ts';
import type { Tensor } from '../../core/safetensors/format.ts';
import { encodeRawHeader, floatBytes } from '../../core/safetensors/raw.ts';
import { runError } from '../../core/train/errors.ts';
import type { WeightSource } from '../../core/train/storage.ts';
import { openSafetensors } from '../safetensors/files.ts';
import { pathOf, weightsOf } from './context.ts';
import type { RunContext } from './context.ts';
import { goesBeside, requireOwnFile, requireOwnFolder } from './export-folder.ts';
import { makeFolder, onFile } from './files.ts';
import { leftTensor } from './left-tensor.ts';
import { writeTensors } from './task-folder.ts';

/** Files that weights of a checkpoint are looked for in. */
const WEIGHTS = /^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$/;

/** Writes what the text exports and returns its path. Throws R0641 for a name that is neither a safetensors file nor a folder. */
export async function runExport(context: RunContext, task: ExportTask): Promise<string> {
  const { file, checkpoint } = task;
  // A plan may come from elsewhere: an export writes safetensors files, and folders of them.
  if (!file.endsWith('.safetensors') && !(checkpoint && file.endsWith('/')))
    throw runError(
      'R0641',
      `${task.id} would write ${JSON.stringify(file)}`,
      'let the name of an export end in .safetensors, or in / for a folder',
    );
  await (await context.store.begin(task)).close();
  const weights = weightsOf(context);
  const path = context.access.writing(file);
  if (!checkpoint) {
    await requireOwnFile(path);
    const tensors: Tensor[] = [];
    for (const tensor of task.tensors) tensors.push(await leftTensor(tensor, task.seed, weights));
    await writeTensors(context.files, path, joined(tensors), { format: 'pt', pivot: context.planHash });
  } else if (checkpoint.lora) await writeAdapter(context, task, checkpoint.lora, path, weights);
  else await writeCheckpoint(context, task, pathOf(context, checkpoint.folder), path, weights);
  return path;
}

/** The checkpoint in `from`, file by file; tensors of the task take the place of its own, in the types that they have there. */
async function writeCheckpoint(context: RunContext, task: ExportTask, from: string, path: string, weights: WeightSource): Promise<void> {
  // The compiler says so of names; here links have been followed, and the plan may come from elsewhere.
  await makeFolder(path);
  if ((await onFile(from, () => realpath(from))) === (await onFile(path, () => realpath(path))))
    throw runError('R0641', `${task.id} would be written over the checkpoint that it is made of`, 'name another folder');
  await requireOwnFolder(path);
  const names = await onFile(from, () => readdir(from));
  if (!names.some((name) => name.endsWith('.safetensors')))
    throw runError('R0642', `${from} has no weights`, 'bring back the checkpoint that the plan was compiled with');
  const parts = new Map<string, LeftTensor[]>();
  for (const tensor of task.tensors) {
    const name = tensor.name.replace(/#\d+$/, '');
    parts.set(name, [...(parts.get(name) ?? []), tensor]);
  }
  for (const name of names.filter((one) => one.endsWith('.safetensors'))) {
    const source = await openSafetensors(join(from, name));
    try {
      const metadata = { ...source.metadata, format: 'pt', pivot: context.planHash };
      const tensors = source.names.map((own) => ({ ...source.info(own), dtype: source.info(own).fileDtype }));
      const target = join(path, name);
      // Tensor by tensor: a shard may be larger than memory.
      const written = async function* (): AsyncGenerator<Uint8Array> {
        yield encodeRawHeader(tensors, metadata);
        for (const { name: own, dtype } of tensors) {
          const replaced = parts.get(own);
          parts.delete(own);
          yield (replaced && floatBytes(dtype, await whole(replaced, task.seed, weights))) ?? (await source.bytes(own));
        }
      };
      await onFile(target, () => context.files.write(target, written()));
    } finally {
      await source.close();
    }
  }
  if (parts.size > 0)
    throw runError(
      'R0642',
      `${from} has no ${[...parts.keys()].slice(0, 3).join(', ')} to replace`,
      'bring back the checkpoint that the plan was compiled with',
    );
  // What an earlier export of other shards left would be read in place of these, or beside them.
  for (const name of await onFile(path, () => readdir(path)))
    if (WEIGHTS.test(name) && !names.includes(name)) await onFile(join(path, name), () => rm(join(path, name)));
  for (const name of names) if (goesBeside(name)) await onFile(join(path, name), () => copyFile(join(from, name), join(path, name)));
}

async function whole(parts: readonly LeftTensor[], seed: number, weights: WeightSource): Promise<Float32Array> {
  const tensors: Tensor[] = [];
  for (const part of parts) tensors.push(await leftTensor(part, seed, weights));
  const [one] = joined(tensors);
  return one.data as Float32Array;
}

async function writeAdapter(
  context: RunContext,
  task: ExportTask,
  { rank, alpha, targets }: NonNullable<NonNullable<ExportTask['checkpoint']>['lora']>,
  path: string,
  weights: WeightSource,
): Promise<void> {
  await makeFolder(path);
  await requireOwnFolder(path);
  const tensors: Tensor[] = [];
  for (const tensor of task.tensors) tensors.push(await leftTensor(tensor, task.seed, weights));
  await writeTensors(context.files, join(path, 'adapter_model.safetensors'), tensors, { format: 'pt', pivot: context.planHash });
  const config = {
    peft_type: 'LORA',
    base_model_name_or_path: task.checkpoint?.folder,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    bias: 'none',
    target_modules: targets,
    inference_mode: true,
  };
  const file = join(path, 'adapter_config.json');
  await onFile(file, () => context.files.write(file, [`${JSON.stringify(config, undefined, 2)}\n`]));
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
