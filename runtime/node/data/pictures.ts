/**
 * Whether the pictures that rows name can be read: inside the folder (links followed), there, and of a kind that is
 * decoded. Only the first bytes are looked at; a picture that is broken further on shows when its row is read.
 */
import { open, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { kindOf } from './pictures/inspect.ts';
import type { Fault, FileRow } from './rows.ts';

/** Files looked at at once. */
const AT_ONCE = 16;

/** Resolved paths by the paths that rows give, and a fault for each row whose picture cannot be read. */
export async function checkPictures(folder: string, rows: readonly FileRow[]): Promise<{ paths: Map<string, string>; faults: Fault[] }> {
  const root = await realpath(folder);
  const paths = new Map<string, string>();
  const wrong = new Map<string, string>();
  const names = [...new Set(rows.map((row) => row.picture))];
  for (let start = 0; start < names.length; start += AT_ONCE) {
    await Promise.all(
      names.slice(start, start + AT_ONCE).map(async (name) => {
        const result = await checkPicture(root, name);
        if ('fault' in result) wrong.set(name, result.fault);
        else paths.set(name, result.path);
      }),
    );
  }
  const faults = rows.flatMap(({ file, line, picture }) => {
    const what = wrong.get(picture);
    return what === undefined ? [] : [{ file, line, field: 'image', what: `${picture} ${what}` }];
  });
  return { paths, faults };
}

async function checkPicture(root: string, name: string): Promise<{ path: string } | { fault: string }> {
  if (isAbsolute(name) || leaves(root, join(root, name))) return { fault: 'leaves the folder' };
  let path: string;
  try {
    path = await realpath(join(root, name));
  } catch (error) {
    return { fault: codeOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${codeOf(error)})` };
  }
  if (leaves(root, path)) return { fault: 'leaves the folder by a link' };
  try {
    const handle = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(12), 0, 12, 0);
      return kindOf(buffer.subarray(0, bytesRead)) === undefined ? { fault: 'is neither PNG, JPEG nor WebP' } : { path };
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { fault: `cannot be read (${codeOf(error)})` };
  }
}

function leaves(root: string, path: string): boolean {
  const inside = relative(root, path);
  return inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside);
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : String(error);
}
