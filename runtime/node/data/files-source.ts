/**
 * Rows of files, in every layout that `open-rows.ts` reads. All rows that will be used are read and checked when the source is opened, so that
 * a fault in the last row is known before the first step; their texts are kept, their pictures are decoded when they are asked for.
 */
import { stat } from 'node:fs/promises';
import { PivotError } from '../../../plan/errors.ts';
import type { DataSource } from '../../../plan/plan.ts';
import { dataError } from '../../core/data/codes.ts';
import type { ImageRef, RowPlace } from '../../core/data/conversation.ts';
import { choiceParam, textParam, wholeParam } from '../../core/data/params.ts';
import type { Box, Row, RowSource, SourceContext, SourceOpener } from '../../core/data/row.ts';
import { contentHash } from './content-hash.ts';
import { placeOf } from './faults.ts';
import { LAYOUT_NAMES } from './layouts/detect.ts';
import { openRows } from './open-rows.ts';
import { openDecoder } from './pictures/decode-pool.ts';
import { plainRow } from './plain-rows.ts';
import type { Form, PlainRow } from './plain-rows.ts';

const DEFAULT_WORKERS = 2;

/**
 * `files.preferences` and `files.captions`: parameters `folder` (or a file of rows) and `size` (pixels; pictures are squeezed to a square); where they are not to
 * be found out, `layout`, `entry` (of `dataset_info.json`) and `images` (the folder that paths of pictures are relative to).
 */
export function filesSource(form: Form): SourceOpener {
  return (spec, context) => openFiles(spec, form, context);
}

async function openFiles(spec: DataSource, form: Form, context: SourceContext): Promise<RowSource> {
  const given = textParam(spec, 'folder');
  const size = wholeParam(spec, 'size');
  const path = context.resolve?.(given) ?? given;
  const layout = choiceParam(spec, 'layout', ['', ...LAYOUT_NAMES], '');
  const [entry, images] = [optional(spec, 'entry'), optional(spec, 'images')];
  const texts: PlainRow[] = [];
  const rows = await openRows(path, given, {
    wanted: form === 'preferences' ? 'preferences' : 'supervised',
    ...(layout === '' ? {} : { layout }),
    ...(entry === undefined ? {} : { entry }),
    ...(images === undefined ? {} : { images }),
    limit: spec.count,
    visit: (row, index, complain) => {
      const text = plainRow(row, form, complain);
      if (text !== undefined) texts[index] = text;
    },
  });
  try {
    await checkUnchanged(spec, path, given);
  } catch (error) {
    await rows.close();
    throw error;
  }
  for (const warning of rows.warnings) context.warn?.(`warning: ${warning}`);
  const decoder = openDecoder(context.workers ?? DEFAULT_WORKERS);
  const text = (index: number): Row => {
    const { prompt, answer, chosen, rejected, extra } = texts[index];
    return { prompt, ...(form === 'captions' ? { answer } : { chosen, rejected }), ...(extra === undefined ? {} : { extra }) };
  };
  return {
    name: given,
    count: texts.length,
    text,
    place: (index) => {
      const { file, line } = rows.place(index);
      return { file, ...(line === undefined ? {} : { line }) };
    },
    row: async (index) => {
      const [image] = (await rows.row(index)).images;
      try {
        const { picture, stored } = await decoder.decode(await rows.picture(image), size);
        const boxes = texts[index].boxes?.map((box) => scale(box, size / stored.width, size / stored.height));
        return { image: picture, ...text(index), ...(boxes === undefined ? {} : { boxes }) };
      } catch (cause) {
        throw brokenPicture(image, rows.place(index), cause);
      }
    },
    close: async () => {
      await decoder.close();
      await rows.close();
    },
  };
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

function scale({ x, y, w, h }: Box, across: number, down: number): Box {
  return { x: x * across, y: y * down, w: w * across, h: h * down };
}
