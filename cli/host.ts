/** The compiler's `Host` on this machine: texts and data beside the user's text, the standard library beside our code. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Host, HostTensors } from '../compiler/host.ts';
import { PivotError } from '../plan/errors.ts';
import { hashOf } from '../plan/hash.ts';
import { contentHash } from '../runtime/node/data/content-hash.ts';
import { readCheckpoint } from '../runtime/node/safetensors/checkpoint.ts';
import { sameTensor } from '../runtime/node/safetensors/same.ts';

/** The folder that holds `stdlib`: the package's, whether we run from `dist` or from the sources. */
export function packageRoot(from = import.meta.url): string {
  let folder = dirname(fileURLToPath(from));
  while (!existsSync(join(folder, 'stdlib')) || !existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new PivotError('C0101', 'the standard library is not beside the program', { cure: 'install Pivot anew' });
    folder = parent;
  }
  return folder;
}

/** Files are known by their content, or, where a plan is not to be kept, by where they are and when they were written. */
export type Knows = 'content' | 'stamps';

/** A host for texts in `base`. */
export function nodeHost(base: string, knows: Knows = 'content'): Host {
  const stdlib = join(packageRoot(), 'stdlib');
  const real = (path: string): string =>
    path.startsWith('std:') ? join(stdlib, path.slice(4)) : isAbsolute(path) ? path : resolve(base, path);
  // A checkpoint of gigabytes is asked for once a weight.
  const hashes = new Map<string, string | undefined>();
  const hash = (path: string): string | undefined => {
    if (!hashes.has(path)) hashes.set(path, existsSync(path) ? (knows === 'content' ? contentHash(path) : stampOf(path)) : undefined);
    return hashes.get(path);
  };
  return {
    read: (path) => (isFile(real(path)) ? readFileSync(real(path), 'utf8') : undefined),
    list: (path) => (existsSync(real(path)) && statSync(real(path)).isDirectory() ? readdirSync(real(path)) : undefined),
    tensors: (path) => tensorsOf(path, real(path)),
    sameTensor: (one, other) => sameTensor({ ...one, file: real(one.file) }, { ...other, file: real(other.file) }),
    hash: (path) => hash(real(path)),
  };
}

function stampOf(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return hashOf({ path, size, mtimeMs });
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** The tensors of a file or a folder, with paths as the text has them. */
function tensorsOf(path: string, real: string): HostTensors | undefined {
  const found = readCheckpoint(real);
  return (
    found && {
      tensors: found.tensors.map((tensor) => ({ ...tensor, file: isFile(real) ? path : `${path}/${tensor.file}` })),
      warnings: found.warnings,
    }
  );
}

/** The host of a text, and the text's name in it. @throws PivotError C0103 where there is none. */
export function hostOf(file: string, knows?: Knows): { path: string; host: Host } {
  const full = resolve(file);
  if (!isFile(full)) throw new PivotError('C0103', `there is no file ${file}`, { cure: 'name a .pivot text' });
  return { path: basename(full), host: nodeHost(dirname(full), knows) };
}
