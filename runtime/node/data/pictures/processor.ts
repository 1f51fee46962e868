/** The preprocessing of a checkpoint's folder, from its `preprocessor_config.json` and, where that names no class, `config.json`. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { dataError } from '../../../core/data/codes.ts';
import { resolveRecipe } from '../../../core/data/preprocess/config.ts';
import type { Recipe } from '../../../core/data/preprocess/recipe.ts';
import { foundIn } from '../foreign.ts';

/** `path` is the folder or the file itself. Throws R0504 where it cannot be read, R0530 with all its faults. */
export async function readRecipe(path: string): Promise<Recipe> {
  const file = path.endsWith('.json') ? path : join(path, 'preprocessor_config.json');
  const content = await readJson(file);
  if (content === undefined) throw dataError('R0504', `${file} cannot be opened`, { cure: 'give the folder of a checkpoint' });
  return resolveRecipe(content, { file, model: await readJson(join(dirname(file), 'config.json')) });
}

async function readJson(file: string): Promise<unknown> {
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw dataError('R0530', `${file} is no JSON (${why}): expected JSON, found ${foundIn(bytes)}`, {
      cure: 'fetch the file again',
      place: { file },
      cause,
    });
  }
}
