/** Pictures and their preprocessing against what Pillow and transformers recorded. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { geometry, levels, pixelValues, resizedSize } from '../../runtime/core/data/preprocess/preprocess.ts';
import { resize } from '../../runtime/core/data/preprocess/resample.ts';
import type { Recipe } from '../../formats/processor/recipe.ts';
import type { Picture } from '../../runtime/core/data/row.ts';
import { decodeBytes } from '../../runtime/node/data/pictures/decode.ts';
import { readRecipe } from '../../runtime/node/data/pictures/processor.ts';
import { checkAll, differs, readJson, sha256 } from './check.ts';
import type { RowCheck } from './check.ts';

interface RecordedPicture {
  width: number;
  height: number;
  rgb_sha256: string;
  rgb_over_white_sha256?: string;
}

interface RecordedSteps {
  decoded: [number, number];
  resized?: [number, number];
  resized_sha256?: string;
  cropped_sha256?: string;
  pixel_values_sha256?: string;
  pillow12_cropped_sha256?: string;
}

export async function checkPictures(folder: string): Promise<RowCheck[]> {
  const recorded = (await readJson(join(folder, 'images', 'expect.json'))) as Record<string, RecordedPicture>;
  const decode = await checkAll('pictures decoded', Object.entries(recorded), async ([name, wanted]) => {
    const { picture } = await decodeBytes(await readFile(join(folder, 'images', name)));
    return [
      ...differs(`${name} size`, [picture.width, picture.height], [wanted.width, wanted.height]),
      ...differs(`${name} bytes`, sha256(picture.rgb), wanted.rgb_sha256),
    ];
  });
  const transparent = Object.entries(recorded).filter(([, { rgb_over_white_sha256: hash }]) => hash !== undefined);
  const white = await checkAll('pictures over white', transparent, async ([name, wanted]) => {
    const { picture } = await decodeBytes(await readFile(join(folder, 'images', name)), { transparency: 'white' });
    return differs(`${name} bytes`, sha256(picture.rgb), wanted.rgb_over_white_sha256);
  });
  return [decode, white];
}

export async function checkPreprocessing(folder: string): Promise<RowCheck[]> {
  const entries = await readdir(join(folder, 'preprocess'), { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const pictures = new Map<string, Promise<Picture>>();
  const pictureOf = (name: string): Promise<Picture> => {
    const known = pictures.get(name);
    if (known !== undefined) return known;
    const decoded = readFile(join(folder, 'images', name)).then(async (bytes) => (await decodeBytes(bytes)).picture);
    pictures.set(name, decoded);
    return decoded;
  };
  const checks: RowCheck[] = [];
  for (const name of names.sort()) {
    const at = join(folder, 'preprocess', name);
    const { pictures: steps } = (await readJson(join(at, 'expect.json'))) as { pictures: Record<string, RecordedSteps> };
    const { recipe } = await readRecipe(at);
    const table = levels(recipe);
    const check = await checkAll(`preprocess ${name}`, Object.entries(steps), async ([file, wanted]) =>
      compare(file, await pictureOf(file), recipe, table, wanted),
    );
    check.cases++;
    check.misses.push(...differs('levels', sha256(bytesOf(table)), sha256(await recordedLevels(join(at, 'pil.safetensors')))));
    checks.push(check);
  }
  return checks;
}

function compare(name: string, picture: Picture, recipe: Recipe, table: Float32Array, wanted: RecordedSteps): string[] {
  const cropped = geometry(picture, recipe);
  const misses = differs(`${name} decoded`, [picture.height, picture.width], wanted.decoded);
  const hash = (what: string, found: () => Uint8Array, hex: string | undefined): void => {
    if (hex !== undefined) misses.push(...differs(`${name} ${what}`, sha256(found()), hex));
  };
  if (recipe.resize !== undefined && recipe.pad === undefined) {
    // The whole resized picture, of which preprocessing computes only what the crop keeps.
    const size = resizedSize(picture, recipe.resize.to);
    if (wanted.resized !== undefined) misses.push(...differs(`${name} resized`, [size.height, size.width], wanted.resized));
    const whole = (): Picture =>
      resize(picture, size.width, size.height, { filter: recipe.resize?.filter ?? 'bicubic', order: 'pillow13' });
    hash('resized bytes', () => whole().rgb, wanted.resized_sha256);
  }
  hash('cropped bytes', () => cropped.rgb, wanted.cropped_sha256);
  hash('cropped bytes of Pillow 12', () => geometry(picture, recipe, 'rows').rgb, wanted.pillow12_cropped_sha256);
  hash('pixel values', () => bytesOf(pixelValues(cropped, table)), wanted.pixel_values_sha256);
  return misses;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The tensor `levels` of a safetensors file that also holds types which Pivot does not compute with. */
async function recordedLevels(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, { data_offsets: [number, number] }>;
  const [start, end] = header.levels.data_offsets;
  return bytes.subarray(8 + length + start, 8 + length + end);
}
