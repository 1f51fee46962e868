/** The preprocessing of a checkpoint's folder. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PROCESSOR_FILES } from '../../../../plan/checkpoint-files.ts';
import { readProcessor } from '../../../../formats/processor/read.ts';
import type { FileContent, Processor } from '../../../../formats/processor/read.ts';
import { dataError } from '../../../core/data/codes.ts';

/** `path` is the folder or one of the files itself. Throws R0504 where there is none, R0530 with all faults of it. */
export async function readRecipe(path: string): Promise<Processor> {
  const found = await recipeIn(path);
  if (found !== undefined) return found;
  const file = path.endsWith('.json') ? path : join(path, PROCESSOR_FILES[0]);
  throw dataError(
    'R0504',
    `${file} cannot be opened${path.endsWith('.json') ? '' : `, and no ${PROCESSOR_FILES[1]} has an image_processor`}`,
    {
      cure: 'give the folder of a checkpoint that sees pictures',
    },
  );
}

/** The same; undefined where nothing there prepares pictures. */
export async function recipeIn(path: string): Promise<Processor | undefined> {
  const folder = path.endsWith('.json') ? dirname(path) : path;
  const [ownFile, nestedFile] = PROCESSOR_FILES;
  const isNested = basename(path) === nestedFile;
  const isFile = path.endsWith('.json');
  const own = isNested ? undefined : await contentOf(isFile ? path : join(folder, ownFile));
  const nested = isFile && !isNested ? undefined : await contentOf(join(folder, nestedFile));
  const model = await contentOf(join(folder, 'config.json'));
  return readProcessor({ ...(own ? { own } : {}), ...(nested ? { nested } : {}), ...(model ? { model } : {}) });
}

async function contentOf(file: string): Promise<FileContent | undefined> {
  const content = await readFile(file).catch(() => undefined);
  return content === undefined ? undefined : { file, content };
}
