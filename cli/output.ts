/** What the command line prints, and what becomes of it where nobody takes it any more. */
import { visible } from '../plan/visible.ts';

/** A line, or several, to standard output; control characters of others' texts as escapes. */
export function print(text: string): void {
  process.stdout.write(`${visible(text)}\n`);
}

/** Errors of a reader that has gone: a closed pipe, a terminal that was closed. */
const GONE = new Set(['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED']);

/**
 * Standard output that cannot be written is told once, on standard error, and no stack. A reader that has gone (`pivot show F | head`)
 * ends a command in silence; with `goesOn` the command goes on without an audience, since its results are in files.
 */
export function guardOutput(goesOn: boolean): void {
  let told = false;
  const failed = (error: NodeJS.ErrnoException): void => {
    const gone = GONE.has(error.code ?? '');
    if (!gone && !told) process.stderr.write(`standard output cannot be written: ${error.message}\n`);
    told = true;
    if (!goesOn) process.exit(gone ? 0 : 1);
  };
  process.stdout.on('error', failed);
  // There is nowhere left to tell it.
  process.stderr.on('error', () => undefined);
}
