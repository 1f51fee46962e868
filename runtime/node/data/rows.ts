/**
 * Rows of JSON lines. In comes the text of a file, out come rows with their picture's path, and all faults that can be
 * told without opening a picture. Paths are checked by `pictures.ts`.
 */
import type { Box, Json } from '../../core/data/row.ts';
import { isObject, readAnswer, readPrompt, splitImplicit } from './messages.ts';
import type { Read } from './messages.ts';

export interface FileRow {
  file: string;
  line: number;
  /** As the row gives it, relative to the folder. */
  picture: string;
  prompt: string;
  answer?: string;
  chosen?: string;
  rejected?: string;
  /** In pixels of the picture as stored. */
  boxes?: Box[];
  extra?: Record<string, Json>;
}

export interface Fault {
  file: string;
  line?: number;
  /** The column, where it is about one. */
  field?: string;
  what: string;
}

export type Form = 'preferences' | 'captions';

const READ = new Set(['image', 'images', 'prompt', 'chosen', 'rejected', 'answer', 'completion', 'messages', 'boxes']);

/** Reads at most `limit` rows, faulty ones counted (`found`); blank lines are passed over. Line numbers count from 1. */
export function parseRows(text: string, file: string, form: Form, limit: number): { rows: FileRow[]; faults: Fault[]; found: number } {
  const rows: FileRow[] = [];
  const faults: Fault[] = [];
  let found = 0;
  // Only \n ends a line: other separators, such as U+2028, may stand inside of a JSON text.
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  for (const [i, line] of lines.entries()) {
    if (found >= limit) break;
    if (line.trim() === '') continue;
    found++;
    const fault = (field: string | undefined, what: string): undefined => {
      faults.push({ file, line: i + 1, field, what });
      return undefined;
    };
    let value: Json;
    try {
      value = JSON.parse(line) as Json;
    } catch (error) {
      fault(undefined, `not valid JSON (${error instanceof Error ? error.message : String(error)})`);
      continue;
    }
    if (!isObject(value)) {
      fault(undefined, 'not a JSON object');
      continue;
    }
    const row = readRow(value, form, fault);
    if (row !== undefined) rows.push({ file, line: i + 1, ...row });
  }
  return { rows, faults, found };
}

type Complain = (field: string | undefined, what: string) => undefined;

function readRow(value: Record<string, Json>, form: Form, fault: Complain): Omit<FileRow, 'file' | 'line'> | undefined {
  const picture = readPicturePath(value, fault);
  const texts = form === 'preferences' ? preferenceTexts(value, fault) : captionTexts(value, fault);
  const boxes = value.boxes === undefined ? [] : readBoxes(value.boxes, fault);
  if (picture === undefined || texts === undefined || boxes === undefined) return undefined;
  const rest = Object.entries(value).filter(([key]) => !READ.has(key));
  return {
    picture,
    ...texts,
    ...(value.boxes === undefined ? {} : { boxes }),
    ...(rest.length === 0 ? {} : { extra: Object.fromEntries(rest) }),
  };
}

function preferenceTexts(value: Record<string, Json>, fault: Complain): { prompt: string; chosen: string; rejected: string } | undefined {
  const columns = value.prompt === undefined ? { ...value, ...splitImplicit(value.chosen, value.rejected) } : value;
  const prompt = column(columns, 'prompt', readPrompt, fault);
  const chosen = column(columns, 'chosen', readAnswer, fault);
  const rejected = column(columns, 'rejected', readAnswer, fault);
  return prompt === undefined || chosen === undefined || rejected === undefined ? undefined : { prompt, chosen, rejected };
}

function captionTexts(value: Record<string, Json>, fault: Complain): { prompt: string; answer: string } | undefined {
  const { messages } = value;
  const columns: Record<string, Json> = Array.isArray(messages)
    ? { ...value, prompt: messages.slice(0, -1), answer: messages.slice(-1) }
    : value;
  const prompt = column(columns, 'prompt', readPrompt, fault);
  const answer = column(
    columns,
    columns.answer === undefined && columns.completion !== undefined ? 'completion' : 'answer',
    readAnswer,
    fault,
  );
  return prompt === undefined || answer === undefined ? undefined : { prompt, answer };
}

function column(value: Record<string, Json>, name: string, read: (value: Json) => Read, fault: Complain): string | undefined {
  if (value[name] === undefined) return fault(name, `there is no such column; the row has ${Object.keys(value).join(', ') || 'none'}`);
  const result = read(value[name]);
  return 'fault' in result ? fault(name, result.fault) : result.text;
}

function readPicturePath(value: Record<string, Json>, fault: Complain): string | undefined {
  const field = value.image !== undefined ? 'image' : 'images';
  if (value.image !== undefined && value.images !== undefined)
    return fault('image', 'there is `images` as well; one of them names the picture');
  const given = value[field];
  if (given === undefined) return fault('image', `there is no such column; the row has ${Object.keys(value).join(', ') || 'none'}`);
  const list = Array.isArray(given) ? given : given === null ? [] : [given];
  if (list.length !== 1) return fault(field, `${list.length} pictures; a row has one`);
  const [path] = list;
  return typeof path === 'string' && path !== '' ? path : fault(field, 'must be the path of a picture');
}

function readBoxes(value: Json, fault: Complain): Box[] | undefined {
  const boxes: Box[] = [];
  for (const box of Array.isArray(value) ? value : [value]) {
    if (!isObject(box)) return fault('boxes', 'must be a list of {x, y, w, h} in pixels');
    const { x, y, w, h } = box;
    if (typeof x !== 'number' || typeof y !== 'number' || typeof w !== 'number' || typeof h !== 'number')
      return fault('boxes', 'must be a list of {x, y, w, h} in pixels');
    boxes.push({ x, y, w, h });
  }
  return boxes;
}
