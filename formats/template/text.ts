/** Methods of Python's `str`, on code points. */
import { bind, flagArgument, textArgument, wholeArgument } from './arguments.ts';
import { TemplateError, unsupported } from './errors.ts';
import { letters, iterate, List, typeName } from './values.ts';
import type { Given, Value } from './values.ts';

/** White space as `str.isspace` has it. */
export const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const LEADING = new RegExp(`^[${SPACE}]+`);
const TRAILING = new RegExp(`[${SPACE}]+$`);
const SPACES = new RegExp(`[${SPACE}]+`);
const ALL_SPACE = new RegExp(`^[${SPACE}]+$`);
const LINES = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/;
/** Letters whose title form is neither their upper one nor its first letter. */
const DIGRAPHS = /[\u01c4-\u01cc\u01f1-\u01f3\u0149\u01f0\u0390\u03b0\u0587\u1e96-\u1e9a\u1f50-\u1ffc\ufb00-\ufb17]/;

export function strip(text: string, chars: string | undefined, side: 'both' | 'left' | 'right' = 'both'): string {
  if (chars === undefined) {
    const left = side === 'right' ? text : text.replace(LEADING, '');
    return side === 'left' ? left : left.replace(TRAILING, '');
  }
  const set = new Set(letters(chars));
  const own = letters(text);
  let [from, to] = [0, own.length];
  if (side !== 'right') while (from < to && set.has(own[from])) from++;
  if (side !== 'left') while (to > from && set.has(own[to - 1])) to--;
  return own.slice(from, to).join('');
}

export function splitLines(text: string): string[] {
  const lines = text.split(new RegExp(LINES, 'g'));
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function isCased(letter: string): boolean {
  return letter.toLowerCase() !== letter || letter.toUpperCase() !== letter;
}

/** The first letter in its title form, the others small. */
export function capitalize(text: string): string {
  const [first, ...rest] = letters(text);
  return first === undefined ? '' : titleLetter(first) + lower(rest.join(''));
}

function titleLetter(letter: string): string {
  if (DIGRAPHS.test(letter)) throw unsupported(`the title form of ${letter}`);
  const upper = letters(letter.toUpperCase());
  return upper[0] + upper.slice(1).join('').toLowerCase();
}

/** A capital sigma at the end of a word is another small letter; Python and JavaScript differ in what a word is there. */
export function lower(text: string): string {
  if (text.includes('\u03a3')) throw unsupported('the small letter of \u03a3');
  return text.toLowerCase();
}

export function replace(text: string, old: string, by: string, count: number): string {
  if (count < 0) return old === '' ? by + letters(text).map((one) => one + by).join('') : text.replaceAll(old, () => by); // prettier-ignore
  if (old === '') throw unsupported('replacing nothing a number of times');
  const parts = text.split(old);
  const head = parts.slice(0, count + 1);
  return parts.length <= count + 1 ? parts.join(by) : head.join(by) + old + parts.slice(count + 1).join(old);
}

function split(text: string, separator: string | undefined, limit: number): string[] {
  if (separator === '') throw new TemplateError('an empty separator');
  if (separator !== undefined) {
    const parts = text.split(separator);
    return limit < 0 || parts.length <= limit + 1 ? parts : [...parts.slice(0, limit), parts.slice(limit).join(separator)];
  }
  const found: string[] = [];
  let rest = text.replace(LEADING, '');
  while (rest !== '') {
    const gap = limit >= 0 && found.length >= limit ? null : SPACES.exec(rest);
    if (gap === null) {
      // The last part keeps the white space behind it where the number of splits was reached.
      found.push(rest);
      break;
    }
    found.push(rest.slice(0, gap.index));
    rest = rest.slice(gap.index + gap[0].length);
  }
  return found;
}

function splitRight(text: string, separator: string | undefined, limit: number): string[] {
  if (limit < 0) return split(text, separator, -1);
  if (separator === undefined) throw unsupported('rsplit at white space a number of times');
  const parts = split(text, separator, -1);
  const cut = Math.max(0, parts.length - limit);
  return cut <= 1 ? parts : [parts.slice(0, cut).join(separator), ...parts.slice(cut)];
}

function title(text: string): string {
  let before = false;
  return letters(text)
    .map((letter) => {
      const shown = before ? lower(letter) : titleLetter(letter);
      before = isCased(letter);
      return shown;
    })
    .join('');
}

function affix(text: string, method: 'startsWith' | 'endsWith', what: string, given: Given): boolean {
  const [affixes, start, end] = bind(what, given, ['prefix', 'start', 'end'], 1);
  if (start !== undefined || end !== undefined) throw unsupported(`${what} with a range`);
  const all = affixes instanceof List && affixes.isTuple ? affixes.items : [affixes];
  return all.some((one) => text[method](textArgument(what, one)));
}

/** A place among code points; -1 where it is not found. */
function find(text: string, given: Given, last: boolean): number {
  const what = last ? 'rfind' : 'find';
  const [sub, start, end] = bind(what, given, ['sub', 'start', 'end'], 1);
  if (start !== undefined || end !== undefined) throw unsupported(`${what} with a range`);
  const at = last ? text.lastIndexOf(textArgument(what, sub)) : text.indexOf(textArgument(what, sub));
  return at < 0 ? -1 : letters(text.slice(0, at)).length;
}

function count(text: string, given: Given): number {
  const [sub, start, end] = bind('count', given, ['sub', 'start', 'end'], 1);
  if (start !== undefined || end !== undefined) throw unsupported('count with a range');
  const wanted = textArgument('count', sub);
  return wanted === '' ? letters(text).length + 1 : text.split(wanted).length - 1;
}

function partition(text: string, given: Given, last: boolean): List {
  const [separator] = bind('partition', given, ['sep'], 1).map((one) => textArgument('partition', one));
  if (separator === '') throw new TemplateError('an empty separator');
  const at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
  if (at < 0) return new List(last ? ['', '', text] : [text, '', ''], true);
  return new List([text.slice(0, at), separator, text.slice(at + separator.length)], true);
}

/** What is asked of every letter; letters whose classes differ between versions are refused. */
function every(text: string, pattern: RegExp): boolean {
  if (/\p{No}|\p{Nl}|\p{Lm}/u.test(text)) throw unsupported('the class of a letter such as superscript digits');
  return text !== '' && letters(text).every((one) => pattern.test(one));
}

function cased(text: string, same: (letter: string) => boolean): boolean {
  const own = letters(text).filter(isCased);
  return own.length > 0 && own.every(same);
}

export const isLower = (text: string): boolean => cased(text, (one) => one === one.toLowerCase());
export const isUpper = (text: string): boolean => cased(text, (one) => one === one.toUpperCase());

const optionalText = (what: string, value: Value | undefined): string | undefined =>
  value === undefined || value === null ? undefined : textArgument(what, value);

const stripping = (side: 'both' | 'left' | 'right', what: string) => (text: string, given: Given) =>
  strip(text, optionalText(what, bind(what, given, ['chars'])[0]), side);

const splitting = (by: typeof split, what: string) => (text: string, given: Given) => {
  const [separator, limit] = bind(what, given, ['sep', 'maxsplit']);
  return new List(by(text, optionalText(what, separator), limit === undefined ? -1 : wholeArgument(what, limit)));
};

/** Methods without arguments. */
const plain = (what: string, make: (text: string) => Value) => (text: string, given: Given) => {
  bind(what, given, []);
  return make(text);
};

type Method = (text: string, given: Given) => Value;

export const TEXT_METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['strip', stripping('both', 'strip')],
  ['lstrip', stripping('left', 'lstrip')],
  ['rstrip', stripping('right', 'rstrip')],
  ['split', splitting(split, 'split')],
  ['rsplit', splitting(splitRight, 'rsplit')],
  [
    'splitlines',
    (text, given) => {
      if (flagArgument(bind('splitlines', given, ['keepends'])[0])) throw unsupported('splitlines with keepends');
      return new List(splitLines(text));
    },
  ],
  ['startswith', (text, given) => affix(text, 'startsWith', 'startswith', given)],
  ['endswith', (text, given) => affix(text, 'endsWith', 'endswith', given)],
  [
    'replace',
    (text, given) => {
      const [old, by, times] = bind('replace', given, ['old', 'new', 'count'], 2);
      return replace(
        text,
        textArgument('replace', old),
        textArgument('replace', by),
        times === undefined ? -1 : wholeArgument('replace', times),
      );
    },
  ],
  [
    'join',
    (text, given) => {
      const [parts] = bind('join', given, ['iterable'], 1);
      return [...iterate(parts as Value)]
        .map((one) => {
          if (typeof one === 'string') return one;
          throw new TemplateError(`join takes texts, not a ${typeName(one)}`);
        })
        .join(text);
    },
  ],
  ['find', (text, given) => find(text, given, false)],
  ['rfind', (text, given) => find(text, given, true)],
  ['count', count],
  ['partition', (text, given) => partition(text, given, false)],
  ['rpartition', (text, given) => partition(text, given, true)],
  [
    'removeprefix',
    (text, given) => {
      const [affixed] = bind('removeprefix', given, ['prefix'], 1).map((one) => textArgument('removeprefix', one));
      return text.startsWith(affixed) ? text.slice(affixed.length) : text;
    },
  ],
  [
    'removesuffix',
    (text, given) => {
      const [affixed] = bind('removesuffix', given, ['suffix'], 1).map((one) => textArgument('removesuffix', one));
      return affixed !== '' && text.endsWith(affixed) ? text.slice(0, -affixed.length) : text;
    },
  ],
  ['upper', plain('upper', (text) => text.toUpperCase())],
  ['lower', plain('lower', lower)],
  ['title', plain('title', title)],
  ['capitalize', plain('capitalize', capitalize)],
  ['isdigit', plain('isdigit', (text) => every(text, /^\p{Nd}$/u))],
  ['isdecimal', plain('isdecimal', (text) => every(text, /^\p{Nd}$/u))],
  ['isnumeric', plain('isnumeric', (text) => every(text, /^\p{Nd}$/u))],
  ['isalpha', plain('isalpha', (text) => every(text, /^\p{L}$/u))],
  ['isalnum', plain('isalnum', (text) => every(text, /^[\p{L}\p{Nd}]$/u))],
  ['isspace', plain('isspace', (text) => ALL_SPACE.test(text))],
  ['islower', plain('islower', isLower)],
  ['isupper', plain('isupper', isUpper)],
]);

/** Methods that Python's texts have and this reader has not. */
export const OTHER_TEXT_METHODS: ReadonlySet<string> = new Set([
  ...['casefold', 'center', 'encode', 'expandtabs', 'format', 'format_map', 'index', 'isascii', 'isidentifier', 'isprintable', 'istitle'],
  ...['ljust', 'maketrans', 'rindex', 'rjust', 'swapcase', 'translate', 'zfill'],
]);
