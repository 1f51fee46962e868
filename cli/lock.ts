/**
 * `pivot.lock`, beside the texts: what their results rest on that is not in them. For each text the hashes of its data
 * folders, weights, tokenizers and of the standard library. A first run writes it; a later run that finds something else
 * stops and says what changed, until the change is accepted.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { PivotError } from '../plan/errors.ts';
import { hashOf } from '../plan/hash.ts';
import type { DataSource, Plan } from '../plan/plan.ts';

type Entries = Record<string, string>;

/** What a plan rests on: `file NAME`, `data FOLDER`, `tokenizer NAME`; of checkpoints `chat`, `processor` and `speech`; and `stdlib`: the texts of it that were used. */
function entriesOf(plan: Plan, texts: ReadonlyMap<string, string>): Entries {
  const standard = [...texts].filter(([path]) => path.startsWith('std:')).sort(([a], [b]) => (a < b ? -1 : 1));
  const entries: Entries = { stdlib: hashOf(standard) };
  for (const [name, file] of Object.entries(plan.files)) entries[`file ${name}`] = file.hash;
  for (const [name, tokenizer] of Object.entries(plan.tokenizers)) entries[`tokenizer ${name}`] = hashOf(tokenizer);
  const data = (source: DataSource): void => {
    if (source.content) entries[`data ${String(source.params.folder ?? source.source)}`] = source.content;
    if (source.chat) entries[`chat ${source.chat.folder}`] = source.chat.hash;
    if (source.processor) entries[`processor ${source.processor.folder}`] = source.processor.hash;
    if (source.base) data(source.base);
    source.mix?.forEach(data);
  };
  for (const task of plan.tasks) {
    if (task.kind !== 'train' && task.kind !== 'embed' && task.kind !== 'sample') continue;
    data(task.data);
    if (task.kind === 'sample' && task.speech) entries[`speech ${task.speech.folder}`] = task.speech.hash;
  }
  return entries;
}

/** Compares a plan with the lock beside its text, and writes what is new. @throws PivotError C0104 where something differs. */
export function holdLock(text: string, plan: Plan, texts: ReadonlyMap<string, string>, update: boolean): void {
  const path = join(dirname(resolve(text)), 'pivot.lock');
  const all = readLock(path);
  const key = basename(text);
  const now = entriesOf(plan, texts);
  const before = all[key] ?? {};
  const changed = Object.keys(now).filter((name) => before[name] !== undefined && before[name] !== now[name]);
  if (changed.length > 0 && !update) {
    throw new PivotError(
      'C0104',
      `${changed.join(', ')} ${changed.length === 1 ? 'is' : 'are'} not what ${path} says ${key} was run with`,
      {
        cure: 'bring back the old files, or accept the change with --update-lock',
        place: { file: path },
      },
    );
  }
  if (hashOf(before) === hashOf(now)) return;
  const sorted = Object.fromEntries(Object.entries({ ...all, [key]: now }).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(`${path}.part`, `${JSON.stringify(sorted, null, 2)}\n`);
  renameSync(`${path}.part`, path);
}

function readLock(path: string): Record<string, Entries> {
  if (!existsSync(path)) return {};
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, Entries>;
  } catch {
    // Falls through to the error below.
  }
  throw new PivotError('C0105', `${path} is not a lock`, { cure: 'delete it; the next run writes it anew', place: { file: path } });
}
