/**
 * A checkpoint as one set of tensors: a safetensors file, a folder with `model.safetensors`, or a folder with shards and
 * `model.safetensors.index.json`. Only headers are read here; weights are read from the disk tensor by tensor.
 *
 * The index is others' text: it may name no file outside its folder, and must agree with the headers of the shards.
 */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { PivotError } from '../../../plan/errors.ts';
import { isObject, own, readJson } from '../../../plan/json.ts';
import type { JsonFile } from '../../../plan/json.ts';
import type { FileDtype } from '../../core/safetensors/convert.ts';
import { FIRST_BYTES, headerLength, parseHeader } from '../../core/safetensors/format.ts';
import type { Tensor, TensorInfo } from '../../core/safetensors/format.ts';
import { openSafetensors } from './files.ts';

export interface CheckpointTensor {
  name: string;
  /** As the file says: `F32`, `BF16`, ... */
  dtype: FileDtype;
  shape: number[];
  /** Name of the file that holds it. */
  file: string;
}

export interface Checkpoint {
  /** All tensors, in no promised order. */
  tensors: CheckpointTensor[];
  /** What was found odd, and is no reason to refuse: sentences for the user. */
  warnings: string[];
}

type Headers = ReadonlyMap<string, ReadonlyMap<string, TensorInfo>>;

/** Names of the files of a checkpoint's folder. */
const INDEX = 'model.safetensors.index.json';
const SINGLE = 'model.safetensors';

/**
 * The tensors of a safetensors file or of a folder; undefined where there is no such file, or none in the folder.
 * @throws PivotError R0501, and R0506 where shards and index do not fit.
 */
export function readCheckpoint(path: string): Checkpoint | undefined {
  if (isFile(path)) return { tensors: tensorsOf(new Map([[basename(path), readHeader(path)]])), warnings: [] };
  if (isFile(join(path, SINGLE))) return { tensors: tensorsOf(new Map([[SINGLE, readHeader(join(path, SINGLE))]])), warnings: [] };
  return isFile(join(path, INDEX)) ? readShards(path) : undefined;
}

/** One whole tensor of a file, or `count` rows of it from row `from` on, F16 and BF16 as f32. @throws PivotError R0503 (no such tensor), R0502 (a type that is not computed with). */
export async function readWeight(path: string, name: string, rows?: [from: number, count: number]): Promise<Tensor> {
  const file = await openSafetensors(path);
  try {
    return rows === undefined ? await file.read(name) : await file.readRows(name, ...rows);
  } finally {
    await file.close();
  }
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** The header of a safetensors file, without its data. */
export function readHeader(path: string): ReadonlyMap<string, TensorInfo> {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const first = new Uint8Array(FIRST_BYTES);
    const length = headerLength(first.subarray(0, readSync(file, first, 0, FIRST_BYTES, 0)), size, path);
    const json = new Uint8Array(length);
    readSync(file, json, 0, length, 8);
    return parseHeader(json, size, path).tensors;
  } finally {
    closeSync(file);
  }
}

/** Those of each file that are read from it. */
function tensorsOf(headers: Headers, isRead: (name: string, file: string) => boolean = () => true): CheckpointTensor[] {
  return [...headers].flatMap(([file, tensors]) =>
    [...tensors.values()].flatMap(({ name, fileDtype, shape }) => (isRead(name, file) ? [{ name, dtype: fileDtype, shape, file }] : [])),
  );
}

function readShards(folder: string): Checkpoint {
  const path = join(folder, INDEX);
  const json = readIndex(readFileSync(path), path);
  const where = weightMapOf(json);
  const headers = new Map<string, ReadonlyMap<string, TensorInfo>>();
  const missing: string[] = [];
  for (const shard of new Set(where.values())) {
    if (isFile(join(folder, shard))) headers.set(shard, readHeader(join(folder, shard)));
    else missing.push(`the shard ${shard} is not there; it should hold ${namesOf(where, shard)}`);
  }
  if (missing.length > 0) throw misfit(path, missing);
  const faults: string[] = [];
  for (const [name, shard] of where) {
    if (headers.get(shard)?.has(name) === true) continue;
    const other = [...headers].find(([, tensors]) => tensors.has(name))?.[0];
    faults.push(
      `the tensor ${name} is not in the shard ${shard}, where the index places it${other === undefined ? '' : `, but in ${other}`}`,
    );
  }
  if (faults.length > 0) throw misfit(path, faults);
  return { tensors: tensorsOf(headers, (name, shard) => where.get(name) === shard), warnings: compare(json, where, headers) };
}

/** The text of an index as JSON. @throws PivotError R0506 */
function readIndex(content: Uint8Array, file: string): JsonFile {
  return readJson(content, file, { code: 'R0506', cure: 'fetch the index again' });
}

/** Names of tensors and the shard of each, which is a file beside the index. @throws PivotError R0506 with all faults at once. */
function weightMapOf(json: JsonFile): Map<string, string> {
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

function compare(json: JsonFile, where: ReadonlyMap<string, string>, headers: Headers): string[] {
  const warnings: string[] = [];
  let bytes = 0;
  for (const [shard, tensors] of headers) {
    for (const { name, begin, end } of tensors.values()) {
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
