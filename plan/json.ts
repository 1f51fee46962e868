/**
 * JSON of others' files, read strictly. `JSON.parse` keeps the last of two equal keys without a word, says of a fault no more
 * than where it lies, and rounds numbers; a checkpoint that was read with the wrong half of its header is merely worse. So the
 * text is scanned first: syntax (with line and column), and keys that stand twice. The values are those of `JSON.parse`, so
 * `__proto__` is a key like any other; ask with `Object.hasOwn` or `Object.entries`.
 *
 * The scanner keeps its own stack: nesting cannot overflow ours.
 */
import { disguiseOf } from './disguise.ts';
import { PivotError } from './errors.ts';
import type { Place } from './errors.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonPath = readonly (string | number)[];

export interface JsonFile {
  file: string;
  value: Json;
  /** Where the value of a path begins; the nearest that exists, where there is none. */
  place(path: JsonPath): Place;
  /** The value of a path as the file writes it, shortened; numbers keep all their digits. `undefined` where there is none. */
  source(path: JsonPath): string | undefined;
}

/** How faults of a file are reported: the code, and what to do. */
export interface JsonReport {
  code: string;
  cure: string;
}

/**
 * Parses a file's bytes, or its text where it has been decoded. A byte order mark is passed over.
 * @throws PivotError with the report's code: no UTF-8, not JSON (with line and column, and what the file is instead where that
 * can be told), cut off, or a key that stands twice in one object.
 */
export function readJson(content: Uint8Array | string, file: string, report: JsonReport): JsonFile {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const fail = (sentence: string, place: Place = { file }): never => {
    throw new PivotError(report.code, `${file} ${sentence}`, { cure: report.cure, place });
  };
  if (bytes.length === 0) fail('is empty: expected JSON, found 0 bytes');
  const disguise = disguiseOf(bytes);
  if (disguise !== undefined) fail(`is not JSON: expected JSON, found ${disguise}`);
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    fail('is not valid UTF-8');
  }
  const fault = scan(text);
  if (fault !== undefined) {
    const place = { file, ...lineOf(text, fault.at) };
    const cut = fault.at >= text.length ? `; the file ends at its byte ${bytes.length}, so it may be cut off` : '';
    fail(`is not valid JSON at line ${place.line}, column ${place.column}: ${fault.sentence}${cut}`, place);
  }
  const find = (path: JsonPath): { begin: number; whole: boolean } => locate(text, path);
  return {
    file,
    value: JSON.parse(text) as Json,
    place: (path) => ({ file, ...lineOf(text, find(path).begin) }),
    source: (path) => {
      const { begin, whole } = find(path);
      return whole ? shorten(text.slice(begin, Math.min(skipValue(text, begin), begin + 200))) : undefined;
    },
  };
}

/** `model.layers[0]`, as messages write a path. */
export function showPath(path: JsonPath): string {
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');
}

/** The kind of a value in words: `an object`, `a list`, `a text`, ... */
export function kindOf(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return { object: 'an object', string: 'a text', number: 'a number', boolean: 'a truth value' }[typeof value as 'object'];
}

export function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value of an object's own key; undefined where there is none. */
export function own(value: { [key: string]: Json }, key: string): Json | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

function lineOf(text: string, at: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let next = text.indexOf('\n'); next >= 0 && next < at; next = text.indexOf('\n', next + 1)) {
    line++;
    start = next + 1;
  }
  return { line, column: at - start + 1 };
}

interface Fault {
  at: number;
  sentence: string;
}

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const LITERAL = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/** The first fault of a text that should be one JSON value. */
function scan(text: string): Fault | undefined {
  /** Keys of the open objects; undefined for open lists. */
  const open: (Set<string> | undefined)[] = [];
  let at = match(SPACE, text, 0);
  for (;;) {
    // A value begins here.
    const first = text[at];
    if (first === '{' || first === '[') {
      open.push(first === '{' ? new Set() : undefined);
      at = match(SPACE, text, at + 1);
      if (text[at] !== (first === '{' ? '}' : ']')) {
        if (first === '[') continue;
        const key = readKey(text, at, open.at(-1));
        if (typeof key !== 'number') return key;
        at = key;
        continue;
      }
    } else {
      const end = first === '"' ? stringEnd(text, at) : match(LITERAL, text, at);
      if (end < 0 || (first !== '"' && /[\w.+-]/.test(text[end] ?? ''))) return { at: faultAt(text, at), sentence: wrong(text, at) };
      at = match(SPACE, text, end);
      if (open.length === 0) return at === text.length ? undefined : { at, sentence: `expected the end, ${found(text, at)}` };
      if (text[at] === ',') {
        const next = afterComma(text, at, open.at(-1));
        if (typeof next !== 'number') return next;
        at = next;
        continue;
      }
    }
    // A value has ended, or an empty object or list stands open: close what closes.
    for (;;) {
      const keys = open.at(-1);
      const closing = keys === undefined ? ']' : '}';
      if (text[at] !== closing) return { at, sentence: `expected "," or "${closing}", ${found(text, at)}` };
      open.pop();
      at = match(SPACE, text, at + 1);
      if (open.length === 0) return at === text.length ? undefined : { at, sentence: `expected the end, ${found(text, at)}` };
      if (text[at] === ',') break;
    }
    const next = afterComma(text, at, open.at(-1));
    if (typeof next !== 'number') return next;
    at = next;
  }
}

/** Where the next value begins. */
function afterComma(text: string, comma: number, keys: Set<string> | undefined): number | Fault {
  const at = match(SPACE, text, comma + 1);
  return keys === undefined ? at : readKey(text, at, keys);
}

/** Reads `"key":` and gives where its value begins. */
function readKey(text: string, at: number, keys: Set<string> | undefined): number | Fault {
  const end = text[at] === '"' ? stringEnd(text, at) : -1;
  if (end < 0)
    return { at: faultAt(text, at), sentence: text[at] === '"' ? wrong(text, at) : `expected a key in quotes, ${found(text, at)}` };
  const key = keyOf(text, at, end);
  if (keys?.has(key)) return { at, sentence: `the key ${JSON.stringify(key)} stands twice in one object` };
  keys?.add(key);
  const colon = match(SPACE, text, end);
  if (text[colon] !== ':') return { at: colon, sentence: `expected ":" behind the key, ${found(text, colon)}` };
  return match(SPACE, text, colon + 1);
}

/** The end of a string, or -1. Long strings are searched by hand: the pattern would fill the stack of the engine. */
function stringEnd(text: string, at: number): number {
  const quote = text.indexOf('"', at + 1);
  if (quote < 0) return -1;
  if (quote - at < 4096) {
    const end = match(STRING, text, at);
    if (end >= 0 && end - at < 4096) return end;
  }
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) return i + 1;
    if (code < 0x20) return -1;
    if (code !== 0x5c) continue;
    const next = text[i + 1];
    if (next === 'u') {
      if (!/^[0-9a-fA-F]{4}$/.test(text.slice(i + 2, i + 6))) return -1;
      i += 5;
    } else {
      if (next === undefined || !'"\\/bfnrt'.includes(next)) return -1;
      i += 1;
    }
  }
  return -1;
}

function keyOf(text: string, at: number, end: number): string {
  const inner = text.slice(at + 1, end - 1);
  return inner.includes('\\') ? (JSON.parse(text.slice(at, end)) as string) : inner;
}

function found(text: string, at: number): string {
  return at >= text.length ? 'found the end of the text' : `found ${JSON.stringify(text.slice(at, at + 12))}`;
}

/** A string that does not end is a fault at the end of the text, where it was cut. */
function faultAt(text: string, at: number): number {
  return text[at] === '"' && !/(?:^|[^\\])(?:\\\\)*"/.test(text.slice(at + 1)) ? text.length : at;
}

function wrong(text: string, at: number): string {
  if (text[at] === '"')
    return faultAt(text, at) === text.length
      ? 'a text has no closing quote'
      : 'a text in quotes has a control character or an unknown escape';
  const key = /"((?:[^"\\]|\\.)*)"\s*:\s*$/.exec(text.slice(Math.max(0, at - 200), at))?.[1];
  const where = key === undefined ? '' : ` as the value of ${key}`;
  const word = /^[\w.+-]+/.exec(text.slice(at, at + 40))?.[0];
  if (word !== undefined && /^(NaN|-?Infinity)$/.test(word)) return `found ${word}${where}, which JSON does not have`;
  return `expected a value${where}, ${found(text, at)}`;
}

/** The end of a value in a text that has been scanned. */
function skipValue(text: string, begin: number): number {
  let depth = 0;
  let at = begin;
  for (;;) {
    at = match(SPACE, text, at);
    const first = text[at];
    if (first === '{' || first === '[') depth++;
    else if (first === '}' || first === ']') depth--;
    at = first === '"' ? stringEnd(text, at) : '{}[],:'.includes(first) ? at + 1 : match(LITERAL, text, at);
    if (depth === 0) return at;
  }
}

/** Where a path leads in a text that has been scanned; the last step that exists, and whether that is the whole path. */
function locate(text: string, path: JsonPath): { begin: number; whole: boolean } {
  let begin = match(SPACE, text, 0);
  for (const step of path) {
    const isList = text[begin] === '[';
    if (typeof step === 'number' ? !isList : text[begin] !== '{') return { begin, whole: false };
    let at = match(SPACE, text, begin + 1);
    for (let index = 0; ; index++) {
      if (text[at] === ']' || text[at] === '}') return { begin, whole: false };
      let isIt = index === step;
      if (!isList) {
        const end = stringEnd(text, at);
        isIt = keyOf(text, at, end) === step;
        at = match(SPACE, text, match(SPACE, text, end) + 1);
      }
      if (isIt) break;
      at = match(SPACE, text, skipValue(text, at));
      if (text[at] === ',') at = match(SPACE, text, at + 1);
    }
    begin = at;
  }
  return { begin, whole: true };
}
