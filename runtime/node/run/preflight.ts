/** What is found out before the device is touched: the files are those of the plan, the rows fit, the disk has room. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { hashOf } from '../../../plan/hash.ts';
import type { Speech, StateTensor, Task } from '../../../plan/plan.ts';
import { checkFit } from '../../core/data/fit.ts';
import { runError } from '../../core/train/errors.ts';
import { contentHash } from '../data/content-hash.ts';
import { openSpeech } from '../tokenize/speech.ts';
import { dataOf, pathOf } from './context.ts';
import type { RunContext } from './context.ts';
import { onFile } from './files.ts';
import { rowsReadBy } from './read-rows.ts';
import { bytes } from './words.ts';

/** Files whose weights these tasks start from, and the configs beside them, are there and unchanged. Throws R0606 with all that are not. */
export function checkFiles(context: RunContext, tasks: readonly Task[]): void {
  const keys = new Set(tasks.flatMap(statesOf).flatMap(({ source }) => (source.from === 'file' ? [source.file] : [])));
  const configs = [...keys].map((key) => `${dirname(key)}/config.json`).filter((key) => Object.hasOwn(context.plan.files, key));
  const faults = [...new Set([...keys, ...configs])].flatMap((key) => {
    const { path, hash } = context.plan.files[key];
    const real = pathOf(context, path);
    if (!existsSync(real)) return [`there is no ${real}`];
    return contentHash(real) === hash ? [] : [`${real} has changed since the plan was compiled`];
  });
  if (faults.length > 0) throw runError('R0606', faults.join('; '), 'bring the files back, or compile the text again');
}

function statesOf(task: Task): StateTensor[] {
  if (task.kind === 'train') return [...task.state, ...(task.reference?.state ?? [])];
  return task.kind === 'embed' || task.kind === 'sample' ? task.state : [];
}

/**
 * Opens all data that these tasks read, and counts rows that do not fit the lengths that the text declares; what models are to answer in
 * must say how an answer ends.
 */
export async function checkData(context: RunContext, tasks: readonly Task[]): Promise<void> {
  const seen = new Set<string>();
  const checkSpeech = async (speech: Speech): Promise<void> => {
    const key = hashOf({ speech });
    if (seen.has(key)) return;
    seen.add(key);
    await (await openSpeech(speech, (path) => pathOf(context, path))).close();
  };
  for (const task of tasks) if (task.kind === 'sample' && task.speech !== undefined) await checkSpeech(task.speech);
  for (const { data, collate, prompts } of rowsReadBy(tasks)) {
    const key = hashOf({ data, collate, prompts });
    if (seen.has(key)) continue;
    seen.add(key);
    const { source, tokenizer } = await dataOf(context, data, collate);
    checkFit(source, collate, tokenizer, prompts);
  }
}

/** Throws R0603 where the disk has less than `needed` bytes left. */
export async function checkDisk(context: RunContext, needed: number): Promise<void> {
  const free = await onFile(context.out, () => context.files.free(context.out));
  if (free >= needed) return;
  throw runError(
    'R0603',
    `the run may write ${bytes(needed)}, and the disk that holds ${context.out} has ${bytes(free)} left`,
    'make room, or name a folder on another disk with --out',
  );
}
