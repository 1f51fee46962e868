/**
 * safetensors: a u64 little-endian length, a JSON header of that length, then the bytes of the tensors without gaps
 * (https://github.com/huggingface/safetensors, "Format"). In come bytes, out come tensors, and back. Files, partial
 * reads and atomic writes belong to `runtime/node/safetensors`.
 *
 * The header is checked as strictly as the reference implementation does, since an offset that is off by one shows
 * up as a model that is merely worse. Numbers are little-endian, as on every machine that a WebGPU device runs on.
 */
import type { StoredDtype, TypedArrayOf } from '../../../plan/dtypes.ts';
import { elements } from '../../../plan/dtypes.ts';
import { disguiseOf } from '../../../plan/disguise.ts';
import { PivotError } from '../../../plan/errors.ts';
import { isObject, kindOf, own, readJson } from '../../../plan/json.ts';
import type { Json, JsonFile } from '../../../plan/json.ts';
import { readableTypes, STORED_BYTES, toStored } from './convert.ts';
import type { FileDtype } from './convert.ts';

export interface Tensor {
  name: string;
  dtype: StoredDtype;
  shape: number[];
  data: TypedArrayOf;
}

export interface TensorInfo {
  name: string;
  /** As the file says: `F32`, `BF16`, ... */
  fileDtype: FileDtype;
  shape: number[];
  /** Bytes from the start of the file. */
  begin: number;
  end: number;
}

export interface Header {
  metadata: Record<string, string>;
  tensors: Map<string, TensorInfo>;
}

/** The limit of the reference implementation; a longer header is a broken length. */
const MAX_HEADER = 100_000_000;

/** How much of a file's beginning `headerLength` likes to see, so that it can say what the file is instead. */
export const FIRST_BYTES = 512;

/** Length of the header in bytes, from the first bytes (8 at least, `FIRST_BYTES` at best) of a file of `size` bytes. */
export function headerLength(first: Uint8Array, size: number, file: string): number {
  const instead = disguiseOf(first);
  const wrong = (what: string): PivotError =>
    broken(file, instead === undefined ? what : `expected safetensors, found ${instead} (${what})`);
  if (size < 8 || first.length < 8) throw wrong(`expected at least 8 bytes, which hold the length of its header; found ${size} bytes`);
  const length = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true);
  const after = size - 8;
  if (length > BigInt(after))
    throw wrong(`its first bytes announce a header of ${length} bytes; expected at most ${after}, which follow them`);
  if (length > BigInt(MAX_HEADER)) throw wrong(`its header would be ${length} bytes long; expected at most ${MAX_HEADER}`);
  if (length < 2n) throw wrong(`its header would be ${length} bytes long; the shortest is {}`);
  return Number(length);
}

/**
 * Parses and checks the header (the bytes after the length). Every tensor must have a known type, a shape of
 * non-negative integers, as many bytes as these say, and together they must cover the data without gap or overlap.
 */
export function parseHeader(bytes: Uint8Array, size: number, file: string): Header {
  const json = readJson(bytes, `the header of ${file}`, { code: 'R0501', cure: CURE });
  if (!isObject(json.value)) throw broken(file, `its header should be an object: expected an object, found ${kindOf(json.value)}`);
  const start = 8 + bytes.length;
  const metadata: Record<string, string> = {};
  const tensors = new Map<string, TensorInfo>();
  for (const [name, entry] of Object.entries(json.value)) {
    if (name === '__metadata__') {
      if (!isObject(entry)) throw broken(file, `__metadata__ should be an object, found ${kindOf(entry)}`);
      for (const [key, text] of Object.entries(entry)) {
        if (typeof text !== 'string') {
          throw broken(file, `__metadata__.${key} should be a text: expected a string, found ${json.source([name, key])}`);
        }
        Object.defineProperty(metadata, key, { value: text, enumerable: true, writable: true, configurable: true });
      }
    } else {
      tensors.set(name, parseEntry(name, entry, start, json, file));
    }
  }
  checkCover([...tensors.values()], start, size, file);
  return { metadata, tensors };
}

function parseEntry(name: string, entry: Json, start: number, json: JsonFile, file: string): TensorInfo {
  if (!isObject(entry)) {
    throw broken(
      file,
      `tensor ${name}: expected an object with dtype, shape, data_offsets, found ${kindOf(entry)} (${json.source([name])})`,
    );
  }
  const wrong = (field: string, expected: string): PivotError =>
    broken(
      file,
      `tensor ${name}: ${field} should be ${expected}, found ${json.source([name, field])?.replace(/^"(.*)"$/, '$1') ?? 'none'}`,
    );
  const dtype = own(entry, 'dtype');
  const shape = own(entry, 'shape');
  const offsets = own(entry, 'data_offsets');
  if (typeof dtype !== 'string' || !isFileDtype(dtype)) throw wrong('dtype', `one of ${Object.keys(STORED_BYTES).reverse().join(', ')}`);
  if (!isCounts(shape)) throw wrong('shape', 'a list of whole numbers from 0 on');
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw wrong('data_offsets', 'two whole numbers, where its bytes begin and where they end');
  }
  const [begin, end] = offsets;
  // In whole numbers of any size: a product that overflows must not fit by chance.
  const needed = shape.reduce((n, extent) => n * BigInt(extent), BigInt(STORED_BYTES[dtype]));
  if (BigInt(end - begin) !== needed) {
    throw broken(
      file,
      `tensor ${name}: expected ${needed} bytes for ${dtype} [${shape.join(', ')}], found ${end - begin} bytes in its data_offsets`,
    );
  }
  return { name, fileDtype: dtype, shape, begin: start + begin, end: start + end };
}

/** No gap, no overlap, nothing behind the end of the file. Offsets in messages are those of the header, from the start of the data. */
function checkCover(tensors: TensorInfo[], start: number, size: number, file: string): void {
  const sorted = tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  const last = sorted.reduce((end, tensor) => Math.max(end, tensor.end), start);
  const beyond = sorted.find(({ end }) => end > size);
  if (beyond !== undefined) {
    throw broken(
      file,
      `tensor ${beyond.name} ends at byte ${beyond.end - start} of the data; expected at most ${size - start}, where the data ends ` +
        `(expected a file of ${last} bytes, found ${size} bytes)`,
    );
  }
  let at = start;
  let before: TensorInfo | undefined;
  for (const tensor of sorted) {
    if (tensor.begin < at) {
      throw broken(
        file,
        `tensor ${tensor.name} overlaps ${before?.name}: expected that it begins at ${at - start} of the data, found that it begins at ${tensor.begin - start}`,
      );
    }
    if (tensor.begin > at) {
      throw broken(
        file,
        `expected a tensor at byte ${at - start} of the data, found that the next, ${tensor.name}, begins at ${tensor.begin - start}`,
      );
    }
    at = tensor.end;
    before = tensor;
  }
  if (at !== size) throw broken(file, `its tensors end before the file does: expected ${at} bytes, found ${size} bytes`);
}

/** Reads one tensor from its own bytes (`info.begin` to `info.end` of the file); F16 and BF16 become f32. */
export function decodeTensor(info: TensorInfo, bytes: Uint8Array, file: string): Tensor {
  const stored = toStored(info.fileDtype, bytes);
  if (stored === undefined) {
    throw new PivotError('R0502', `${info.name} in ${file} is stored as ${info.fileDtype}, which Pivot does not compute with`, {
      cure: `store it as one of ${readableTypes().join(', ')}`,
      place: { file },
    });
  }
  return { name: info.name, dtype: stored.dtype, shape: [...info.shape], data: stored.data };
}

/** Reads all tensors of a file that is in memory. `file` is for messages. */
export function decodeSafetensors(bytes: Uint8Array, file: string): { metadata: Record<string, string>; tensors: Tensor[] } {
  const length = headerLength(bytes.subarray(0, FIRST_BYTES), bytes.length, file);
  const header = parseHeader(bytes.subarray(8, 8 + length), bytes.length, file);
  const tensors = [...header.tensors.values()].map((info) => decodeTensor(info, bytes.subarray(info.begin, info.end), file));
  return { metadata: header.metadata, tensors };
}

/** The length and the header for tensors that will follow in this order; padded so that the data begins at a multiple of 8. */
export function encodeHeader(tensors: readonly Tensor[], metadata: Record<string, string> = {}): Uint8Array<ArrayBuffer> {
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push(['__metadata__', metadata]);
  const seen = new Set<string>();
  let at = 0;
  for (const { name, dtype, shape, data } of tensors) {
    if (name === '__metadata__' || seen.has(name)) throw new Error(`two tensors of a safetensors file cannot both be called ${name}`);
    if (elements(shape) !== data.length)
      throw new Error(`${name} has ${data.length} elements, and its shape [${shape.join(', ')}] says ${elements(shape)}`);
    seen.add(name);
    entries.push([name, { dtype: dtype.toUpperCase(), shape, data_offsets: [at, at + data.byteLength] }]);
    at += data.byteLength;
  }
  // Written by hand, since an object would put names that look like integers first.
  const body = entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',');
  const json = new TextEncoder().encode(`{${body}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(json, 8);
  return head;
}

/** A whole file in memory. Equal tensors and metadata in equal order give equal bytes. */
export function encodeSafetensors(tensors: readonly Tensor[], metadata: Record<string, string> = {}): Uint8Array<ArrayBuffer> {
  const head = encodeHeader(tensors, metadata);
  const out = new Uint8Array(tensors.reduce((n, { data }) => n + data.byteLength, head.length));
  out.set(head);
  let at = head.length;
  for (const { data } of tensors) {
    out.set(bytesOf(data), at);
    at += data.byteLength;
  }
  return out;
}

/** The bytes of a typed array, without a copy. */
export function bytesOf(data: TypedArrayOf): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function isFileDtype(name: string): name is FileDtype {
  return Object.hasOwn(STORED_BYTES, name);
}

const CURE = 'fetch or write the file again';

function broken(file: string, what: string): PivotError {
  return new PivotError('R0501', `${file} is not a whole safetensors file: ${what}`, { cure: CURE, place: { file } });
}
