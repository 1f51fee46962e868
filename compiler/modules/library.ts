/**
 * What the standard library declares, for the `use` line that a text lacks. Names are read by a pattern and not by the parser: only texts with a
 * fault ask, and they ask for one name.
 */
import type { Host } from '../host.ts';

/** Folders whose declarations texts name. The layers of checkpoints are reached through `pretrained`. */
const HIDDEN = ['pretrained'];

const DECLARATION = /^(?:composite )?(?:layer|loss|schedule|optimizer|source|probe|record|tokenizer) +(\w+)/gm;

/** The path by which `use` brings a name in (`std.optim.adamw`), or nothing where the standard library has no such name. */
export function libraryPathOf(host: Host, name: string): string | undefined {
  for (const folder of folders(host)) {
    const files = (host.list(`std:${folder}`) ?? []).filter((file) => file.endsWith('.pivot')).sort();
    const found = files.find((file) => file === `${name}.pivot`) ?? files.find((file) => declares(host, `std:${folder}/${file}`, name));
    if (found !== undefined) return `std.${folder}.${name}`;
  }
  return undefined;
}

function declares(host: Host, path: string, name: string): boolean {
  return [...(host.read(path) ?? '').matchAll(DECLARATION)].some((match) => match[1] === name);
}

function folders(host: Host): string[] {
  return (host.list('std:') ?? []).filter((name) => !name.includes('.') && !HIDDEN.includes(name)).sort();
}
