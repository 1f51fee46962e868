/**
 * Data, from a plan's `DataSource` to batches. A source gives rows by index, each a pure function of the source and
 * the index (`row.ts`); the order says which rows make up a step (`order.ts`); collation turns rows into the inputs of
 * a program (`collate.ts`); the feed does all this ahead of the device (`feed.ts`).
 *
 * Sources are looked up by name in a table that the caller passes, so that this room holds those that need no files
 * (`sources.ts`) and `runtime/node/data` adds those that do.
 */
import type { DataSource } from '../../../plan/plan.ts';
import type { Tensor } from '../safetensors/format.ts';
import { dataError } from './codes.ts';
import type { RowFault } from './conversation.ts';
import { exchangedPairs, seedOfRows } from './exchange.ts';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** 8-bit RGB, interleaved: `rgb` is [height, width, 3], top row first. */
export interface Picture {
  width: number;
  height: number;
  rgb: Uint8Array;
}

/** In pixels of the row's picture; x and y are the left upper corner. */
export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** A conversation as token ids. Answers end as the template ends them. */
export interface TokenIds {
  /** An image token stands once for each picture. */
  prompt: readonly number[];
  answer?: readonly number[];
  chosen?: readonly number[];
  rejected?: readonly number[];
  /** 1 where a token of `answer` is learnt; all are where it is absent. */
  learnt?: Uint8Array;
  /** Where the last of several answers begins in `answer`: what stands before it is asked with the prompt. */
  last?: number;
  /** The id that stands at image tokens. */
  image: number;
}

/** One row. A source fills what it has; a layout takes what it needs and says what is missing. */
export interface Row {
  image?: Picture;
  /** Pictures as the encoder's own processor made them, one after the other, each [3, size, size]; they stand for `image`. */
  pixels?: Float32Array;
  /** Texts as a chat template and its tokenizer made them; they stand for the texts. */
  ids?: TokenIds;
  prompt?: string;
  answer?: string;
  chosen?: string;
  rejected?: string;
  label?: number;
  /** Class of each patch, row by row. */
  patchLabels?: Uint8Array;
  /** The objects that the answer speaks of, or that the two answers differ about. */
  boxes?: Box[];
  /** What never reaches the device. */
  extra?: Record<string, Json>;
  /** Recorded tensors of this row, each with a leading dimension of 1. */
  tensors?: Map<string, Tensor>;
}

export interface RowSource {
  /** How rows of it are named in messages: `scenes.captions(train)`, `pairs/rows.jsonl`. */
  name: string;
  count: number;
  row(index: number): Row | Promise<Row>;
  /** The row without its picture, where that is cheaper; for scans over all rows. */
  text?(index: number): Row;
  /** Where a row stands in the user's files; tables and archives have no lines. */
  place?(index: number): { file: string; line?: number };
  /** How the tokenizer writes each of these ids, for rows with `ids`. */
  spell?(ids: readonly number[]): Promise<string[]>;
  /** Whether a row was refused; only where rows are looked at (`Look`), since a run is not begun with such a row. */
  refused?(index: number): boolean;
  /** What a look has seen: `count` rows of these. */
  looked?: Looked;
  /** Lets go of files and threads. */
  close?(): Promise<void>;
}

export interface Looked {
  /** Rows of the files, as far as these were scanned. */
  total: number;
  /** Whether the files were scanned to their end. */
  scanned: boolean;
  /** What is of no consequence, such as columns that are not used. */
  notes: string[];
}

/**
 * A look at rows without a run (`pivot check`): faults are gathered and the rows behind them are read all the same, and it may end before the
 * last row. Files are not compared with the hashes of a plan.
 */
export interface Look {
  /** Whether to go on. Asked before each row with the number of rows that are done, and while files are scanned. */
  more(done?: number, total?: number): boolean;
  fault(fault: RowFault): void;
}

export interface SourceContext {
  /** Turns a path of the text into one that can be opened. Absent where there are no files. */
  resolve?(path: string): string;
  /** Threads that decode pictures; 0 decodes in the calling thread. The rows are the same either way. */
  workers?: number;
  /** The folder of a finished task's results, where a run is under way. */
  results?(task: string): string;
  /** Told what the user should know of rows that are read all the same, a line each. */
  warn?(text: string): void;
  look?: Look;
  openers: Record<string, SourceOpener>;
}

export type SourceOpener = (spec: DataSource, context: SourceContext) => RowSource | Promise<RowSource>;

/**
 * Opens a source of a plan, or the rows of several in turn where it is a mix. Throws R0511 for an unknown name and
 * R0513 where there are fewer rows than the plan counts; of more rows only the first `count` are given.
 */
export async function openSource(spec: DataSource, context: SourceContext): Promise<RowSource> {
  const source = spec.mix !== undefined && spec.mix.length > 0 ? await openMix(spec, spec.mix, context) : await openOne(spec, context);
  return spec.exchanged === undefined ? source : exchangedPairs(source, spec.exchanged, seedOfRows(spec));
}

async function openOne(spec: DataSource, context: SourceContext): Promise<RowSource> {
  const open = Object.hasOwn(context.openers, spec.source) ? context.openers[spec.source] : undefined;
  if (open === undefined) {
    throw dataError('R0511', `there is no data source ${spec.source} here`, {
      cure: `this runtime has ${Object.keys(context.openers).sort().join(', ')}`,
    });
  }
  const source = await open(spec, context);
  // How many rows a task made is known when it is done; the plan has a bound.
  if (spec.task !== undefined && source.count <= spec.count) return source;
  if (source.looked !== undefined && (!source.looked.scanned || source.looked.total >= spec.count)) return source;
  if (source.count < spec.count) {
    await source.close?.();
    throw dataError('R0513', `${source.name} has ${source.looked?.total ?? source.count} rows, and the text counts ${spec.count}`, {
      cure: `set count to ${source.looked?.total ?? source.count}, or add rows`,
    });
  }
  return source.count === spec.count ? source : { ...source, count: spec.count };
}

async function openMix(spec: DataSource, parts: DataSource[], context: SourceContext): Promise<RowSource> {
  const sources: RowSource[] = [];
  try {
    for (const part of parts) sources.push(await openSource(part, context));
  } catch (error) {
    for (const source of sources) await source.close?.();
    throw error;
  }
  const starts: number[] = [];
  let count = 0;
  for (const source of sources) {
    starts.push(count);
    count += source.count;
  }
  const find = (index: number): [RowSource, number] => {
    let part = starts.length - 1;
    while (starts[part] > index) part--;
    return [sources[part], index - starts[part]];
  };
  const mix: RowSource = {
    name: `mix of ${sources.map((s) => s.name).join(', ')}`,
    count,
    row: (index) => {
      const [source, at] = find(index);
      return source.row(at);
    },
    close: async () => {
      for (const source of sources) await source.close?.();
    },
  };
  if (sources.every((s) => s.place !== undefined)) {
    mix.place = (index) => {
      const [source, at] = find(index);
      return source.place?.(at) ?? { file: source.name, line: 0 };
    };
  }
  if (sources.every((s) => s.text !== undefined)) {
    mix.text = (index) => {
      const [source, at] = find(index);
      return source.text?.(at) ?? {};
    };
  }
  const spell = sources.find((s) => s.spell !== undefined)?.spell;
  if (spell !== undefined) mix.spell = spell;
  if (count !== spec.count)
    throw dataError('R0513', `the mix has ${count} rows, and the plan counts ${spec.count}`, { cure: 'compile the text again' });
  return mix;
}
