/**
 * Rows that are known but not in use: records in a scratch file of the folder for temporary files, and in memory the place where each of
 * them ends. Sources check all their rows when they are opened, and a step asks for any of them; what was made of a row on opening waits here,
 * so that memory does not grow with the texts. Where the folder for temporary files is itself kept in memory, `TMPDIR` names another one.
 *
 * Nobody else can open the file: where the system allows it, its name is removed as soon as it is open, so that it vanishes with the process,
 * however that ends. Elsewhere it is removed when the store is closed.
 */
import { closeSync, openSync, readSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { dataError } from '../../core/data/codes.ts';

/** Bytes that are written at once. */
const PIECE = 2 ** 20;

/** Records are what structured clones hold: what is read is equal to what was appended, types of arrays included, and is the reader's own. */
export class RowStore<T> {
  private readonly folder: string;
  private readonly path: string;
  private readonly file: number;
  private named = true;
  private open = true;
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private written = 0;
  private ends = new Float64Array(1024);
  private appended = 0;

  /** Throws R0526 where no file can be made. */
  constructor(folder = tmpdir()) {
    this.folder = folder;
    this.path = join(folder, `pivot-rows-${process.pid}-${randomBytes(8).toString('hex')}`);
    this.file = this.attempt(() => openSync(this.path, 'wx+', 0o600));
    try {
      unlinkSync(this.path);
      this.named = false;
    } catch {
      // Some systems do not part an open file from its name.
    }
  }

  get count(): number {
    return this.appended;
  }

  /** Throws R0526 where the disk is full. */
  append(record: T): void {
    const bytes = serialize(record);
    if (this.appended === this.ends.length) {
      const grown = new Float64Array(2 * this.appended);
      grown.set(this.ends);
      this.ends = grown;
    }
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    this.ends[this.appended++] = this.written + this.waitingBytes;
    if (this.waitingBytes >= PIECE) this.write();
  }

  /** Record `index`, in the order in which they were appended. */
  read(index: number): T {
    // Its number may be another file's by now.
    if (!this.open) throw new Error('the store of these rows is closed');
    if (!(index >= 0 && index < this.appended)) throw new RangeError(`record ${index} of ${this.appended}`);
    this.write();
    const begin = index === 0 ? 0 : this.ends[index - 1];
    // Views into these bytes may be parts of the record: no other record shares them.
    const bytes = new Uint8Array(this.ends[index] - begin);
    for (let at = 0; at < bytes.length;) {
      const read = this.attempt(() => readSync(this.file, bytes, at, bytes.length - at, begin + at));
      if (read === 0) throw this.failed(new Error('it became shorter'));
      at += read;
    }
    return deserialize(bytes) as T;
  }

  /** Lets go of the file; nothing can be read any more. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    this.waiting = [];
    closeSync(this.file);
    if (this.named) rmSync(this.path, { force: true });
  }

  private write(): void {
    if (this.waitingBytes === 0) return;
    const bytes = Buffer.concat(this.waiting, this.waitingBytes);
    for (let at = 0; at < bytes.length;) at += this.attempt(() => writeSync(this.file, bytes, at, bytes.length - at, this.written + at));
    this.written += bytes.length;
    this.waiting = [];
    this.waitingBytes = 0;
  }

  private attempt<R>(work: () => R): R {
    try {
      return work();
    } catch (cause) {
      throw this.failed(cause);
    }
  }

  private failed(cause: unknown): Error {
    const why = cause instanceof Error ? cause.message : String(cause);
    return dataError('R0526', `rows cannot be kept in a file in ${this.folder} (${why})`, {
      cure: 'make room there, or name another folder in TMPDIR',
      place: { file: this.folder },
      cause,
    });
  }
}
