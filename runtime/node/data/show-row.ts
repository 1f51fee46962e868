/** One row as it was read, for people, and as a checkpoint sees it: the normal form and the tokens, in lines or as a page with the pictures. */
import { basename } from 'node:path';
import type { ConversationRow, ImageRef, Message } from '../../core/data/conversation.ts';
import { dataError } from '../../core/data/codes.ts';
import { geometry } from '../../core/data/preprocess/preprocess.ts';
import type { Picture } from '../../core/data/row.ts';
import { markup } from '../report/html.ts';
import type { Markup } from '../report/html.ts';
import { page } from '../report/page.ts';
import { encodePng } from './export-rows.ts';
import { placeOf } from './faults.ts';
import { unusedText } from './layouts/unused.ts';
import { openRows } from './open-rows.ts';
import type { Rows, RowsOptions } from './open-rows.ts';
import { decodeBytes, decodeFile } from './pictures/decode.ts';
import type { Seen } from './show-seen.ts';
import { tokenSections, tokensText } from './show-tokens.ts';

export interface ShownPicture {
  /** As the row names it. */
  name: string;
  /** Decoded, and turned by EXIF. */
  picture: Picture;
}

export interface ShownRow {
  given: string;
  /** From 1. */
  number: number;
  count: number;
  layout: string;
  row: ConversationRow;
  images: ShownPicture[];
  rejectedImages: ShownPicture[];
  warnings: string[];
  /** Columns that are not used. */
  unused: string[];
}

/** Reads row `number`, from 1, of a file or folder, and its pictures. Throws as `openRows` does, R0513 where there is no such row, R0521 for a broken picture. */
export async function showRow(path: string, given: string, number: number, options: RowsOptions = {}): Promise<ShownRow> {
  // Rows behind the one that is asked for are not looked at.
  const rows = await openRows(path, given, { ...options, limit: number });
  try {
    if (!Number.isInteger(number) || number < 1 || number > rows.count)
      throw dataError('R0513', `${given} has ${rows.count} rows, and row ${number} is asked for`, { cure: `ask for 1 to ${rows.count}` });
    const row = await rows.row(number - 1);
    const shown = (refs: readonly ImageRef[]): Promise<ShownPicture[]> => Promise.all(refs.map((ref) => pictureOf(rows, ref)));
    const [images, rejectedImages] = [await shown(row.images), await shown(row.rejectedImages ?? [])];
    const { count, layout, warnings, unused } = rows;
    return { given, number, count, layout, row, images, rejectedImages, warnings, unused };
  } finally {
    await rows.close();
  }
}

async function pictureOf(rows: Rows, ref: ImageRef): Promise<ShownPicture> {
  const from = await rows.picture(ref);
  const { picture } = await (typeof from === 'string' ? decodeFile(from) : decodeBytes(from));
  return { name: 'path' in ref ? ref.path : (ref.name ?? `${ref.bytes.length} bytes`), picture };
}

/** The conversations of a row by their names, those that it has. */
function conversationsOf({ prompt, chosen, rejected, messages }: ConversationRow): [string, Message[]][] {
  return Object.entries({ prompt, chosen, rejected, messages }).filter((entry): entry is [string, Message[]] => entry[1] !== undefined);
}

/** No checkpoint looks at the row. */
const NOBODY: Seen = { notes: [] };

/** The row in lines of text. Texts are quoted as JSON, so that blanks and control characters show. */
export function rowText(
  { number, count, layout, row, images, rejectedImages, warnings, unused }: ShownRow,
  { tokens, notes }: Seen = NOBODY,
): string {
  const lines = [`${placeOf(row.place)}: row ${number} of ${count}, layout ${layout}`];
  const picture = (name: string, list: readonly ShownPicture[]): void =>
    list.forEach((one, i) => lines.push(`${name} ${i}: ${one.name}, ${one.picture.width} x ${one.picture.height}`));
  picture('image', images);
  picture('rejected image', rejectedImages);
  for (const [name, messages] of conversationsOf(row)) {
    lines.push(`${name}:`);
    for (const message of messages) {
      const parts = message.content.map((part) => (part.type === 'image' ? `[image ${part.index}]` : JSON.stringify(part.text)));
      lines.push(`  ${message.role}: ${[...parts, ...besideContent(message)].join(' ')}`);
    }
  }
  if (row.tools !== undefined) lines.push(`tools: ${JSON.stringify(row.tools)}`);
  if (row.conversational === false) lines.push('plain texts: no chat template is applied');
  if (tokens !== undefined) lines.push(...tokensText(tokens));
  const told = unused.length === 0 ? [] : [`note: ${unusedText(unused)}`];
  return [...lines, ...[...warnings, ...notes].map((warning) => `warning: ${warning}`), ...told].join('\n');
}

/** A page of the row; pictures as the processor makes them before their bytes become numbers, or as they are. One file, nothing from elsewhere. */
export async function rowPage(shown: ShownRow, { pictures: prepared, tokens, refusal, notes }: Seen = NOBODY): Promise<string> {
  const { number, count, given, layout, row, images, rejectedImages, warnings, unused } = shown;
  const recipe = prepared?.recipe;
  const pictures = await Promise.all(
    [...images, ...rejectedImages].map(async ({ name, picture }) => {
      const seen = recipe === undefined ? picture : geometry(picture, recipe);
      const source = `data:image/png;base64,${Buffer.from(await encodePng(seen)).toString('base64')}`;
      const size = `${picture.width} x ${picture.height}${recipe === undefined ? '' : `, seen as ${seen.width} x ${seen.height}`}`;
      return markup`<figure><img src="${source}" alt="${name}" width="${seen.width}" height="${seen.height}"><figcaption>${name}: ${size}</figcaption></figure>`;
    }),
  );
  const told = unused.length === 0 ? [] : [unusedText(unused)];
  const status = [
    ...warnings,
    ...notes,
    ...told,
    ...(refusal === undefined ? [] : [`The row has no tokens: ${refusal.message} (${refusal.code})`]),
  ];
  return page({
    title: `Row ${number} of ${basename(given)}`,
    about: '',
    meta: [placeOf(row.place), `${count} rows`, `layout ${layout}`, ...(row.conversational === false ? ['no chat template'] : [])],
    ...(status.length === 0 ? {} : { status: status.join('; ') }),
    sections: [
      { title: 'Pictures', body: pictures.length === 0 ? markup`<p>none</p>` : [preparedBy(prepared), pictures] },
      ...conversationsOf(row).map(([title, messages]) => ({ title, body: messages.map(messageOf) })),
      ...(tokens === undefined ? [] : tokenSections(tokens)),
    ],
  });
}

/** What a message says beside its content: `tool_calls=[...]`, `(not learnt)`. */
function besideContent({ more, learn }: Message): string[] {
  const said = Object.entries(more ?? {}).map(([key, value]) => `${JSON.stringify(key).slice(1, -1)}=${JSON.stringify(value)}`);
  return [...said, ...(learn === false ? ['(not learnt)'] : [])];
}

function preparedBy(prepared: Seen['pictures']): Markup {
  return prepared === undefined
    ? markup`<p class="legend">As they are stored.</p>`
    : markup`<p class="legend">As ${prepared.recipe.as} of ${prepared.folder} preprocesses them, before their bytes become numbers.</p>`;
}

function messageOf(message: Message): Markup {
  const beside = besideContent(message).map((text) => markup` <i>${text}</i>`);
  return markup`<p><b>${message.role}</b>: ${message.content.map((part) => (part.type === 'image' ? markup`<i>image ${part.index}</i> ` : part.text))}${beside}</p>`;
}
