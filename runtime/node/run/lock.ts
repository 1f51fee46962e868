/**
 * One process at a time in a run folder. The lock is a file that names its holder by process id and, where the system tells it,
 * by the time that process started, so that another process with the same id does not pass for it. A lock whose holder is gone
 * is taken over.
 */
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { runError } from '../../core/train/errors.ts';
import { isSystemError, onFile, readJson } from './files.ts';

interface Holder {
  pid: number;
  host: string;
  /** Start of the process in the system's ticks; empty where it is not known. */
  born: string;
}

/** Seconds after which a takeover that did not end (its process was killed within it) is void. */
const TAKEOVER_SECONDS = 10;

/** Locks `out` for this process; the answer unlocks it. Throws R0601 while another process holds it. */
export async function lockFolder(out: string): Promise<() => Promise<void>> {
  const path = join(out, 'lock');
  const me: Holder = { pid: process.pid, host: hostname(), born: await bornOf(process.pid) };
  if (!(await create(path, me))) {
    await refuseLive(out, path, me);
    await takeOver(out, path, me);
  }
  return async () => {
    const holder = await readJson(path);
    if (holder?.pid === me.pid && holder.born === me.born) await rm(path, { force: true });
  };
}

/** Creates the file with its content at once, by a link, and only if there is none. */
async function create(path: string, me: Holder): Promise<boolean> {
  const own = `${path}.${me.pid}.tmp`;
  try {
    await onFile(path, () => writeFile(own, JSON.stringify(me)));
    await link(own, path);
    return true;
  } catch (error) {
    if (isSystemError(error) && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    // Where it could not be written, that is what is told.
    await rm(own, { force: true }).catch(() => undefined);
  }
}

/** Only one process may remove a stale lock, or a second would remove the lock that the first has just made. */
async function takeOver(out: string, path: string, me: Holder): Promise<void> {
  const gate = `${path}.takeover`;
  const age = await stat(gate).then(
    ({ mtimeMs }) => (Date.now() - mtimeMs) / 1000,
    () => undefined,
  );
  if (age !== undefined && age > TAKEOVER_SECONDS) await rm(gate, { force: true });
  if (!(await create(gate, me))) throw taken(out, 'another process is just taking it over');
  try {
    await refuseLive(out, path, me);
    await rm(path, { force: true });
    if (!(await create(path, me))) throw taken(out, 'another process was quicker');
  } finally {
    await rm(gate, { force: true });
  }
}

async function refuseLive(out: string, path: string, me: Holder): Promise<void> {
  const holder = await readJson(path);
  if (holder === undefined || typeof holder.pid !== 'number') return;
  if (holder.host !== me.host) {
    throw taken(
      out,
      `process ${holder.pid} on ${String(holder.host)} holds it, and from here nobody can tell whether it still runs; if it does not, remove ${path}`,
    );
  }
  if (!isAlive(holder.pid)) return;
  const born = await bornOf(holder.pid);
  if (typeof holder.born === 'string' && holder.born !== '' && born !== '' && born !== holder.born) return;
  throw taken(out, `process ${holder.pid} works in it`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isSystemError(error) && error.code === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat; the second field is a name in brackets and may hold blanks. */
async function bornOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function taken(out: string, why: string): Error {
  return runError('R0601', `the run folder ${out} is in use: ${why}`, 'wait for it, stop it, or name another folder with --out');
}
