/**
 * Rows of files, in every layout that `open-rows.ts` reads. All rows that will be used are read and checked when the source is opened, so that
 * a fault in the last row is known before the first step. What a step needs of their texts is put into a store on the disk, a row at a time
 * (`row-store.ts`), so that memory holds a few numbers of each row; pictures are decoded when they are asked for.
 */
import { stat } from 'node:fs/promises';
import { PivotError } from '../../../plan/errors.ts';
import type { DataSource } from '../../../plan/plan.ts';
import { dataError } from '../../core/data/codes.ts';
import type { ConversationRow, ImageRef, RowPlace } from '../../core/data/conversation.ts';
import { choiceParam, textParam, wholeParam } from '../../core/data/params.ts';
import type { Box, Row, RowSource, SourceContext, SourceOpener } from '../../core/data/row.ts';
import { contentHash } from './content-hash.ts';
import { ConversationRenderer } from './conversation-renderer.ts';
import { spellerOf } from './conversations.ts';
import { placeOf } from './faults.ts';
import { LAYOUT_NAMES } from './layouts/detect.ts';
import { unusedText } from './layouts/unused.ts';
import { openRows } from './open-rows.ts';
import type { Rows } from './open-rows.ts';
import type { Decoded } from './pictures/decode.ts';
import { openDecoder } from './pictures/decode-pool.ts';
import type { Decoder } from './pictures/decode-pool.ts';
import { plainRow } from './plain-rows.ts';
import type { Form, PlainRow } from './plain-rows.ts';
import { picturesOf, preparation } from './preparation.ts';
import type { Preparation } from './preparation.ts';
import { RowStore } from './row-store.ts';

const DEFAULT_WORKERS = 2;

/**
 * `files.preferences` and `files.captions`: parameters `folder` (or a file of rows) and `size` (pixels of a square picture); where they are not to
 * be found out, `layout`, `entry` (of `dataset_info.json`) and `images` (the folder that paths of pictures are relative to); for conversations
 * `image_token`. A plan with `chat` makes conversations of the rows, one with `processor` prepares pictures as that checkpoint does.
 */
export function filesSource(form: Form): SourceOpener {
  return (spec, context) => openFiles(spec, form, context);
}

/** What is kept of a row between opening and use. */
interface Kept {
  texts: Row;
  /** Pictures in the order of the text, by their index in the row. */
  pictures: readonly number[];
  /** In pixels of the picture as stored. */
  boxes?: Box[];
  /** All pictures of the row, where they are files of their own: then the row need not be read again. */
  paths?: string[];
}

async function openFiles(spec: DataSource, form: Form, context: SourceContext): Promise<RowSource> {
  const given = textParam(spec, 'folder');
  const path = resolved(context, given);
  const layout = choiceParam(spec, 'layout', ['', ...LAYOUT_NAMES], '');
  const [entry, images] = [optional(spec, 'entry'), optional(spec, 'images')];
  const prepared = await preparation(
    { processor: spec.processor, size: wholeParam(spec, 'size'), among: spec.chat !== undefined, asPlanned: context.look === undefined },
    (folder) => resolved(context, folder),
  );
  // In the place of a row that a look refuses stands nothing.
  const kept = new RowStore<Kept | undefined>();
  const renderer =
    spec.chat === undefined
      ? undefined
      : new ConversationRenderer<Pick<Kept, 'paths'>>(form, spec, context, (row, beside) => kept.append(row && { ...row, ...beside }));
  let rows: Rows | undefined;
  let decoder: Decoder | undefined;
  const close = async (): Promise<void> => {
    await decoder?.close();
    await rows?.close();
    kept.close();
  };
  try {
    rows = await openRows(path, given, {
      wanted: form === 'preferences' ? 'preferences' : 'supervised',
      ...(layout === '' ? {} : { layout }),
      ...(entry === undefined ? {} : { entry }),
      ...(images === undefined ? {} : { images }),
      limit: spec.count,
      visit: async (row, _, complain, faulty) => {
        if (renderer !== undefined) {
          if (!faulty) await renderer.add(row, pathsOf(row));
          return;
        }
        const text = plainRow(row, form, complain);
        if (text !== undefined && !faulty) kept.append({ ...keptOf(text), ...pathsOf(row) });
        else if (context.look !== undefined) kept.append(undefined);
      },
      ...(context.look === undefined ? {} : { look: context.look }),
      refused: () => (renderer === undefined ? kept.append(undefined) : renderer.skip()),
    });
    if (context.look === undefined) await checkUnchanged(spec, path, given);
    for (const warning of rows.warnings) context.warn?.(`warning: ${warning}`);
    const unused = rows.unused.filter((name) => name !== 'boxes' || renderer !== undefined);
    if (unused.length > 0 && context.look === undefined) context.warn?.(`note: ${given}: ${unusedText(unused)}`);
    await renderer?.finish();
    decoder = openDecoder(context.workers ?? DEFAULT_WORKERS);
    const source = sourceOf({ given, kept, rows, decoder, prepared, close }, spec.chat && resolved(context, spec.chat.folder));
    if (context.look === undefined) return source;
    const notes = unused.length === 0 ? [] : [unusedText(unused)];
    return { ...source, refused: (index) => kept.read(index) === undefined, looked: { total: rows.count, scanned: rows.scanned, notes } };
  } catch (error) {
    await close();
    throw error;
  } finally {
    await renderer?.close();
  }
}

interface Opened {
  given: string;
  kept: RowStore<Kept | undefined>;
  rows: Rows;
  decoder: Decoder;
  prepared: Preparation;
  close(): Promise<void>;
}

/** `tokenizer` is the folder of the one that made the ids, where the rows are conversations. */
function sourceOf({ given, kept, rows, decoder, prepared, close }: Opened, tokenizer: string | undefined): RowSource {
  const decoded = async (image: ImageRef, index: number): Promise<Decoded> => {
    try {
      return await decoder.decode(await rows.picture(image), prepared.fit);
    } catch (cause) {
      throw brokenPicture(image, rows.place(index), cause);
    }
  };
  const read = (index: number): Kept => {
    const row = kept.read(index);
    if (row === undefined) throw new RangeError(`row ${index + 1} of ${given} was refused`);
    return row;
  };
  return {
    name: given,
    count: kept.count,
    text: (index) => read(index).texts,
    place: (index) => {
      const { file, line } = rows.place(index);
      return { file, ...(line === undefined ? {} : { line }) };
    },
    row: async (index) => {
      const { texts, pictures, boxes, paths } = read(index);
      const all = paths === undefined ? (await rows.row(index)).images : paths.map((path): ImageRef => ({ path }));
      const shown = await Promise.all(pictures.map((one) => decoded(all[one], index)));
      return { ...texts, ...picturesOf(shown, prepared), ...(boxes && shown.length > 0 ? scaled(boxes, shown[0]) : {}) };
    },
    ...(tokenizer === undefined ? {} : { spell: spellerOf(tokenizer) }),
    close,
  };
}

function pathsOf({ images }: ConversationRow): Pick<Kept, 'paths'> {
  const paths = images.flatMap((image) => ('path' in image ? [image.path] : []));
  return paths.length === images.length ? { paths } : {};
}

function resolved(context: SourceContext, given: string): string {
  return context.resolve?.(given) ?? given;
}

function keptOf({ prompt, answer, chosen, rejected, extra, boxes }: PlainRow): Kept {
  const answers = answer === undefined ? { chosen, rejected } : { answer };
  return { texts: { prompt, ...answers, ...(extra === undefined ? {} : { extra }) }, pictures: [0], ...(boxes ? { boxes } : {}) };
}

/** Boxes in pixels of the prepared picture. */
function scaled(boxes: readonly Box[], { picture, stored }: Decoded): Pick<Row, 'boxes'> {
  const [across, down] = [picture.width / stored.width, picture.height / stored.height];
  return { boxes: boxes.map(({ x, y, w, h }) => ({ x: x * across, y: y * down, w: w * across, h: h * down })) };
}

/** A text that is not given where it is empty, which is its default in the language. */
function optional(spec: DataSource, name: string): string | undefined {
  const value = spec.params[name];
  return value === undefined || value === '' ? undefined : textParam(spec, name);
}

async function checkUnchanged({ content }: DataSource, path: string, given: string): Promise<void> {
  if (content === undefined) return;
  const info = await stat(path);
  if ((info.isDirectory() || info.isFile()) && contentHash(path) === content) return;
  throw dataError('R0523', `${given} has changed since the plan was compiled`, { cure: 'compile again', place: { file: given } });
}

function brokenPicture(image: ImageRef, place: RowPlace, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  const name = 'path' in image ? image.path : (image.name ?? 'the picture');
  const { file, line, row } = place;
  return dataError('R0521', `${placeOf(place)}: image: ${name} cannot be decoded (${why.split('\n')[0]})`, {
    cure: cause instanceof PivotError && cause.cure !== undefined ? cause.cure : 'replace the picture, or remove the row',
    place: { file, line, row },
    cause,
  });
}
