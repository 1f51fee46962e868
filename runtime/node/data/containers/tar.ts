/**
 * The entries of a tar archive (ustar, GNU long names, pax), by strict headers: what other readers pass over or stop at in silence is an
 * error here, since entries behind it would be lost. Nothing is ever unpacked to disk, and no name is a path. (POSIX.1-2017, pax.)
 */
import { foundIn, LOOKED_AT, whatItIs } from '../foreign.ts';
import { damaged, plain } from './table.ts';
import type { RangeFile } from './table.ts';

export interface TarEntry {
  name: string;
  /** Where its first header begins. */
  header: number;
  /** Where its content begins, and how long that is. */
  start: number;
  size: number;
}

const BLOCK = 512;
/** Longest extension header: names and the like. */
const LONGEST_HEADER = 2 ** 20;
const KINDS: Record<string, string> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a device',
  '4': 'a device',
  '6': 'a fifo',
  S: 'a sparse file',
  M: 'a part of a file in another archive',
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The files of an archive whose headers lie in a range, in their order; folders are passed over. Throws R0532 naming the entry. */
export async function* entriesOf(file: RangeFile, from = 0, to = file.size): AsyncGenerator<TarEntry> {
  const wrong = (entry: string, what: string): Error => damaged(file.name, `entry ${plain(entry)} at byte ${at}: ${what}`);
  let given: { name?: string; size?: bigint } = {};
  let at = from;
  let header: number | undefined;
  while (at < to) {
    header ??= at;
    const block = await file.bytes(at, at + BLOCK);
    if (block.every((byte) => byte === 0)) {
      if (await endsHere(file, at)) return;
      throw damaged(file.name, `a block of zeros stands between entries, at byte ${at}`);
    }
    if (block.length < BLOCK) {
      if (at === 0) await checkKind(file);
      throw wrong(nameOf(block) ?? '', `cut off inside its header: expected ${BLOCK} bytes, found ${block.length} bytes`);
    }
    if (!checksumFits(block)) {
      if (at === 0) await checkKind(file);
      throw wrong(nameOf(block) ?? '', 'the checksum of its header is wrong');
    }
    const name = given.name ?? nameOf(block);
    if (name === undefined) throw damaged(file.name, `the name of the entry at byte ${at} is not valid UTF-8`);
    const kind = String.fromCharCode(block[156]);
    const size = given.size ?? numberOf(block.subarray(124, 136));
    if (size === undefined) throw wrong(name, `its size is no number: found ${plain(asciiOf(block.subarray(124, 136)))}`);
    const left = BigInt(file.size - at - BLOCK);
    if (size < 0n || size > left) {
      // A cut file ends within the entry; a size beyond reason is no sign of that.
      const cut = size > 0n && size < left + 2n ** 30n;
      throw wrong(
        name,
        cut ? `expected ${size} bytes, found ${left} bytes: the file is cut off` : `expected at most ${left} bytes, found ${size} bytes`,
      );
    }
    const data = { start: at + BLOCK, size: Number(size) };
    if (!'LxgK5'.includes(kind) && kind !== '0' && kind !== '\0' && kind !== '7') {
      const what = Object.hasOwn(KINDS, kind) ? KINDS[kind] : `of the unknown kind ${plain(kind)}`;
      throw wrong(name, `it is ${what}; only files and folders are read`);
    }
    if (kind === 'L' || kind === 'x') given = { ...given, ...(await extension(file, kind, data, (what) => wrong(name, what))) };
    at = data.start + Math.ceil(data.size / BLOCK) * BLOCK;
    if ('LxgK'.includes(kind)) continue;
    const begin = header;
    [given, header] = [{}, undefined];
    if (kind === '5') continue;
    if (name === '') throw damaged(file.name, `the entry at byte ${data.start - BLOCK} has no name`);
    yield { name, header: begin, ...data };
  }
}

async function checkKind(file: RangeFile): Promise<void> {
  const head = await file.bytes(0, LOOKED_AT);
  if (whatItIs(head) !== 'a tar archive')
    throw damaged(file.name, `expected a tar archive, found ${foundIn(head, file.size)}`, { cure: 'name an archive that is not packed' });
}

/** Whether a block of zeros is the end: a second one follows, or nothing but zeros that fill no block. */
async function endsHere(file: RangeFile, at: number): Promise<boolean> {
  return (await file.bytes(at + BLOCK, at + 2 * BLOCK)).every((byte) => byte === 0);
}

/** What a long name or a pax header says about the entry behind it. */
async function extension(
  file: RangeFile,
  kind: string,
  { start, size }: { start: number; size: number },
  wrong: (what: string) => Error,
): Promise<{ name?: string; size?: bigint }> {
  if (size > LONGEST_HEADER) throw wrong(`an extension header of ${size} bytes; at most ${LONGEST_HEADER} are read`);
  const bytes = await file.bytes(start, start + size);
  const decode = (part: Uint8Array): string => {
    try {
      return utf8.decode(part);
    } catch {
      throw wrong('an extension header is not valid UTF-8');
    }
  };
  if (kind === 'L') return { name: decode(untilNul(bytes)) };
  const said: { name?: string; size?: bigint } = {};
  for (let at = 0; at < bytes.length;) {
    const digits = /^(\d{1,8}) /.exec(asciiOf(bytes.subarray(at, at + 9)))?.[1];
    const end = at + Number(digits);
    if (digits === undefined || end > bytes.length || bytes[end - 1] !== 10)
      throw wrong(`a record of its pax header, at byte ${start + at}, claims ${digits ?? 'no'} bytes, and ${bytes.length - at} are left`);
    const record = decode(bytes.subarray(at + digits.length + 1, end - 1));
    const equals = record.indexOf('=');
    if (equals < 1) throw wrong(`a record of its pax header, at byte ${start + at}, is no key and value`);
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === 'path') said.name = value;
    if (key === 'size' && /^\d{1,30}$/.test(value)) said.size = BigInt(value);
    if (key.startsWith('GNU.sparse')) throw wrong('it is a sparse file; only whole ones are read');
    at = end;
  }
  return said;
}

function checksumFits(block: Uint8Array): boolean {
  // The field itself counts as spaces.
  let sum = 8 * 32;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += block[i];
  return numberOf(block.subarray(148, 156)) === BigInt(sum);
}

/** Octal digits between spaces and zeros, or GNU's binary form, which is marked by its first bit. */
function numberOf(field: Uint8Array): bigint | undefined {
  if (field[0] === 0x80 || field[0] === 0xff) {
    let value = field[0] === 0xff ? -1n : 0n;
    for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte);
    return value;
  }
  const text = asciiOf(untilNul(field)).trim();
  return /^[0-7]+$/.test(text) ? BigInt(`0o${text}`) : undefined;
}

/** Undefined where it is not UTF-8. */
function nameOf(block: Uint8Array): string | undefined {
  try {
    const name = utf8.decode(untilNul(block.subarray(0, 100)));
    const ustar = asciiOf(block.subarray(257, 263)) === 'ustar\0';
    const prefix = ustar ? utf8.decode(untilNul(block.subarray(345, 500))) : '';
    return prefix === '' ? name : `${prefix}/${name}`;
  } catch {
    return undefined;
  }
}

function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function asciiOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
