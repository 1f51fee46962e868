/**
 * A plan on disk: `plan.json`, and beside it the large parts by the hash of their content, `programs/<hash>.json` and
 * `wgsl/<hash>.wgsl`. `plan.json` lists their hashes and is written last, so a folder is a plan or it is none. Programs and kernels are
 * checked by their names, tasks by their hashes (`plan/identity.ts`), and all of `plan.json` by its member `seal`.
 */
import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PivotError } from '../../../plan/errors.ts';
import { canonicalJson } from '../../../plan/hash.ts';
import type { Plan } from '../../../plan/plan.ts';
import { checkHashes, validatePlan } from '../../../plan/validate.ts';
import { diskFiles, namesIn, onFile, readText } from './files.ts';
import type { Files } from './files.ts';
import { makeFolders } from '../make-folder.ts';

/** Writes `plan` into `dir`, over a plan that may be there. */
export async function writePlan(dir: string, plan: Plan, files: Files = diskFiles): Promise<void> {
  const programs = Object.entries(plan.programs).map(([hash, program]): [string, string] => [`${hash}.json`, JSON.stringify(program)]);
  const kernels = Object.entries(plan.kernels).map(([hash, wgsl]): [string, string] => [`${hash}.wgsl`, wgsl]);
  await writeContents(join(dir, 'programs'), programs);
  await writeContents(join(dir, 'wgsl'), kernels);
  const content = { ...plan, programs: Object.keys(plan.programs), kernels: Object.keys(plan.kernels) };
  const body = { ...content, seal: sealOf(content) };
  const path = join(dir, 'plan.json');
  await onFile(path, () => files.write(path, [`${JSON.stringify(body, undefined, 1)}\n`]));
  await removeOthers(join(dir, 'programs'), programs);
  await removeOthers(join(dir, 'wgsl'), kernels);
}

/** No flush for each of hundreds of files: their hashes are checked when they are read. */
async function writeContents(folder: string, files: readonly [string, string][]): Promise<void> {
  await onFile(folder, () => makeFolders(folder));
  for (const [name, text] of files) await onFile(join(folder, name), () => writeFile(join(folder, name), text));
}

async function removeOthers(folder: string, files: readonly [string, string][]): Promise<void> {
  const wanted = new Set(files.map(([name]) => name));
  for (const name of await namesIn(folder)) if (!wanted.has(name)) await onFile(folder, () => rm(join(folder, name)));
}

/** Reads and validates the plan in `dir`. Throws R0213 for a missing or damaged file, R0214 for a plan that was edited, else as `validatePlan`. */
export async function readPlan(dir: string): Promise<Plan> {
  const value = await readValue(join(dir, 'plan.json'), dir);
  if (!isObject(value) || !isNames(value.programs) || !isNames(value.kernels))
    return validatePlan(isObject(value) && value.version !== undefined ? { ...value } : undefined);
  const programs: Record<string, unknown> = {};
  for (const hash of value.programs) programs[hash] = await readValue(join(dir, 'programs', `${hash}.json`), dir);
  const kernels: Record<string, string> = {};
  for (const hash of value.kernels) kernels[hash] = await readPart(join(dir, 'wgsl', `${hash}.wgsl`), dir);
  const { seal, ...content } = value;
  const plan = validatePlan({ ...content, programs, kernels });
  checkHashes(plan);
  if (seal !== sealOf(content))
    throw new PivotError('R0214', `${join(dir, 'plan.json')} is not what was written: it was edited, or is damaged`, {
      cure: 'compile the text again; change the text or use --set instead of editing the plan',
    });
  return plan;
}

/** Of what plan.json holds beside its seal. */
function sealOf(content: Record<string, unknown>): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
}

async function readValue(path: string, dir: string): Promise<unknown> {
  const text = await readPart(path, dir);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(dir, `${path} is no JSON`, cause);
  }
}

async function readPart(path: string, dir: string): Promise<string> {
  const text = await readText(path);
  if (text === undefined) throw damaged(dir, `there is no ${path}`);
  return text;
}

function damaged(dir: string, what: string, cause?: unknown): PivotError {
  return new PivotError('R0213', `${dir} holds no whole plan: ${what}`, {
    cure: 'compile the text again, or copy the folder again',
    cause,
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Hashes are names of files: nothing but hexadecimal digits, so that no path leaves the folder. */
function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && /^[0-9a-f]{32}$/.test(name));
}
