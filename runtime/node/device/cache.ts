/**
 * The user's cache of what the install carries compressed: drivers, and the browser of the tests. Each is unpacked once into a folder
 * named by its version, and moved there in one step, so that several processes may start at once.
 */
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deviceError } from '../../core/device/errors.ts';
import { messageOf } from '../../core/device/info.ts';

/**
 * The cache's folder `name`, which holds `files` (paths relative to it). Where one of them is missing, all are taken from what `read`
 * returns (path to content) and the folder is written anew. Throws R0105.
 */
export function unpackOnce(
  name: string,
  files: readonly string[],
  read: () => ReadonlyMap<string, Uint8Array | string>,
  env: NodeJS.ProcessEnv = process.env,
): string {
  const folder = join(cacheRoot(env), name);
  const whole = (): boolean => files.every((file) => existsSync(join(folder, file)));
  if (whole()) return folder;
  let temporary: string | undefined;
  try {
    const contents = read();
    temporary = mkdtempSync(`${folder}.new-`);
    for (const file of files) {
      const content = contents.get(file);
      if (content === undefined) throw new Error(`${file} is not in the package`);
      mkdirSync(dirname(join(temporary, file)), { recursive: true });
      writeFileSync(join(temporary, file), content, { mode: 0o700 });
    }
    // What may be there is incomplete (a cleaned cache), since a complete one would have been used.
    if (existsSync(folder) && !whole()) rmSync(folder, { recursive: true, force: true });
    try {
      renameSync(temporary, folder);
    } catch (cause) {
      // Another process was first; its copy is as good as ours.
      if (!whole()) throw cause;
    }
  } catch (cause) {
    throw deviceError(
      'R0105',
      `${name} could not be unpacked into ${folder}: ${messageOf(cause)}`,
      'free some disk space, or set XDG_CACHE_HOME to a folder that you may write.',
      cause,
    );
  } finally {
    if (temporary) rmSync(temporary, { recursive: true, force: true });
  }
  return folder;
}

/** `$XDG_CACHE_HOME/pivot`, else `~/.cache/pivot`, else a folder of this user among the temporary files: the first that can be written. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  const user = process.getuid?.() ?? 'user';
  const home = env.HOME || safeHome();
  const places = [env.XDG_CACHE_HOME, home && join(home, '.cache')].flatMap((base) => (base ? [join(base, 'pivot')] : []));
  const tried: string[] = [];
  for (const place of [...places, join(tmpdir(), `pivot-${user}`)]) {
    try {
      // Private to the user: what lies here is loaded as code.
      makeFolder(place);
      accessSync(place, constants.W_OK | constants.X_OK);
      if (process.getuid && statSync(place).uid !== process.getuid()) throw new Error(`${place} belongs to another user`);
      return place;
    } catch (cause) {
      tried.push(messageOf(cause));
    }
  }
  throw deviceError(
    'R0105',
    `no folder for the cache can be written: ${tried.join('; ')}`,
    'set XDG_CACHE_HOME to a folder that you may write.',
  );
}

/** As `mkdir -p`. Node's own recursive form never returns where a file system answers ENOENT below a folder that exists (/proc). */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have been first.
    if (!existsSync(folder)) throw error;
  }
}

function safeHome(): string | undefined {
  try {
    return homedir();
  } catch {
    // A user without an entry in the system's list of users has no home.
    return undefined;
  }
}
