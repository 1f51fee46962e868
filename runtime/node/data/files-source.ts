/**
 * Rows of a folder: `*.jsonl` in the order of their names, pictures beside them. All rows that will be used are read and
 * checked when the source is opened, so that a fault in the last row is known before the first step; pictures are
 * decoded when their row is asked for.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from '../../../plan/plan.ts';
import { dataError } from '../../core/data/codes.ts';
import { textParam, wholeParam } from '../../core/data/params.ts';
import type { Box, Row, RowSource, SourceContext, SourceOpener } from '../../core/data/row.ts';
import { contentHash } from './content-hash.ts';
import { openDecoder } from './pictures/decode-pool.ts';
import { checkPictures } from './pictures.ts';
import { parseRows } from './rows.ts';
import type { Fault, FileRow, Form } from './rows.ts';

/** Faults that one error shows. */
const SHOWN = 10;
const DEFAULT_WORKERS = 2;

/** `files.preferences` and `files.captions`: parameters `folder` and `size` (pixels; pictures are squeezed to a square). */
export function filesSource(form: Form): SourceOpener {
  return (spec, context) => openFiles(spec, form, context);
}

async function openFiles(spec: DataSource, form: Form, context: SourceContext): Promise<RowSource> {
  const given = textParam(spec, 'folder');
  const size = wholeParam(spec, 'size');
  const folder = context.resolve?.(given) ?? given;
  const { rows, faults } = await readFolder(folder, given, form, spec.count);
  const pictures = await checkPictures(folder, rows);
  const all = [...faults, ...pictures.faults];
  if (all.length > 0) throw faultsError(given, all);
  if (spec.content !== undefined) {
    const now = contentHash(folder);
    if (now !== spec.content)
      throw dataError('R0523', `${given} has changed since the plan was compiled`, { cure: 'compile again', place: { file: given } });
  }
  const decoder = openDecoder(context.workers ?? DEFAULT_WORKERS);
  const text = (index: number): Row => {
    const { prompt, answer, chosen, rejected, extra } = rows[index];
    return { prompt, ...(form === 'captions' ? { answer } : { chosen, rejected }), ...(extra === undefined ? {} : { extra }) };
  };
  return {
    name: given,
    count: rows.length,
    text,
    place: (index) => ({ file: rows[index].file, line: rows[index].line }),
    row: async (index) => {
      const row = rows[index];
      const path = pictures.paths.get(row.picture) ?? join(folder, row.picture);
      try {
        const { picture, stored } = await decoder.decode(path, size);
        const boxes = row.boxes?.map((box) => scale(box, size / stored.width, size / stored.height));
        return { image: picture, ...text(index), ...(boxes === undefined ? {} : { boxes }) };
      } catch (cause) {
        throw brokenPicture(row, index, cause);
      }
    },
    close: () => decoder.close(),
  };
}

async function readFolder(folder: string, given: string, form: Form, limit: number): Promise<{ rows: FileRow[]; faults: Fault[] }> {
  const info = await stat(folder).catch(() => undefined);
  if (info === undefined || !info.isDirectory()) {
    throw dataError('R0522', info === undefined ? `there is no folder ${given}` : `${given} is not a folder`, {
      cure: 'paths are relative to the text that names them',
      place: { file: given },
    });
  }
  // By code unit, so that the order does not depend on the machine's language.
  const files = (await readdir(folder)).filter((name) => name.endsWith('.jsonl') && !name.startsWith('.')).sort();
  if (files.length === 0) {
    throw dataError('R0522', `there is no .jsonl file in ${given}`, {
      cure: 'put the rows there, one JSON object a line',
      place: { file: given },
    });
  }
  const rows: FileRow[] = [];
  const faults: Fault[] = [];
  let left = limit;
  for (const name of files) {
    if (left === 0) break;
    const read = parseRows(await readFile(join(folder, name), 'utf8'), join(given, name), form, left);
    rows.push(...read.rows);
    faults.push(...read.faults);
    left -= read.found;
  }
  return { rows, faults };
}

function faultsError(given: string, faults: Fault[]): Error {
  const lines = faults
    .slice(0, SHOWN)
    .map(
      ({ file, line, field, what }) =>
        `\n  ${file}${line === undefined ? '' : `:${line}`}: ${field === undefined ? '' : `${field}: `}${what}`,
    );
  const more = faults.length > SHOWN ? `\n  and ${faults.length - SHOWN} more` : '';
  const [{ file, line }] = faults;
  return dataError(
    'R0520',
    `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} in the rows of ${given}:${lines.join('')}${more}`,
    {
      cure: 'mend or remove these rows',
      place: { file, line },
    },
  );
}

function brokenPicture(row: FileRow, index: number, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return dataError('R0521', `${row.file}:${row.line}: image: ${row.picture} cannot be decoded (${why.split('\n')[0]})`, {
    cure: 'replace the picture, or remove the row',
    place: { file: row.file, line: row.line, row: index + 1 },
    cause,
  });
}

function scale({ x, y, w, h }: Box, across: number, down: number): Box {
  return { x: x * across, y: y * down, w: w * across, h: h * down };
}
