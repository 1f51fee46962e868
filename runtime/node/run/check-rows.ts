/**
 * Looks at the rows that the tasks of a plan read, without a device: everything that a run would refuse, gathered by data, each fault with file
 * and row. All rows are read and all pictures decoded, or as many as there is time for.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { PivotError } from '../../../plan/errors.ts';
import { hashOf } from '../../../plan/hash.ts';
import type { DataSource, Plan, Tokenizer } from '../../../plan/plan.ts';
import { dataError } from '../../core/data/codes.ts';
import { unfitRows } from '../../core/data/fit.ts';
import { openSource } from '../../core/data/row.ts';
import type { Look, RowSource } from '../../core/data/row.ts';
import type { Log } from '../../core/log.ts';
import { Notes } from '../data/faults.ts';
import { NODE_SOURCES } from '../data/sources.ts';
import { rowsReadBy } from './read-rows.ts';
import type { ReadRows } from './read-rows.ts';

export interface CheckRowsOptions {
  /** Folder of the text: paths of the plan are relative to it. */
  base: string;
  /** Milliseconds for all data. Without it everything is read. */
  within?: number;
  log: Log;
  /** Milliseconds on a clock that only goes forward. */
  now?(): number;
}

/** What was found about one source of data. */
export interface RowsReport {
  /** As the text names its files. */
  name: string;
  /** What is wrong, with several rows at once. */
  error?: PivotError;
  notes: string[];
  /** Rows that the text reads. */
  count: number;
  /** Rows of these that were read, and of which all pictures were decoded. */
  read: number;
  decoded: number;
}

/** Rows that are read even where that takes longer. */
const FEWEST = 16;
/** Part of the time for rows; what is left of it is for pictures. */
const FOR_TEXTS = 0.6;
/** Rows whose pictures are decoded at once. */
const ABREAST = 8;

/** Data of files; what Pivot generates has no rows of the user's. */
export async function checkRows(plan: Plan, options: CheckRowsOptions): Promise<RowsReport[]> {
  const now = options.now ?? (() => performance.now());
  const end = options.within === undefined ? Infinity : now() + options.within;
  const all = filesOf(rowsReadBy(plan.tasks));
  const reports: RowsReport[] = [];
  for (const [i, { data, uses }] of all.entries()) {
    const begin = now();
    const share = (end - begin) / (all.length - i);
    const clock = { now, texts: begin + share * FOR_TEXTS, pictures: begin + share };
    reports.push(await new Checker(data, options, clock).check(uses, plan.tokenizers));
  }
  options.log.progress(undefined);
  return reports;
}

type Use = Pick<ReadRows, 'collate' | 'prompts'>;

/** Each source of files once, with all that is read of it; those of mixes one by one. */
function filesOf(reads: readonly ReadRows[]): { data: DataSource; uses: Use[] }[] {
  const found = new Map<string, { data: DataSource; uses: Map<string, Use> }>();
  const add = (given: DataSource, use: Use): void => {
    if (given.mix !== undefined && given.mix.length > 0) return given.mix.forEach((part) => add(part, use));
    if (given.content === undefined) return;
    const { exchanged: _, ...data } = given;
    const key = hashOf(data);
    const entry = found.get(key) ?? { data, uses: new Map<string, Use>() };
    entry.uses.set(hashOf(use), use);
    found.set(key, entry);
  };
  for (const { data, collate, prompts } of reads) add(data, { collate, prompts });
  return [...found.values()].map(({ data, uses }) => ({ data, uses: [...uses.values()] }));
}

interface Clock {
  now(): number;
  /** When no more texts, and no more pictures, are begun. */
  texts: number;
  pictures: number;
}

class Checker {
  private readonly data: DataSource;
  private readonly options: CheckRowsOptions;
  private readonly clock: Clock;
  private readonly name: string;
  private readonly faults = new Notes();
  private readonly notes: string[] = [];
  /** Of rows that do not fit, and of pictures, a sentence each that names the row; several uses of a row may have the same to say. */
  private readonly unfit = new Set<string>();

  constructor(data: DataSource, options: CheckRowsOptions, clock: Clock) {
    this.data = data;
    this.options = options;
    this.clock = clock;
    this.name = String(data.params.folder ?? data.source);
  }

  async check(uses: readonly Use[], tokenizers: Readonly<Record<string, Tokenizer>>): Promise<RowsReport> {
    const report: RowsReport = { name: this.name, notes: this.notes, count: this.data.count, read: 0, decoded: 0 };
    let source: RowSource | undefined;
    try {
      source = await this.open();
      report.read = source.count;
      this.notes.push(...(source.looked?.notes ?? []));
      for (const { collate, prompts } of uses) this.fit(source, collate, tokenizers[this.data.tokenizer ?? ''], prompts);
      report.decoded = await this.decode(source);
    } catch (error) {
      if (!(error instanceof PivotError)) throw error;
      report.error = error;
    } finally {
      await source?.close?.();
    }
    const told = this.told();
    return told === undefined ? report : { ...report, error: told };
  }

  private open(): Promise<RowSource> {
    const begin = this.clock.now();
    const look: Look = {
      more: (done, total) => {
        if (done !== undefined && total !== undefined) this.progress('reading', done, total, begin);
        return (done !== undefined && done < FEWEST) || this.clock.now() < this.clock.texts;
      },
      fault: (fault) => this.faults.add(fault),
    };
    return openSource(this.data, {
      openers: NODE_SOURCES,
      resolve: (path) => resolve(this.options.base, path),
      workers: Math.min(4, availableParallelism() - 1),
      warn: (text) => this.notes.push(text),
      look,
    });
  }

  private fit(source: RowSource, collate: Use['collate'], tokenizer: Tokenizer | undefined, prompts: boolean): void {
    for (const { message } of unfitRows(source, collate, tokenizer, prompts)) this.unfit.add(message);
  }

  /** Decodes pictures until time is up; how many rows are done. A broken picture is a fault and ends nothing. */
  private async decode(source: RowSource): Promise<number> {
    const begin = this.clock.now();
    let done = 0;
    while (done < source.count && (done === 0 || this.clock.now() < this.clock.pictures)) {
      const rows = Array.from({ length: Math.min(ABREAST, source.count - done) }, (_, i) => done + i);
      await Promise.all(rows.filter((index) => source.refused?.(index) !== true).map((index) => this.decodeRow(source, index)));
      done += rows.length;
      this.progress('decoding pictures', done, source.count, begin);
    }
    return done;
  }

  private async decodeRow(source: RowSource, index: number): Promise<void> {
    try {
      await source.row(index);
    } catch (error) {
      if (!(error instanceof PivotError)) throw error;
      this.unfit.add(error.message);
    }
  }

  /** Everything that was found, in one error. */
  private told(): PivotError | undefined {
    const others = [...this.unfit];
    const count = this.faults.count + others.length;
    if (count === 0) return undefined;
    const lines = [
      ...this.faults.lines(),
      ...others.slice(0, SHOWN),
      ...(others.length > SHOWN ? [`and ${others.length - SHOWN} more`] : []),
    ];
    return dataError(
      'R0520',
      `${count} ${count === 1 ? 'fault' : 'faults'} in the rows of ${this.name}:${lines.map((line) => `\n  ${line}`).join('')}`,
      {
        cure: 'mend or remove these rows, or raise what the text declares',
      },
    );
  }

  private progress(doing: string, done: number, total: number, begin: number): void {
    const seconds = (this.clock.now() - begin) / 1000;
    const rate = seconds > 0 && done > 0 ? done / seconds : undefined;
    const known = rate === undefined || this.options.within !== undefined ? {} : { rate, remaining: (total - done) / rate };
    this.options.log.progress({ task: this.name, doing, done, total, unit: 'rows', ...known });
  }
}

/** Rows of a kind that are told. */
const SHOWN = 10;

/** What was read, in a sentence; undefined where that is all. `command` reads everything. */
export function unreadText({ name, count, read, decoded, error }: RowsReport, command: string): string | undefined {
  const number = (n: number): string => n.toLocaleString('en-US');
  // What could not be opened is told already.
  if ((read >= count && decoded >= count) || (read === 0 && error !== undefined)) return undefined;
  const rows = read >= count ? `read all ${number(count)} rows` : `looked at ${number(read)} of ${number(count)} rows`;
  const pictures = decoded >= read ? '' : `, and at the pictures of ${number(decoded)}`;
  return `${rows} of ${name}${pictures}; \`${command}\` reads all`;
}
