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
import { PivotError } from '../../../plan/errors.ts';
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

/** Length of the header in bytes, from the first 8 bytes of a file of `size` bytes. */
export function headerLength(first: Uint8Array, size: number, file: string): number {
  if (size < 8 || first.length < 8) throw broken(file, `it has ${size} bytes, and the length of the header alone takes 8`);
  const length = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER)) throw broken(file, `its header would be ${length} bytes long`);
  if (Number(length) + 8 > size) throw broken(file, `its header should end at byte ${Number(length) + 8}, but the file has ${size} bytes`);
  return Number(length);
}

/**
 * Parses and checks the header (the bytes after the length). Every tensor must have a known type, a shape of
 * non-negative integers, as many bytes as these say, and together they must cover the data without gap or overlap.
 */
export function parseHeader(json: Uint8Array, size: number, file: string): Header {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (cause) {
    throw broken(file, 'its header is not valid JSON', cause);
  }
  if (!isRecord(value)) throw broken(file, 'its header is not a JSON object');
  const start = 8 + json.length;
  const metadata: Record<string, string> = {};
  const tensors = new Map<string, TensorInfo>();
  for (const [name, entry] of Object.entries(value)) {
    if (name === '__metadata__') {
      if (!isRecord(entry)) throw broken(file, '__metadata__ is not an object');
      for (const [key, text] of Object.entries(entry)) {
        if (typeof text !== 'string') throw broken(file, `__metadata__.${key} is not a text`);
        metadata[key] = text;
      }
    } else {
      tensors.set(name, parseEntry(name, entry, start, size, file));
    }
  }
  checkCover([...tensors.values()], start, size, file);
  return { metadata, tensors };
}

function parseEntry(name: string, entry: unknown, start: number, size: number, file: string): TensorInfo {
  if (!isRecord(entry)) throw broken(file, `the entry of ${name} is not an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !isFileDtype(dtype)) throw broken(file, `${name} has the unknown type ${JSON.stringify(dtype)}`);
  if (!isCounts(shape)) throw broken(file, `${name} has no valid shape`);
  if (!isCounts(offsets) || offsets.length !== 2) throw broken(file, `${name} has no valid data_offsets`);
  const [begin, end] = offsets;
  const needed = elements(shape) * STORED_BYTES[dtype];
  if (end - begin !== needed) {
    throw broken(file, `${name} (${dtype} [${shape.join(', ')}]) needs ${needed} bytes, but its offsets hold ${end - begin}`);
  }
  if (start + end > size) throw broken(file, `${name} ends at byte ${start + end}, but the file has ${size} bytes`);
  return { name, fileDtype: dtype, shape, begin: start + begin, end: start + end };
}

/** No gap and no overlap. This also refuses a name that the JSON gives twice: the bytes of the first would be a gap. */
function checkCover(tensors: TensorInfo[], start: number, size: number, file: string): void {
  const sorted = tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = start;
  for (const tensor of sorted) {
    if (tensor.begin < at) throw broken(file, `${tensor.name} overlaps the tensor before it`);
    if (tensor.begin > at) throw broken(file, `there are ${tensor.begin - at} unused bytes before ${tensor.name}`);
    at = tensor.end;
  }
  if (at !== size) throw broken(file, `its tensors end at byte ${at}, but the file has ${size} bytes`);
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
  const length = headerLength(bytes, bytes.length, file);
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function isFileDtype(name: string): name is FileDtype {
  return Object.hasOwn(STORED_BYTES, name);
}

function broken(file: string, what: string, cause?: unknown): PivotError {
  return new PivotError('R0501', `${file} is not a whole safetensors file: ${what}`, {
    cure: 'fetch or write the file again',
    place: { file },
    cause,
  });
}
