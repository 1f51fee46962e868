/**
 * Whether a path that a row gives leads to a picture: inside of the folder (links followed), there, and of a kind that is decoded. Nothing
 * outside is opened, nothing is fetched, and a path is never changed to make it fit.
 */
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep, win32 } from 'node:path';
import { plain } from '../containers/table.ts';
import { foundIn, LOOKED_AT } from '../foreign.ts';
import { kindOf } from './inspect.ts';

/** The file that a path names, or why it is not read. */
export type Found = { file: string } | { fault: string };

const LONGEST_NAME = 120;

/** Looks at pictures below a folder; each path once. */
export async function openPictures(folder: string): Promise<(path: string) => Promise<Found>> {
  const root = await realpath(folder);
  const known = new Map<string, Promise<Found>>();
  return (path) => {
    const found = known.get(path) ?? findPicture(root, path);
    known.set(path, found);
    return found;
  };
}

async function findPicture(root: string, path: string): Promise<Found> {
  const file = await findFile(root, path);
  if ('fault' in file) return file;
  const name = shown(path);
  try {
    // A pipe would wait for a writer.
    const info = await stat(file.file);
    if (!info.isFile() && !info.isDirectory()) return { fault: `${name} is no file` };
    const handle = await open(file.file, 'r');
    try {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(LOOKED_AT), 0, LOOKED_AT, 0);
      const head = buffer.subarray(0, bytesRead);
      if (kindOf(head) !== undefined) return file;
      return { fault: `${name} is neither PNG, JPEG nor WebP: expected a picture, found ${foundIn(head, info.size)}` };
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { fault: `${name} cannot be read (${codeOf(error)})` };
  }
}

/** Any file below `root`, without looking into it. `root` has no links in it. */
export async function findFile(root: string, path: string): Promise<Found> {
  const name = shown(path);
  if (path.includes('\0')) return { fault: `${name} is no path: it holds a NUL` };
  if (/^data:/i.test(path)) return { fault: `${name} is a data URL; put the picture into a file` };
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return { fault: `${name} is a URL, and nothing is fetched; put the picture into the folder` };
  // Whatever the system: rows are carried from one to another.
  if (isAbsolute(path) || win32.isAbsolute(path) || leavesBy(path) || leaves(root, join(root, path)))
    return { fault: `${name} leaves the folder` };
  let file: string;
  try {
    file = await realpath(join(root, path));
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'ENOENT') return { fault: `${name} cannot be read (${code})` };
    const near = await otherCase(join(root, path));
    return { fault: `${name} does not exist${near === undefined ? '' : `; there is ${join(dirname(path), near)}`}` };
  }
  return leaves(root, file) ? { fault: `${name} leaves the folder by a link` } : { file };
}

/** Whether steps upwards outnumber those downwards anywhere, with either separator. */
function leavesBy(path: string): boolean {
  let depth = 0;
  for (const step of path.split(/[/\\]/)) {
    if (step === '..') depth--;
    else if (step !== '' && step !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}

function leaves(root: string, path: string): boolean {
  const inside = relative(root, path);
  return inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside);
}

/** A name in the same folder that differs in case only. */
async function otherCase(path: string): Promise<string | undefined> {
  const wanted = basename(path).toLowerCase();
  const names = await readdir(dirname(path)).catch(() => []);
  return names.find((name) => name.toLowerCase() === wanted);
}

function shown(path: string): string {
  return plain(path.length > LONGEST_NAME ? `${path.slice(0, LONGEST_NAME)}...` : path);
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : String(error);
}
