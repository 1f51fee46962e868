/**
 * Dawn writes to the standard error of the process itself. Two of its warnings come with every adapter of a software driver and say
 * nothing that a user could act on; they are left out, and what else is written meanwhile is passed on.
 *
 * Node cannot duplicate a file descriptor, so this takes the descriptor away for the time of one call and opens the same terminal or pipe
 * again by its name in /proc. Where that would not give back the same (a socket, a file whose position others share), all is left as it is.
 */
import { closeSync, constants, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isatty } from 'node:tty';

const STDERR = 2;
const IDLE =
  /^Warning: maxDynamic\w+BuffersPerPipelineLayout artificially reduced from \d+ to \d+ to fit dynamic offset allocation limit\.$/;

/** What `call` returns, without Dawn's idle warnings. `call` has to write before it returns; nothing else may open files meanwhile. */
export function withoutIdleWarnings<T>(call: () => T): T {
  const flags = flagsToReopen();
  if (flags === undefined) return call();
  const folder = mkdtempSync(join(tmpdir(), 'pivot-stderr-'));
  const file = join(folder, 'stderr');
  try {
    // Holds the pipe open, or its reader would see the end of it.
    const held = openSync(`/proc/self/fd/${STDERR}`, flags);
    closeSync(STDERR);
    // The lowest descriptor that is free is the one that was just closed.
    const taken = openSync(file, 'w');
    try {
      return call();
    } finally {
      closeSync(taken);
      openSync(`/proc/self/fd/${held}`, flags);
      closeSync(held);
      const lines = readFileSync(file, 'utf8').split('\n');
      const told = lines.filter((line) => !IDLE.test(line)).join('\n');
      if (told !== '') process.stderr.write(told);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How to open standard error once more so that writing there goes on as before; undefined where that cannot be. */
function flagsToReopen(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const kind = fstatSync(STDERR);
    if (isatty(STDERR)) return constants.O_WRONLY | constants.O_NOCTTY;
    if (!kind.isFIFO()) return undefined;
    // Without a reader this fails at once, where an ordinary opening would wait for one.
    closeSync(openSync(`/proc/self/fd/${STDERR}`, constants.O_WRONLY | constants.O_NONBLOCK));
    return constants.O_WRONLY;
  } catch {
    return undefined;
  }
}
