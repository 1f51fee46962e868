/** Which token of a checkpoint stands for a picture in the texts of conversations. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processorImageToken } from '../../../formats/processor/read.ts';
import { own } from '../../../plan/json.ts';
import { readConfig } from './config.ts';
import type { TextTokenizer } from './open.ts';

/** Where neither the text nor the checkpoint's config says which. */
const USUAL = ['<image>', '<|image_pad|>'];

/** The token of the text, that of the checkpoint's config, that of its processor, or a usual one that the tokenizer has. */
export async function imageToken(tokenizer: TextTokenizer, folder: string, given: unknown): Promise<string | undefined> {
  if (typeof given === 'string' && given !== '') return given;
  const config = await readConfig(folder, 'config.json');
  const named = config && (own(config, 'image_token_index') ?? own(config, 'image_token_id'));
  if (typeof named === 'number') return (await tokenizer.decode([[named]], false))[0];
  const processor = join(folder, 'processor_config.json');
  const content = await readFile(processor).catch(() => undefined);
  const token = content && processorImageToken({ file: processor, content });
  if (token !== undefined) return token;
  const ids = await tokenizer.ids(USUAL);
  return USUAL.find((_, i) => ids[i] !== undefined);
}
