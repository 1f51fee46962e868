/**
 * Samples of a WebDataset archive: files with the same path up to the first dot of the base name are one sample, and stand next to one
 * another. Its JSON is the row, its pictures are the row's `images`: `.png`, or `.0.png`, `.1.png` in that order. The scan keeps the name of each
 * sample and where it lies; its headers are read again with it.
 */
import { LOOKED_AT, whatItIs } from '../foreign.ts';
import { MAX_BYTES } from '../pictures/size.ts';
import { objectOf, RecordIndex, Scan } from './records.ts';
import { damaged, openRanges, plain } from './table.ts';
import type { Fields, RangeFile, Table, Value } from './table.ts';
import { entriesOf } from './tar.ts';
import type { TarEntry } from './tar.ts';

interface Sample {
  key: string;
  text?: TarEntry;
  /** In the order of their numbers. */
  pictures: TarEntry[];
  /** Endings of files that are neither. */
  others: string[];
}

/** The names of all samples, and the ranges of their headers and contents. */
interface Samples {
  keys: string[];
  ranges: RecordIndex;
}

const PICTURE = /^(?:(\d+)\.)?(?:png|jpe?g|webp)$/i;

/** Opens an archive. Throws R0504, or R0532 for a damaged one and for samples that are apart or have an ending twice. */
export async function openWebdataset(path: string, name: string, scan = new Scan()): Promise<Table> {
  const file = await openRanges(path, name);
  try {
    if (file.size === 0) throw damaged(name, 'expected a tar archive, found 0 bytes');
    const { keys, ranges } = await indexSamples(file, scan);
    if (keys.length === 0 && !scan.stopped) throw damaged(name, 'expected at least one sample, found 0 samples');
    return {
      name,
      count: keys.length,
      partial: scan.stopped,
      read: async (row) => readSample(file, await sampleAt(file, keys[row], ranges.range(row))),
      place: (row) => ({ file: name, row: row + 1, entry: keys[row] }),
      close: file.close,
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The sample that a file belongs to, and its ending; undefined for a name without an ending, or one that begins with a dot. */
function partsOf(name: string): { key: string; ending: string } | undefined {
  const match = /^(?:\.\/)?((?:.*[/\\])?[^./\\][^./\\]*)\.([^/\\]*)$/s.exec(name);
  return match === null ? undefined : { key: match[1], ending: match[2] };
}

async function indexSamples(file: RangeFile, scan: Scan): Promise<Samples> {
  const samples: Samples = { keys: [], ranges: new RecordIndex() };
  const known = new Set<string>();
  let last: { key: string; begin: number; end: number; endings: Set<string> } | undefined;
  const add = (): void => {
    if (last === undefined) return;
    samples.keys.push(last.key);
    samples.ranges.add(last.begin, last.end, 0);
  };
  for await (const { name, header, start, size } of entriesOf(file)) {
    const parts = partsOf(name);
    if (parts === undefined) continue;
    const { key, ending } = parts;
    // The sample at hand may have more parts.
    if (last?.key !== key && !scan.goesOn()) break;
    if (last?.key !== key) {
      if (known.has(key))
        throw damaged(file.name, `sample ${plain(key)} stands twice, or its parts are apart (entry ${plain(name)} at byte ${header})`, {
          cure: 'write the parts of a sample next to one another, each sample once',
        });
      known.add(key);
      add();
      last = { key, begin: header, end: header, endings: new Set() };
    }
    if (last.endings.has(ending)) throw damaged(file.name, `entry ${plain(name)} at byte ${header} stands twice in its sample`);
    last.endings.add(ending);
    last.end = start + size;
  }
  add();
  return samples;
}

async function sampleAt(file: RangeFile, key: string, [begin, end]: [number, number]): Promise<Sample> {
  const sample: Sample = { key, pictures: [], others: [] };
  for await (const entry of entriesOf(file, begin, end)) {
    const parts = partsOf(entry.name);
    if (parts?.key !== key) continue;
    if (parts.ending.toLowerCase() === 'json') sample.text = entry;
    else if (PICTURE.test(parts.ending)) sample.pictures.push(entry);
    else sample.others.push(parts.ending);
  }
  sample.pictures.sort((a, b) => numberOf(a) - numberOf(b));
  return sample;
}

function numberOf({ name }: TarEntry): number {
  return Number(/\.(\d+)\.[^./]*$/.exec(name)?.[1] ?? -1);
}

async function readSample(file: RangeFile, { key, text, pictures, others }: Sample): ReturnType<Table['read']> {
  if (text === undefined) return { what: `expected a .json with the texts, found ${await kindsOf(file, pictures)}` };
  const read = await objectOf(file, [text.start, text.start + text.size]);
  if ('what' in read) return { what: `entry ${plain(text.name)} at byte ${text.header}: ${read.what}` };
  const fields: Fields = {};
  for (const [name, value] of Object.entries(read.fields)) define(fields, name, value);
  if (!Object.hasOwn(fields, 'id')) define(fields, 'id', key);
  // Told as columns that are not used.
  for (const ending of others) define(fields, `.${ending}`, 'a file of the sample');
  if (pictures.length === 0) return { fields };
  const images: Value[] = [];
  for (const { name, header, start, size } of pictures) {
    if (size > MAX_BYTES)
      return { what: `entry ${plain(name)} at byte ${header}: a picture of ${size} bytes; at most ${MAX_BYTES} are read` };
    images.push({ bytes: await file.bytes(start, start + size), path: name });
  }
  delete fields.image;
  define(fields, 'images', images);
  return { fields };
}

/** The pictures of a sample without texts: what they are tells whether a header lied about a size. */
async function kindsOf(file: RangeFile, pictures: readonly TarEntry[]): Promise<string> {
  const kinds: string[] = [];
  for (const { name, start, size } of pictures.slice(0, 3)) {
    const kind = whatItIs(await file.bytes(start, start + Math.min(size, LOOKED_AT)));
    kinds.push(`${plain(name)} (${size} bytes${kind === undefined ? '' : ` of a ${kind}`})`);
  }
  return kinds.join(', ') || 'neither that nor a picture';
}

/** Defined, not assigned: a key may be called `__proto__`. */
function define(fields: Fields, name: string, value: Value): void {
  Object.defineProperty(fields, name, { value, enumerable: true, configurable: true });
}
