/** The compiler's `Host` on this machine: texts and data beside the user's text, the standard library beside our code. */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Host } from '../compiler/host.ts';
import { PivotError } from '../plan/errors.ts';
import { FIRST_BYTES, headerLength, parseHeader } from '../runtime/core/safetensors/format.ts';
import { contentHash } from '../runtime/node/data/content-hash.ts';
import { INDEX, readIndex, SINGLE, weightMapOf } from '../runtime/node/safetensors/checkpoint.ts';

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

/** A host for texts in `base`. */
export function nodeHost(base: string): Host {
  const stdlib = join(packageRoot(), 'stdlib');
  const real = (path: string): string =>
    path.startsWith('std:') ? join(stdlib, path.slice(4)) : isAbsolute(path) ? path : resolve(base, path);
  // A checkpoint of gigabytes is asked for once a weight.
  const hashes = new Map<string, string | undefined>();
  const hash = (path: string): string | undefined => {
    if (!hashes.has(path)) hashes.set(path, existsSync(path) ? contentHash(path) : undefined);
    return hashes.get(path);
  };
  return {
    read: (path) => (isFile(real(path)) ? readFileSync(real(path), 'utf8') : undefined),
    list: (path) => (existsSync(real(path)) && statSync(real(path)).isDirectory() ? readdirSync(real(path)) : undefined),
    tensors: (path) => (isFile(real(path)) ? readHeader(real(path)) : readFolder(real(path))),
    hash: (path) => hash(real(path)),
  };
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** The headers of a checkpoint's folder, in one file or in shards; undefined where it is none. */
function readFolder(folder: string): ReturnType<typeof readHeader> | undefined {
  if (isFile(join(folder, SINGLE))) return readHeader(join(folder, SINGLE));
  const index = join(folder, INDEX);
  if (!isFile(index)) return undefined;
  const where = weightMapOf(readIndex(readFileSync(index), index));
  return [...new Set(where.values())].flatMap((shard) => {
    if (!isFile(join(folder, shard))) {
      throw new PivotError('R0506', `${index} names the shard ${shard}, which is not there`, {
        cure: 'fetch the checkpoint again, with all its files',
      });
    }
    return readHeader(join(folder, shard)).filter(({ name }) => where.get(name) === shard);
  });
}

/** The header of a safetensors file, without its data. */
function readHeader(path: string): { name: string; dtype: string; shape: number[] }[] {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const first = new Uint8Array(FIRST_BYTES);
    const length = headerLength(first.subarray(0, readSync(file, first, 0, FIRST_BYTES, 0)), size, path);
    const json = new Uint8Array(length);
    readSync(file, json, 0, length, 8);
    return [...parseHeader(json, size, path).tensors.values()].map(({ name, fileDtype, shape }) => ({ name, dtype: fileDtype, shape }));
  } finally {
    closeSync(file);
  }
}

/** The host of a text, and the text's name in it. @throws PivotError C0103 where there is none. */
export function hostOf(file: string): { path: string; host: Host } {
  const full = resolve(file);
  if (!isFile(full)) throw new PivotError('C0103', `there is no file ${file}`, { cure: 'name a .pivot text' });
  return { path: basename(full), host: nodeHost(dirname(full)) };
}
