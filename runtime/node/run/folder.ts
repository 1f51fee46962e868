/**
 * The layout of a run folder:
 *
 *     run.json                            what runs, with which values, on what, since when, how it stands
 *     plan/                               the plan (plan-folder.ts)
 *     lock                                the process that works here (lock.ts)
 *     cache/reference-<key>.safetensors   reference log-probabilities
 *     report.html                         of the values that run.json names
 *     report-<plan>.html                  of other values, by the first digits of their plan's hash
 *     tasks/<id>~<hash>/                  results, by the hash of what decided them (store.ts, task-folders.ts)
 *
 * Results of other values of the text stay where they are; `pivot prune` removes them (prune.ts).
 */
import { join } from 'node:path';
import { runError } from '../../core/train/errors.ts';
import { refuseLinks } from './access.ts';
import { exists, isFolder, move, namesIn, onFile, readJson } from './files.ts';
import type { Files } from './files.ts';

/** `incomplete`: all that could be done is done, and some tasks failed. */
export type RunStatus = 'running' | 'done' | 'incomplete' | 'failed' | 'interrupted';

export interface RunRecord {
  name: string;
  plan: string;
  /** Params of the text with their values: `2 (--set; the text says 60)`. */
  values: Record<string, string>;
  adapter: string;
  driver: string;
  target: string;
  versions: Record<string, string>;
  started: string;
  ended?: string;
  status: RunStatus;
  /** Tasks that failed, and why. */
  failed?: Record<string, string>;
}

export const runFile = (out: string): string => join(out, 'run.json');
export const planFolder = (out: string): string => join(out, 'plan');
export const reportFile = (out: string): string => join(out, 'report.html');
/** Reports of other values than the present ones. */
export const SHELVED = /^report-[0-9a-f]{8}\.html$/;

export async function readRun(out: string): Promise<Record<string, unknown> | undefined> {
  return readJson(runFile(out));
}

export async function writeRun(files: Files, out: string, record: RunRecord): Promise<void> {
  await onFile(runFile(out), () => files.write(runFile(out), [`${JSON.stringify(record, undefined, 2)}\n`]));
}

/** Refuses a folder that has files in it and is no run, so that nothing of the user's is ever removed. Throws R0608. */
export async function requireRunFolder(out: string): Promise<void> {
  const names = (await namesIn(out)).filter((name) => name !== 'lock' && !name.endsWith('.tmp'));
  if (names.length === 0 || (await exists(runFile(out)))) return;
  throw runError(
    'R0608',
    `${out} has files in it (${names.slice(0, 5).join(', ')}) and is no run folder`,
    'name an empty or a new folder with --out',
  );
}

/** Refuses folders of the run that are links: what is deleted in them would be another folder's. Throws R0644. */
export async function refuseLinkedFolders(out: string): Promise<void> {
  for (const part of ['tasks', 'plan', 'cache']) {
    const folder = join(out, part);
    refuseLinks(out, folder);
    for (const name of await namesIn(folder)) {
      // A single file may be kept elsewhere; it is replaced, never followed.
      if (await isFolder(join(folder, name))) refuseLinks(folder, join(folder, name));
    }
  }
}

/**
 * Makes `report.html` that of plan `now`: one of plan `before` is put aside under its plan's hash, one that was put aside is brought
 * back. Returns where the former lies now, if there was one.
 */
export async function shelveReport(out: string, before: string, now: string): Promise<string | undefined> {
  if (before === now) return undefined;
  const aside = (plan: string): string => join(out, `report-${plan.slice(0, 8)}.html`);
  const had = await exists(reportFile(out));
  if (had) await move(reportFile(out), aside(before));
  if (await exists(aside(now))) await move(aside(now), reportFile(out));
  return had ? aside(before) : undefined;
}
