/** What checkpoints make of a row: its pictures by a processor, its texts by a tokenizer. A folder that was named for one of them also does the other. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PROCESSOR_FILES } from '../../../plan/checkpoint-files.ts';
import { PivotError } from '../../../plan/errors.ts';
import type { ConversationRow } from '../../core/data/conversation.ts';
import type { Recipe } from '../../../formats/processor/recipe.ts';
import { readRecipe, recipeIn } from './pictures/processor.ts';
import { tokensOfRow } from './show-tokens.ts';
import type { ShownTokens } from './show-tokens.ts';

export interface Seen {
  /** How pictures are prepared, and the folder that says so. */
  pictures?: { recipe: Recipe; folder: string };
  tokens?: ShownTokens;
  /** Why there are no tokens, though a tokenizer was named: it, its template, or the row. */
  refusal?: PivotError;
  /** What could not be used of a folder that was named for something else. */
  notes: string[];
}

export interface SeenOptions {
  /** Folder of a tokenizer and its chat template, or its tokenizer.json. */
  tokenizer?: string;
  /** Folder of a processor, or its file. */
  processor?: string;
  /** The token that stands for a picture, where the folder does not say. */
  imageToken?: string;
}

/** Throws R0504 and R0530 where the processor that was named cannot be used. */
export async function seenRow(row: ConversationRow, { tokenizer: named, processor, imageToken }: SeenOptions): Promise<Seen> {
  const tokenizer = named !== undefined && basename(named) === 'tokenizer.json' ? dirname(named) : named;
  const seen: Seen = { notes: [] };
  if (processor !== undefined) seen.pictures = { recipe: (await readRecipe(processor)).recipe, folder: processor };
  else if (tokenizer !== undefined && PROCESSOR_FILES.some((file) => existsSync(join(tokenizer, file)))) {
    const read = await orRefusal(recipeIn(tokenizer));
    if (read instanceof PivotError) seen.notes.push(`pictures are as stored, since ${read.message} (${read.code})`);
    else if (read !== undefined) seen.pictures = { recipe: read.recipe, folder: tokenizer };
  }
  const more = imageToken === undefined ? {} : { imageToken };
  if (tokenizer !== undefined) {
    const made = await orRefusal(tokensOfRow(row, tokenizer, more));
    if (made instanceof PivotError) seen.refusal = made;
    else if (made !== undefined) seen.notes.push(...(seen.tokens = made).warnings);
    return seen;
  }
  const beside = processor?.endsWith('.json') === true ? dirname(processor) : processor;
  if (beside === undefined || !existsSync(join(beside, 'tokenizer.json'))) return seen;
  // The tokenizer of an encoder has no template, and nobody asked for it.
  const made = await orRefusal(tokensOfRow(row, beside, { ...more, ifComplete: true }));
  if (made instanceof PivotError) seen.notes.push(`there are no tokens, since ${made.message} (${made.code})`);
  else if (made !== undefined) seen.notes.push(...(seen.tokens = made).warnings);
  return seen;
}

async function orRefusal<T>(work: Promise<T>): Promise<T | PivotError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof PivotError) return error;
    throw error;
  }
}
