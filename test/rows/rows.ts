/** Rows of all layouts against the normal form that was recorded, and labelled pictures against their labels. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConversationRow, ImageRef, Message } from '../../runtime/core/data/conversation.ts';
import { readClassFolder } from '../../runtime/node/data/folders/classes.ts';
import { readCoco } from '../../runtime/node/data/folders/coco.ts';
import { readMaskFolder, readMaskPair } from '../../runtime/node/data/folders/masks.ts';
import { openRows } from '../../runtime/node/data/open-rows.ts';
import type { Rows } from '../../runtime/node/data/open-rows.ts';
import { decodeBytes, decodeFile } from '../../runtime/node/data/pictures/decode.ts';
import { checkAll, differs, readJson, sha256 } from './check.ts';
import type { RowCheck } from './check.ts';

interface RecordedRow {
  id: string;
  images: string[];
  rejected_images?: string[];
  prompt?: Message[];
  chosen?: Message[];
  rejected?: Message[];
  messages?: Message[];
}

interface RecordedLayout {
  files: string[];
  rows: RecordedRow[];
  entry?: string;
  image_folder?: string;
  conversational?: boolean;
  score?: (number | null)[];
}

/** Every `rows-*.json`. */
export async function checkRows(folder: string): Promise<RowCheck[]> {
  const names = (await readdir(join(folder, 'rows', 'expect'))).filter((name) => /^rows-.*\.json$/.test(name)).sort();
  const checks: RowCheck[] = [];
  for (const name of names) {
    const recorded = (await readJson(join(folder, 'rows', 'expect', name))) as RecordedLayout;
    const layout = name.replace(/^rows-(.*)\.json$/, '$1');
    // Of several ways to write the same table each is one of its own; shards are one table.
    const tables = layout.endsWith('-ways') ? recorded.files.map((file) => [file]) : [recorded.files];
    checks.push(
      await checkAll(`rows ${layout}`, tables, async (files) => {
        const found = await readLayout(folder, files, recorded);
        return [
          ...differs('rows', found.length, recorded.rows.length),
          ...recorded.rows.flatMap((row, i) => differs(`${files[0]} row ${i + 1}`, found[i], normal(row, recorded, i, found[i]?.id))),
        ];
      }),
    );
    const check = checks[checks.length - 1];
    check.cases = tables.length * recorded.rows.length;
  }
  return checks;
}

/** What is compared of a row. */
interface Compared extends RecordedRow {
  conversational: boolean;
  score?: unknown;
}

async function readLayout(folder: string, files: string[], { entry, rows, image_folder: images }: RecordedLayout): Promise<Compared[]> {
  const wanted = rows[0].messages === undefined ? 'preferences' : 'supervised';
  const all: Compared[] = [];
  for (const file of files) {
    // The file that an entry names follows from it.
    if (entry !== undefined && file !== 'dataset_info.json') continue;
    const opened = await openRows(join(folder, 'rows', file), file, { entry, images, wanted });
    // From the last to the first: rows are read by index, in whatever order.
    const read: Compared[] = [];
    for (let i = opened.count - 1; i >= 0; i--) read.push(await compared(opened, await opened.row(i)));
    all.push(...read.reverse());
    await opened.close();
  }
  return all;
}

async function compared(rows: Rows, row: ConversationRow): Promise<Compared> {
  const { id = '', images, rejectedImages, prompt, chosen, rejected, messages, conversational = true, extra } = row;
  const hashes = (refs: ImageRef[]): Promise<string[]> => Promise.all(refs.map((ref) => hashOf(rows, ref)));
  return {
    id,
    images: await hashes(images),
    ...(rejectedImages === undefined ? {} : { rejected_images: await hashes(rejectedImages) }),
    prompt,
    chosen,
    rejected,
    messages,
    conversational,
    ...(extra !== undefined && 'score' in extra ? { score: extra.score } : {}),
  };
}

async function hashOf(rows: Rows, ref: ImageRef): Promise<string> {
  const from = await rows.picture(ref);
  return sha256((await (typeof from === 'string' ? decodeFile(from) : decodeBytes(from))).picture.rgb);
}

/** The recorded row in the same order of keys. Layouts without a name for their rows have an empty one. */
function normal({ id, images, rejected_images, ...texts }: RecordedRow, layout: RecordedLayout, i: number, found?: string): Compared {
  const { prompt, chosen, rejected, messages } = texts;
  const ordered = (list: Message[] | undefined): Message[] | undefined => list?.map(({ role, content }) => ({ role, content }));
  return {
    id: found === '' ? '' : id,
    images,
    ...(rejected_images === undefined ? {} : { rejected_images }),
    prompt: ordered(prompt),
    chosen: ordered(chosen),
    rejected: ordered(rejected),
    messages: ordered(messages),
    conversational: layout.conversational ?? true,
    ...(layout.score === undefined ? {} : { score: layout.score[i] }),
  };
}

interface RecordedClasses {
  folder: string;
  classes: string[];
  ignored: string[];
  pictures: { file: string; label: number; sha256: string }[];
}

export async function checkClasses(folder: string): Promise<RowCheck[]> {
  const recorded = (await readJson(join(folder, 'rows', 'expect', 'classification.json'))) as RecordedClasses;
  const splits = [...new Set(recorded.pictures.map(({ file }) => file.split('/')[0]))];
  const check = await checkAll('classification', splits, async (split) => {
    const read = await readClassFolder(join(folder, 'rows', recorded.folder, split), split);
    const found: RecordedClasses['pictures'] = [];
    for (const { name, path, label } of read.pictures)
      found.push({ file: `${split}/${name}`, label, sha256: sha256((await decodeFile(path)).picture.rgb) });
    const wanted = recorded.pictures
      .filter(({ file }) => file.startsWith(`${split}/`))
      .map(({ file, label, sha256: hash }) => ({ file, label, sha256: hash }));
    const byName = (list: RecordedClasses['pictures']): string[] => list.map((one) => JSON.stringify(one)).sort();
    return [...differs('classes', read.classes, recorded.classes), ...differs('pictures', byName(found), byName(wanted))];
  });
  check.cases = recorded.pictures.length;
  return [check];
}

interface RecordedMasks {
  folder: string;
  classes: string[];
  pairs: {
    image: string;
    mask: string;
    image_sha256: string;
    index_sha256: string;
    boxes: { class: number; x: number; y: number; width: number; height: number }[];
  }[];
}

export async function checkMasks(folder: string): Promise<RowCheck[]> {
  const recorded = (await readJson(join(folder, 'rows', 'expect', 'segmentation.json'))) as RecordedMasks;
  const at = join(folder, 'rows', recorded.folder);
  const pairs = await readMaskFolder(at, recorded.folder);
  const masks = await checkAll('segmentation masks', recorded.pairs.entries(), async ([i, wanted]) => {
    const { picture, index } = await readMaskPair(pairs[i]);
    return [
      ...differs('names', [pairs[i].image.name, pairs[i].mask.name], [wanted.image, wanted.mask]),
      ...differs(`${wanted.image} bytes`, sha256(picture.rgb), wanted.image_sha256),
      ...differs(`${wanted.mask} indices`, sha256(index), wanted.index_sha256),
    ];
  });
  const names = await readdir(at);
  if (!names.includes('boxes.json')) return [masks];
  const coco = await readCoco(join(at, 'boxes.json'), 'boxes.json');
  const boxes = await checkAll('segmentation boxes', recorded.pairs.entries(), async ([i, wanted]) => {
    const found = coco.pictures[i].boxes.map(({ category, x, y, w, h }) => [category, coco.categories.get(category), x, y, w, h]);
    return differs(
      wanted.image,
      found,
      wanted.boxes.map((box) => [box.class, recorded.classes[box.class], box.x, box.y, box.width, box.height]),
    );
  });
  return [masks, boxes];
}
