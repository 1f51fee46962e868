/** How pictures become what an encoder takes: as its checkpoint's processor makes them, or squeezed into a square. */
import { basename, join } from 'node:path';
import { PROCESSOR_FILES } from '../../../plan/checkpoint-files.ts';
import type { DataSource } from '../../../plan/plan.ts';
import { dataError } from '../../core/data/codes.ts';
import { PIXEL } from '../../core/data/collate.ts';
import { levels, pixelValues } from '../../core/data/preprocess/preprocess.ts';
import type { Row } from '../../core/data/row.ts';
import { checkFiles } from './content-hash.ts';
import type { Decoded, Fit } from './pictures/decode.ts';
import { readRecipe } from './pictures/processor.ts';

/** With `table`, pixel values are made here (`levels`); without it the layout scales bytes itself. */
export interface Preparation {
  fit: Fit;
  table?: Float32Array;
}

/**
 * `among`: whether pictures stand among the tokens of conversations; `asPlanned`: the processor is that of the plan. `resolve` gives the folder's
 * path. Throws R0518, R0523 and R0530.
 */
export async function preparation(
  { processor, size, among, asPlanned = true }: { processor?: DataSource['processor']; size: number; among: boolean; asPlanned?: boolean },
  resolve: (path: string) => string,
): Promise<Preparation> {
  if (processor === undefined) {
    // Conversations may have several pictures or none, which only pixel values can say.
    return among ? { fit: size, table: levels(SQUEEZED) } : { fit: size };
  }
  const { folder, hash } = processor;
  const path = resolve(folder);
  if (asPlanned) checkFiles(path, PROCESSOR_FILES, hash, 'the processor');
  const { recipe, file } = await readRecipe(path);
  const made = recipe.crop ?? (recipe.resize?.to.kind === 'exact' ? recipe.resize.to : undefined);
  if (made !== undefined && (made.width !== size || made.height !== size)) {
    throw dataError('R0518', `the processor in ${folder} makes pictures of ${made.width} x ${made.height}, and the text says ${size}px`, {
      cure: `give size: ${made.width}px, or the processor of the encoder`,
      place: { file: join(folder, basename(file)) },
    });
  }
  return { fit: recipe, table: levels(recipe) };
}

/** Bytes scaled to -1 .. 1, as layouts do it. */
const SQUEEZED = {
  as: 'squeezed',
  factor: 1 / 255,
  normalise: { mean: new Array<number>(3).fill(PIXEL.mean), std: new Array<number>(3).fill(PIXEL.std) },
};

/** What a row has of its pictures. */
export function picturesOf(decoded: readonly Decoded[], { table }: Preparation): Pick<Row, 'image' | 'pixels'> {
  const image = decoded.length === 0 ? {} : { image: decoded[0].picture };
  if (table === undefined) return image;
  const values = decoded.map(({ picture }) => pixelValues(picture, table));
  const pixels = new Float32Array(values.reduce((n, one) => n + one.length, 0));
  let at = 0;
  for (const one of values) {
    pixels.set(one, at);
    at += one.length;
  }
  return { ...image, pixels };
}
