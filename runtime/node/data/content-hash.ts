/**
 * The hash by which a plan knows its files. Of a file: SHA-256 of its content. Of a folder: of the relative names, sizes
 * and content hashes of all files below it, in the order of their names; files that begin with a dot are passed over,
 * and a link counts with what it names, not with what stands there.
 */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { joinHashes } from '../../../plan/checkpoint-files.ts';
import { dataError } from '../../core/data/codes.ts';

/** Hexadecimal digits of a hash: 128 bits, as everywhere in a plan. */
const DIGITS = 32;
const CHUNK = 1 << 20;

/** Hash of a file or a folder, read in pieces. Throws the system's error where it cannot be read. */
export function contentHash(path: string): string {
  if (!statSync(path).isDirectory()) return hashFile(path);
  const hash = createHash('sha256');
  for (const name of filesBelow(path, '')) {
    const full = join(path, name);
    const info = lstatSync(full);
    const content = info.isSymbolicLink() ? `-> ${readlinkSync(full)}` : hashFile(full);
    hash.update(`${JSON.stringify(name)} ${info.size} ${content}\n`);
  }
  return hash.digest('hex').slice(0, DIGITS);
}

/** Throws R0523 where files of a folder are not those of a plan, R0504 where there is no such folder. */
export function checkFiles(folder: string, files: readonly string[], hash: string, what = 'the tokenizer'): void {
  if (!existsSync(folder)) {
    throw dataError('R0504', `there is no folder ${folder}`, {
      cure: "bring it back; where only the plan is at hand, name the folder of the text's files with --base",
      place: { file: folder },
    });
  }
  const found = joinHashes(files, (file) => (existsSync(join(folder, file)) ? contentHash(join(folder, file)) : undefined));
  if (found === hash) return;
  throw dataError('R0523', `${what} in ${folder} has changed since the plan was compiled`, {
    cure: 'compile again',
    place: { file: folder },
  });
}

function hashFile(path: string): string {
  const hash = createHash('sha256');
  const chunk = new Uint8Array(CHUNK);
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const length = readSync(file, chunk, 0, CHUNK, null);
      if (length === 0) break;
      hash.update(chunk.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
  return hash.digest('hex').slice(0, DIGITS);
}

/** Names of all files and links below a folder, with `/` between them, sorted by code unit. */
function filesBelow(folder: string, prefix: string): string[] {
  const names: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) names.push(...filesBelow(join(folder, entry.name), `${prefix}${entry.name}/`));
    else if (entry.isFile() || entry.isSymbolicLink()) names.push(prefix + entry.name);
  }
  return prefix === '' ? names.sort() : names;
}
