/** The recipe of a `preprocessor_config.json` with this value, and of a `config.json` beside it. */
import type { Recipe } from '../../formats/processor/recipe.ts';
import { readProcessor } from '../../formats/processor/read.ts';

export function recipeOf(value: unknown, { model, side }: { model?: unknown; side?: number } = {}): Recipe {
  const own = { file: 'preprocessor_config.json', content: JSON.stringify(value) };
  const beside = model === undefined ? {} : { model: { file: 'config.json', content: JSON.stringify(model) } };
  const read = readProcessor({ own, ...beside }, side === undefined ? undefined : { side });
  if (read === undefined) throw new Error('there is a file, and it was not read');
  return read.recipe;
}
