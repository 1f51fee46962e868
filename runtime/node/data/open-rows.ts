/**
 * Rows of any layout, in the normal form and by index. Opening detects the layout and reads every row once, so that a fault in the last one
 * is known before the first step; nothing of that pass is kept here. Pictures are looked at then (whether they are there, and
 * their headers where their bytes are at hand) and decoded by others, when their row is used.
 */
import { join } from 'node:path';
import type { ConversationRow, ImageRef, RowFault, RowPlace } from '../../core/data/conversation.ts';
import type { Look } from '../../core/data/row.ts';
import { dataError } from '../../core/data/codes.ts';
import { PivotError } from '../../../plan/errors.ts';
import { Scan } from './containers/records.ts';
import type { Fields, Table } from './containers/table.ts';
import { Notes } from './faults.ts';
import { assemble, readOf } from './layouts/assemble.ts';
import { checkColumns, detect } from './layouts/detect.ts';
import type { Detected } from './layouts/detect.ts';
import { withPictureNames, columnNamed } from './layouts/imagefolder.ts';
import type { Complain, LayoutName, Picture, Wanted } from './layouts/layout.ts';
import { inspectPicture } from './pictures/inspect.ts';
import { openPictures } from './pictures/paths.ts';
import { findRowFiles, openTable } from './row-files.ts';

export interface RowsOptions {
  /** Pairs of answers, or conversations to imitate; by default what the rows are. */
  wanted?: Wanted;
  /** By default detected from the first rows. */
  layout?: LayoutName;
  /** An entry of `dataset_info.json`. */
  entry?: string;
  /** Folder that paths of pictures are relative to, itself relative to that of the rows. */
  images?: string;
  /** Rows that are checked and counted, from the first on. */
  limit?: number;
  /** Sees each checked row, in order, and may complain about it. Where one is `faulty`, this or an earlier one, opening will fail. */
  visit?(row: ConversationRow, index: number, complain: (field: string, what: string) => undefined, faulty: boolean): void | Promise<void>;
  /** With it faults do not end the opening; `refused` is told of rows that are not visited. */
  look?: Look;
  refused?(index: number): void;
}

export interface Rows {
  layout: LayoutName;
  wanted: Wanted;
  /** The entry of `dataset_info.json` that was read. */
  entry?: string;
  count: number;
  /** With a look: the files were scanned to their end. */
  scanned: boolean;
  warnings: string[];
  /** Columns that the rows have and that are not used. */
  unused: string[];
  /** Row groups of all Parquet files. */
  rowGroups?: number;
  /** A row in the normal form; its bytes are read from the file now. */
  row(index: number): Promise<ConversationRow>;
  place(index: number): RowPlace;
  /** The file of a picture, inside of the folder, or its bytes. Throws R0520 where there is no such file. */
  picture(ref: ImageRef): Promise<string | Uint8Array>;
  close(): Promise<void>;
}

/** Faults after which no more rows are read: then it is not single rows that are wrong. */
const MOST_FAULTS = 1000;

/** Names of columns that are kept to tell which are not used: rows of hostile files have as many as they please. */
const MOST_COLUMNS = 1000;

/** Rows that are looked at to detect the layout. */
const FIRST = 100;

/**
 * Opens rows at `path`, a file or a folder, which the user calls `given`. Throws R0520 with the faults of rows, R0522 where there are none, R0532
 * for damaged files, R0533 where the layout is unknown.
 */
export async function openRows(path: string, given: string, options: RowsOptions = {}): Promise<Rows> {
  const { root, files, factory } = await findRowFiles(path, given, options);
  const tables: Table[] = [];
  const close = async (): Promise<void> => {
    for (const table of tables) await table.close();
  };
  try {
    const scan = new Scan(options.look && (() => options.look?.more() === true));
    for (const file of files) if (tables.length === 0 || scan.goesOn()) tables.push(await openTable(file.path, file.name, scan));
    const detected = factory ?? (await layoutOf(tables[0], options));
    for (const table of tables) if (table.columns !== undefined) checkColumns(renamed(table.columns), detected, table.name);
    const starts = tables.map((_, i) => tables.slice(0, i).reduce((sum, { count }) => sum + count, 0));
    const all = tables.reduce((sum, { count }) => sum + count, 0);
    const reader = new RowReader(tables, starts, detected, await pictureFinder(root, detected, options));
    const count = Math.min(all, options.limit ?? all);
    const warnings = await checkRows(reader, count, given, options);
    for (const table of tables) table.forget?.();
    const groups = tables.flatMap((table) => ('groups' in table && typeof table.groups === 'number' ? [table.groups] : []));
    return {
      layout: detected.layout.name,
      wanted: detected.wanted,
      ...(factory === undefined ? {} : { entry: factory.entry }),
      ...(groups.length === 0 ? {} : { rowGroups: groups.reduce((sum, n) => sum + n, 0) }),
      count: all,
      scanned: !scan.stopped,
      warnings,
      unused: reader.unused(),
      row: async (index) => {
        const faults = new Notes();
        const row = await reader.read(index, (fault) => faults.add(fault));
        faults.throwAny(given);
        if (row === undefined) throw dataError('R0520', `row ${index + 1} of ${given} cannot be read`, { cure: 'mend the row' });
        return row.row;
      },
      place: (index) => reader.place(index),
      picture: (ref) => reader.picture(ref),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Finder = Awaited<ReturnType<typeof openPictures>>;

async function pictureFinder(root: string, { layout }: Detected, { images }: RowsOptions): Promise<Finder> {
  const find = await openPictures(root);
  if (images !== undefined) return (path) => find(join(images, path));
  if (layout.name !== 'llava') return find;
  // LLaVA's names are relative to a folder of pictures that the file does not name.
  return async (path) => {
    const beside = await find(path);
    if ('file' in beside) return beside;
    const below = await find(join('images', path));
    return 'file' in below ? below : beside;
  };
}

async function layoutOf(table: Table, { wanted, layout }: RowsOptions): Promise<Detected> {
  const columns = new Set<string>(table.columns === undefined ? [] : renamed(table.columns).keys());
  const faults = new Notes();
  let readable = 0;
  for (let i = 0; i < Math.min(table.count, FIRST) && table.columns === undefined; i++) {
    const read = await table.read(i);
    if ('fields' in read) {
      readable++;
      for (const name of Object.keys(withPictureNames(read.fields))) columns.add(name);
    } else faults.add({ place: table.place(i), ...read });
  }
  if (readable === 0) faults.throwAny(table.name);
  return detect(columns, table.name, wanted, layout);
}

function renamed(columns: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...columns].map(([name, type]) => [columnNamed(name), type]));
}

/** Reads the first `count` rows; throws R0520 with their faults. Gives the warnings. */
async function checkRows(reader: RowReader, count: number, given: string, { visit, look, refused }: RowsOptions): Promise<string[]> {
  const [faults, warnings] = [new Notes(), new Notes()];
  let some = 0;
  const add = (fault: RowFault): void => {
    some++;
    if (look === undefined) faults.add(fault);
    else look.fault(fault);
  };
  const enough = (): boolean => some >= MOST_FAULTS;
  for (let index = 0; index < count && !enough() && look?.more(index, count) !== false; index++) {
    const before = some;
    faults.row();
    const read = await reader.read(index, add, (warning) => warnings.add(warning));
    if (read !== undefined) {
      const { row, pictures } = read;
      const complain = (field: string, what: string): undefined => {
        add({ place: row.place, field, what });
        return undefined;
      };
      for (const picture of pictures) await reader.check(picture, complain);
      // With a look, a row is at fault by itself.
      if (look === undefined || some === before) {
        await visit?.(row, index, complain, look === undefined && some > 0);
        continue;
      }
    }
    refused?.(index);
  }
  faults.throwAny(given, enough());
  return warnings.lines();
}

class RowReader {
  private readonly tables: readonly Table[];
  private readonly starts: readonly number[];
  private readonly detected: Detected;
  private readonly find: Finder;
  /** Columns that rows have, and those that were used. */
  private readonly seen = new Set<string>();
  private readonly used = new Set<string>();

  constructor(tables: readonly Table[], starts: readonly number[], detected: Detected, find: Finder) {
    this.tables = tables;
    this.starts = starts;
    this.detected = detected;
    this.find = find;
  }

  /** A row and its pictures, or undefined after faults. */
  async read(
    index: number,
    fault: (fault: RowFault) => void,
    warn: (warning: RowFault) => void = () => undefined,
  ): Promise<{ row: ConversationRow; pictures: Picture[] } | undefined> {
    const [table, at] = this.tableOf(index);
    const place = this.place(index);
    const read = await table.read(at);
    if (!('fields' in read)) {
      fault({ place, ...read });
      return undefined;
    }
    const fields: Fields = withPictureNames(read.fields);
    const complain: Complain = (field, what, missing) => {
      fault({ place, field, what, ...(missing === undefined ? {} : { missing }) });
      return undefined;
    };
    const draft = this.detected.layout.read(fields, this.detected.wanted, complain);
    if (draft === undefined) return undefined;
    if (this.seen.size < MOST_COLUMNS) for (const name of Object.keys(fields)) this.seen.add(name);
    for (const name of readOf(draft)) this.used.add(name);
    const row = assemble(draft, fields, place, complain, (field, what) => warn({ place, field, what }));
    return row && { row, pictures: [...draft.images, ...(draft.rejectedImages ?? [])] };
  }

  /** Columns of the rows that were read, and of tables, that nothing was made of. */
  unused(): string[] {
    const tables = this.tables.flatMap(({ columns }) => (columns === undefined ? [] : [...renamed(columns).keys()]));
    return [...new Set([...this.seen, ...tables])].filter((name) => !this.used.has(name));
  }

  place(index: number): RowPlace {
    const [table, at] = this.tableOf(index);
    return table.place(at);
  }

  /** Whether a picture is there and, of bytes, whether its headers are sound. */
  async check({ ref, field }: Picture, complain: (field: string, what: string) => undefined): Promise<void> {
    if ('path' in ref) {
      const found = await this.find(ref.path);
      if ('fault' in found) complain(field, found.fault);
      return;
    }
    try {
      inspectPicture(ref.bytes);
    } catch (error) {
      if (!(error instanceof PivotError)) throw error;
      complain(field, `${ref.name === undefined ? '' : `${ref.name}: `}${error.message}`);
    }
  }

  async picture(ref: ImageRef): Promise<string | Uint8Array> {
    if ('bytes' in ref) return ref.bytes;
    const found = await this.find(ref.path);
    if ('fault' in found) throw dataError('R0520', found.fault, { cure: 'put the picture there, or remove its row' });
    return found.file;
  }

  private tableOf(index: number): [Table, number] {
    let part = this.starts.length - 1;
    while (this.starts[part] > index) part--;
    return [this.tables[part], index - this.starts[part]];
  }
}
