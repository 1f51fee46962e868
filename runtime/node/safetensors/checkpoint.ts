/**
 * A checkpoint as one set of tensors: a safetensors file, a folder with `model.safetensors`, or a folder with shards and
 * `model.safetensors.index.json`. Opening reads headers only; weights are read from the disk tensor by tensor.
 *
 * The index is others' text: it may name no file outside its folder, and must agree with the headers of the shards.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PivotError } from '../../../plan/errors.ts';
import { isObject, own, readJson } from '../../../plan/json.ts';
import type { JsonFile } from '../../../plan/json.ts';
import type { FileDtype } from '../../core/safetensors/convert.ts';
import { checkFinite } from '../../core/safetensors/finite.ts';
import type { Tensor } from '../../core/safetensors/format.ts';
import { openSafetensors } from './files.ts';
import type { SafetensorsFile } from './files.ts';

export interface CheckpointTensor {
  /** As the file says: `F32`, `BF16`, ... */
  dtype: FileDtype;
  shape: number[];
  /** Path of the file that holds it, where its bytes begin in it, and how many they are. */
  file: string;
  offset: number;
  bytes: number;
}

export interface Checkpoint {
  /** All tensors, in no promised order. */
  tensors: Map<string, CheckpointTensor>;
  /** What was found odd, and is no reason to refuse: sentences for the user. */
  warnings: string[];
  /** One whole tensor, F16 and BF16 as f32. Throws R0503 (no such tensor), R0502 (a type that is not computed with), R0505 (NaN, infinity). */
  read(name: string): Promise<Tensor>;
  close(): Promise<void>;
}

/** Names of the files of a checkpoint's folder. */
export const INDEX = 'model.safetensors.index.json';
export const SINGLE = 'model.safetensors';

/** Opens a safetensors file or a folder. Close it when done. @throws PivotError R0501, R0504, and R0506 where shards and index do not fit. */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  if (isFolder && !existsSync(join(path, SINGLE))) {
    if (existsSync(join(path, INDEX))) return openShards(path);
    throw new PivotError('R0504', `${path} has neither ${SINGLE} nor ${INDEX}${otherWeights(path)}`, {
      cure: 'give the folder of a checkpoint in safetensors, or convert it',
      place: { file: path },
    });
  }
  const file = isFolder ? join(path, SINGLE) : path;
  const open = await openSafetensors(file);
  return assemble(new Map([[file, open]]), new Map(open.names.map((name) => [name, file])), []);
}

function otherWeights(folder: string): string {
  const others = readdirSync(folder).filter((name) => /\.(bin|pt|pth|ckpt|h5|msgpack|gguf|safetensors)$/.test(name));
  return others.length === 0 ? '' : `; it has ${others.slice(0, 4).join(', ')}`;
}

async function openShards(folder: string): Promise<Checkpoint> {
  const path = join(folder, INDEX);
  const json = readIndex(await readFile(path), path);
  const where = weightMapOf(json);
  const files = new Map<string, SafetensorsFile>();
  try {
    const missing: string[] = [];
    for (const shard of new Set(where.values())) {
      if (existsSync(join(folder, shard))) files.set(shard, await openSafetensors(join(folder, shard)));
      else missing.push(`the shard ${shard} is not there; it should hold ${namesOf(where, shard)}`);
    }
    if (missing.length > 0) throw misfit(path, missing);
    const faults: string[] = [];
    for (const [name, shard] of where) {
      if (files.get(shard)?.names.includes(name) === true) continue;
      const other = [...files].find(([, file]) => file.names.includes(name))?.[0];
      faults.push(
        `the tensor ${name} is not in the shard ${shard}, where the index places it${other === undefined ? '' : `, but in ${other}`}`,
      );
    }
    if (faults.length > 0) throw misfit(path, faults);
    const warnings = compare(json, where, files);
    const byPath = new Map([...files].map(([shard, file]) => [join(folder, shard), file]));
    return assemble(byPath, new Map([...where].map(([name, shard]) => [name, join(folder, shard)])), warnings);
  } catch (error) {
    for (const file of files.values()) await file.close();
    throw error;
  }
}

/** The text of an index as JSON. @throws PivotError R0506 */
export function readIndex(content: Uint8Array, file: string): JsonFile {
  return readJson(content, file, { code: 'R0506', cure: 'fetch the index again' });
}

/** Names of tensors and the shard of each, which is a file beside the index. @throws PivotError R0506 with all faults at once. */
export function weightMapOf(json: JsonFile): Map<string, string> {
  const map = isObject(json.value) ? own(json.value, 'weight_map') : undefined;
  if (!isObject(map)) throw misfit(json.file, ['weight_map, which gives the shard of each tensor, is missing or not an object']);
  const faults: string[] = [];
  const where = new Map<string, string>();
  for (const [name, shard] of Object.entries(map)) {
    if (typeof shard !== 'string') faults.push(`tensor ${name}: expected a file name, found ${json.source(['weight_map', name])}`);
    else if (!isPlainName(shard)) faults.push(`tensor ${name}: expected the name of a file beside the index, found ${shard}`);
    else where.set(name, shard);
  }
  if (faults.length > 0) throw misfit(json.file, faults);
  if (where.size === 0) throw misfit(json.file, ['weight_map names no tensor']);
  return where;
}

/** A file of this very folder on every system: no path, no drive, no address, nothing that a system would cut off. */
function isPlainName(name: string): boolean {
  return !/[/\\:\u0000-\u001f]/.test(name) && name.endsWith('.safetensors') && basename(name) === name;
}

function compare(json: JsonFile, where: Map<string, string>, files: Map<string, SafetensorsFile>): string[] {
  const warnings: string[] = [];
  let bytes = 0;
  for (const [shard, file] of files) {
    for (const name of file.names) {
      const { begin, end } = file.info(name);
      if (where.get(name) === shard) bytes += end - begin;
      else if (where.has(name)) warnings.push(`the tensor ${name} stands in the shard ${shard} too; that of ${where.get(name)} is read`);
      else warnings.push(`the shard ${shard} holds the tensor ${name}, which ${json.file} does not list; it is not read`);
    }
  }
  const metadata = isObject(json.value) ? own(json.value, 'metadata') : undefined;
  const total = isObject(metadata) ? own(metadata, 'total_size') : undefined;
  if (warnings.length === 0 && total !== undefined && total !== bytes) {
    warnings.push(
      `metadata.total_size of ${json.file}: expected ${bytes}, the bytes of all tensors, found ${json.source(['metadata', 'total_size'])}`,
    );
  }
  return warnings;
}

function assemble(files: Map<string, SafetensorsFile>, where: Map<string, string>, warnings: string[]): Checkpoint {
  const fileOf = (name: string): SafetensorsFile => {
    const path = where.get(name) ?? [...files.keys()][0];
    const file = files.get(path);
    if (file === undefined) throw new Error(`${path} is not open`);
    return file;
  };
  const tensors = new Map<string, CheckpointTensor>();
  for (const [name, file] of where) {
    const { fileDtype, shape, begin, end } = fileOf(name).info(name);
    tensors.set(name, { dtype: fileDtype, shape, file, offset: begin, bytes: end - begin });
  }
  return {
    tensors,
    warnings,
    read: async (name) => {
      const tensor = await fileOf(name).read(name);
      checkFinite(tensor, tensors.get(name)?.file ?? name);
      return tensor;
    },
    close: async () => {
      for (const file of files.values()) await file.close();
    },
  };
}

function namesOf(where: Map<string, string>, shard: string): string {
  const names = [...where].filter(([, file]) => file === shard).map(([name]) => name);
  return names.slice(0, 8).join(', ') + (names.length > 8 ? `, and ${names.length - 8} more` : '');
}

function misfit(file: string, faults: string[]): PivotError {
  const shown = faults.slice(0, 10).concat(faults.length > 10 ? [`and ${faults.length - 10} more`] : []);
  return new PivotError('R0506', `${file} does not fit its shards: ${shown.join('; ')}`, {
    cure: 'fetch the checkpoint again, with all its files',
    place: { file },
  });
}
