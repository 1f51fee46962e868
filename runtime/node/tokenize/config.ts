/** Configs of a checkpoint beside its tokenizer, as far as they say something of its tokens. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, readJson } from '../../../plan/json.ts';
import type { Json } from '../../../plan/json.ts';

/** The object of a config; undefined where there is no such file. Throws R0540. */
export async function readConfig(folder: string, name: string): Promise<{ [key: string]: Json } | undefined> {
  const file = join(folder, name);
  const bytes = await readFile(file).catch(() => undefined);
  const value = bytes && readJson(bytes, file, { code: 'R0540', cure: 'fetch the file again' }).value;
  return isObject(value) ? value : undefined;
}
