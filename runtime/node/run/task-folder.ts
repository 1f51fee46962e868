/** The storage of one task on disk: checkpoints, weights, lines and tables in its folder. */
import { join } from 'node:path';
import { PivotError } from '../../../plan/errors.ts';
import type { Tensor } from '../../core/safetensors/format.ts';
import { bytesOf, encodeHeader } from '../../core/safetensors/format.ts';
import type { ReferenceCache, TaskStorage } from '../../core/train/storage.ts';
import { readSealed, sealedParts } from '../safetensors/sealed.ts';
import { exists, makeFolder, namesIn, onFile, remove } from './files.ts';
import type { Files } from './files.ts';
import { openLines } from './lines.ts';
import type { LineFile } from './lines.ts';
import { openTable } from './table.ts';

export interface TaskFolder extends TaskStorage {
  close(): Promise<void>;
}

const CHECKPOINT = /^checkpoint-(\d+)\.safetensors$/;
/** How many checkpoints stay. */
const KEPT = 2;

export function openTaskFolder(files: Files, folder: string): TaskFolder {
  const open: LineFile[] = [];
  const pathOf = (step: number): string => join(folder, `checkpoint-${step}.safetensors`);
  const steps = async (): Promise<number[]> => {
    const found = (await namesIn(folder)).map((name) => CHECKPOINT.exec(name)?.[1]);
    return found.flatMap((step) => (step === undefined ? [] : [Number(step)])).sort((a, b) => b - a);
  };
  return {
    checkpoints: steps,
    readCheckpoint: (step) => onFile(pathOf(step), () => readSealed(pathOf(step))),
    writeCheckpoint: async (step, tensors, metadata) => {
      await onFile(pathOf(step), () => files.write(pathOf(step), sealedParts(tensors, metadata)));
      // Those of later steps belong to a trajectory that was left when an older checkpoint was taken up.
      const others = (await steps()).filter((other) => other !== step);
      const before = others.filter((other) => other < step).slice(0, KEPT - 1);
      for (const other of others) if (!before.includes(other)) await remove(pathOf(other));
      return pathOf(step);
    },
    writeWeights: (tensors, metadata) => writeTensors(files, join(folder, 'weights.safetensors'), tensors, metadata),
    lines: async (name) => {
      const lines = await openLines(files, join(folder, `${name}.jsonl`));
      open.push(lines);
      return lines;
    },
    openTable: (columns, key, unit) => openTable(files, join(folder, 'table.safetensors'), columns, key, unit),
    close: async () => {
      for (const lines of open.splice(0)) await lines.close();
    },
  };
}

/** The cache of reference log-probabilities in a run folder. */
export function referenceCache(files: Files, out: string): ReferenceCache {
  const pathOf = (key: string): string => join(out, 'cache', `reference-${key}.safetensors`);
  return {
    read: async (key) => {
      const path = pathOf(key);
      if (!(await exists(path))) return undefined;
      try {
        const file = await onFile(path, () => readSealed(path));
        return file.metadata.key === key ? file : undefined;
      } catch (error) {
        // A damaged cache is no loss but time: it is computed again and written over.
        if (error instanceof PivotError && error.code.startsWith('R050')) return undefined;
        throw error;
      }
    },
    open: async (key, columns, unit) => {
      await makeFolder(join(out, 'cache'));
      return openTable(files, pathOf(key), columns, key, unit);
    },
  };
}

export async function writeTensors(
  files: Files,
  path: string,
  tensors: readonly Tensor[],
  metadata: Record<string, string>,
): Promise<void> {
  await onFile(path, () => files.write(path, [encodeHeader(tensors, metadata), ...tensors.map(({ data }) => bytesOf(data))]));
}
