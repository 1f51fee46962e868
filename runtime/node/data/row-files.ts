/** Which files hold the rows of a path that a user names, and how each is opened. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { dataError } from '../../core/data/codes.ts';
import { openCsv } from './containers/csv.ts';
import { openJson } from './containers/json.ts';
import { openJsonl } from './containers/jsonl.ts';
import { openParquet } from './containers/parquet.ts';
import type { Scan } from './containers/records.ts';
import type { Table } from './containers/table.ts';
import { openWebdataset } from './containers/webdataset.ts';
import { readFactoryEntry } from './layouts/dataset-info.ts';
import type { FactoryEntry } from './layouts/dataset-info.ts';
import { READ_COLUMNS } from './layouts/detect.ts';
import { columnNamed } from './layouts/imagefolder.ts';
import type { Wanted } from './layouts/layout.ts';
import { findFile } from './pictures/paths.ts';

const OPENERS: Readonly<Record<string, (path: string, name: string, scan?: Scan) => Promise<Table>>> = {
  '.jsonl': openJsonl,
  '.ndjson': openJsonl,
  '.json': openJson,
  '.csv': openCsv,
  '.parquet': (path, name) => openParquet(path, name, (column) => READ_COLUMNS.has(columnNamed(column))),
  '.tar': openWebdataset,
  '.gz': openWebdataset,
  '.tgz': openWebdataset,
};

/** Kinds of files of rows in a folder, the first that is there decides. */
const IN_FOLDERS = ['.jsonl', '.parquet', '.tar', '.csv', '.ndjson', '.json'];
const INFO = 'dataset_info.json';

export interface RowFiles {
  /** Nothing outside of it is read; free of links. */
  root: string;
  files: { path: string; name: string }[];
  factory?: FactoryEntry;
}

/**
 * The files of rows of a file or a folder; `given` is how the user named it. A folder is its `dataset_info.json`, or all files of one kind in the order of their
 * names (by code unit, so that it does not depend on the machine's language). Throws R0522, R0533.
 */
export async function findRowFiles(path: string, given: string, options: { entry?: string; wanted?: Wanted } = {}): Promise<RowFiles> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) throw missing(given, `there is no folder ${given}`);
  if (info.isFile()) {
    if (basename(path) === INFO) return factoryFiles(dirname(path), dirname(given), options);
    if (!Object.hasOwn(OPENERS, extname(path).toLowerCase())) throw missing(given, `${given} is neither a folder nor a file of rows`);
    return { root: await realpath(dirname(path)), files: [{ path, name: given }] };
  }
  if (!info.isDirectory()) throw missing(given, `${given} is not a folder`);
  const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort();
  if (names.includes(INFO)) return factoryFiles(path, given, options);
  for (const ending of IN_FOLDERS) {
    const files = names.filter((name) => name.toLowerCase().endsWith(ending));
    if (files.length === 0) continue;
    if (ending === '.json' && files.length > 1)
      throw dataError('R0533', `${given} has several JSON files: ${files.slice(0, 10).join(', ')}`, {
        cure: 'name one of them',
        place: { file: given },
      });
    const root = await realpath(path);
    return { root, files: await Promise.all(files.map((name) => fileIn(root, name, given))) };
  }
  // Hugging Face's folders keep each split in one of its own.
  if (names.includes('train')) return findRowFiles(join(path, 'train'), join(given, 'train'), options);
  throw missing(given, `there is no file of rows (${IN_FOLDERS.join(', ')}) in ${given}`);
}

/** A file of a folder; one that is a link must not lead out. */
async function fileIn(root: string, name: string, given: string): Promise<{ path: string; name: string }> {
  const found = await findFile(root, name);
  if ('fault' in found) throw missing(given, found.fault);
  return { path: found.file, name: join(given, name) };
}

/** Opens a file of rows by its ending; that of a link by the link's. A scan that is stopped leaves it partial. */
export function openTable(path: string, name: string, scan?: Scan): Promise<Table> {
  const ending = [name, path].map((one) => extname(one).toLowerCase()).find((one) => Object.hasOwn(OPENERS, one));
  if (ending === undefined) throw missing(name, `${name} is no file of rows (${Object.keys(OPENERS).join(', ')})`);
  return OPENERS[ending](path, name, scan);
}

async function factoryFiles(folder: string, given: string, { entry, wanted }: { entry?: string; wanted?: Wanted }): Promise<RowFiles> {
  const name = join(given, INFO);
  const factory = await readFactoryEntry(join(folder, INFO), name, entry, wanted);
  const root = await realpath(folder);
  const found = await findFile(root, factory.file);
  if ('fault' in found) throw missing(name, `entry ${factory.entry}: file_name: ${found.fault}`);
  if (!Object.hasOwn(OPENERS, extname(found.file).toLowerCase()))
    throw missing(name, `entry ${factory.entry}: file_name: ${factory.file} is no file of rows`);
  return { root, files: [{ path: found.file, name: join(given, factory.file) }], factory };
}

function missing(file: string, what: string): Error {
  return dataError('R0522', what, { cure: 'paths are relative to the text that names them', place: { file } });
}
