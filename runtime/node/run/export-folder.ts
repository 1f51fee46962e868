/** What an export may write over: nothing but what an earlier export wrote. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { runError } from '../../core/train/errors.ts';
import { openSafetensors } from '../safetensors/files.ts';
import { onFile } from './files.ts';

/** Files of a checkpoint that go with its weights: configurations, tokenizers and templates by the names that Hugging Face gives them. */
const BESIDE = [
  /^(config|tokenizer|vocab|added_tokens|special_tokens_map|chat_template)\.json$/,
  /^[\w-]+_config\.json$/,
  /^[\w.-]+\.safetensors\.index\.json$/,
  /^(vocab|merges)\.txt$/,
  /^chat_template\.jinja$/,
  /^[\w.-]+\.model$/,
];

export function goesBeside(name: string): boolean {
  return BESIDE.some((pattern) => pattern.test(name));
}

/** Throws R0645 where a file stands at `path` that no export wrote. */
export async function requireOwnFile(path: string): Promise<void> {
  if (!existsSync(path) || (await isExport(path))) return;
  throw runError(
    'R0645',
    `the export would write over ${path}, which is not an export of Pivot`,
    'give the export another name, or move the file away',
  );
}

/** Throws R0645 where the folder at `path` has files in it, but no weights that an export wrote. */
export async function requireOwnFolder(path: string): Promise<void> {
  // A killed export may have left a temporary file.
  const names = existsSync(path) ? (await onFile(path, () => readdir(path))).filter((name) => !/^\..*\.tmp$/.test(name)) : [];
  const weights = names.filter((name) => name.endsWith('.safetensors'));
  const exported = await Promise.all(weights.map((name) => isExport(join(path, name))));
  if (names.length === 0 || (weights.length > 0 && exported.every(Boolean))) return;
  const other = weights.find((_, i) => !exported[i]) ?? names[0];
  throw runError(
    'R0645',
    `the export would write into ${path}, which holds ${basename(other)} and is not an export of Pivot`,
    'let the export name a folder of its own',
  );
}

/** Whether a safetensors file bears the mark of an export: the hash of its plan in the metadata. */
async function isExport(path: string): Promise<boolean> {
  try {
    const file = await openSafetensors(path);
    await file.close();
    return file.metadata?.pivot !== undefined;
  } catch {
    return false;
  }
}
