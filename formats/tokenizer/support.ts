/**
 * What of a `tokenizer.json` the library that executes it does as its original (`tokenizers` of Hugging Face) does. A list of what is allowed,
 * made by reading both: a type, a key or a value that is not here is refused by name, since it would give other ids without a word.
 */
import { isObject, own } from '../../plan/json.ts';
import type { Json } from '../../plan/json.ts';

type Fields = { readonly [key: string]: Json };

/** Characters that the library treats otherwise: texts with them are refused. `pattern` is a regular expression with the flag `u`. */
export interface Guard {
  pattern: string;
  why: string;
}

/** What is known of the rest of the file when a part is judged. */
export interface Whole {
  tokens: ReadonlyMap<string, number>;
  /** Whether an added token is looked for in normalised text. */
  normalisedTokens: boolean;
}

/**
 * The library fuses what is unknown to Unigram across words, its original within them: it does no harm where nothing splits words but marks
 * that are known. Says what is expected of a pre-tokenizer before Unigram.
 */
export function beforeUnigram(value: Json | undefined, { tokens }: Whole): string | undefined {
  if (value === undefined || value === null) return undefined;
  const mark = isObject(value) && value.type === 'Metaspace' ? own(value, 'replacement') : undefined;
  return typeof mark === 'string' && tokens.has(mark) ? undefined : 'none before Unigram, or Metaspace with its mark in the vocabulary';
}

/** Says what is expected of a value; undefined where it is as it should be. */
type Rule = (value: Json | undefined, fields: Fields, whole: Whole) => string | undefined;

const any: Rule = () => undefined;

const oneOf =
  (...values: (Json | undefined)[]): Rule =>
  (value) =>
    values.includes(value) ? undefined : values.map((one) => (one === undefined ? 'none' : JSON.stringify(one))).join(' or ');

const flag: Rule = (value) => (value === undefined || typeof value === 'boolean' ? undefined : 'true or false');
const text: Rule = (value) => (typeof value === 'string' ? undefined : 'a text');

/** A dollar sign means something in the library's replacements. */
const content: Rule = (value) =>
  typeof value === 'string' && !value.includes('$') ? undefined : 'a text without $, which the library takes for a reference';

const pattern: Rule = (value) => {
  if (!isObject(value)) return 'a Regex or a String';
  const [key, ...more] = Object.keys(value);
  return more.length === 0 && (key === 'Regex' || key === 'String') && typeof value[key] === 'string' ? undefined : 'a Regex or a String';
};

const splitBehavior: Rule = (value, { invert, pattern: by }) => {
  const kind = typeof value === 'string' ? value.toLowerCase() : '';
  if (kind === 'isolated' && invert !== true) return undefined;
  if (kind === 'removed' && invert === true) return undefined;
  // The library keeps what a group of the pattern matched, and what a text matched.
  const regex = isObject(by) ? own(by, 'Regex') : undefined;
  if (kind === 'removed' && typeof regex === 'string' && !/(^|[^\\])\((?!\?)/.test(regex)) return undefined;
  return 'Isolated without invert, or Removed of a Regex without groups, or Removed with invert';
};

/** Metaspace splits before each mark; where it does so, a token must not have a mark further in. */
const metaspaceScheme: Rule = (value, fields, { normalisedTokens }) => {
  if (own(fields, 'add_prefix_space') === false && value !== 'never') return 'never, as add_prefix_space is false';
  if (value === 'first' && normalisedTokens) return 'always or never, as added tokens are looked for in normalised text';
  return oneOf('always', 'never', 'first', undefined)(value, fields, { tokens: new Map(), normalisedTokens });
};

const marksAtBegin: Rule = (value, fields, { tokens }) => {
  const mark = own(fields, 'replacement');
  const inner = typeof mark === 'string' ? [...tokens.keys()].find((token) => token.lastIndexOf(mark) > 0) : undefined;
  return value === 'never' ? 'always or first' : inner === undefined ? undefined : `no token with a mark further in, such as ${inner}`;
};

const NO_FIELDS = {};
const NORMALIZERS: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  Sequence: { normalizers: any },
  Replace: { pattern, content },
  NFC: NO_FIELDS,
  NFD: NO_FIELDS,
  NFKC: NO_FIELDS,
  NFKD: NO_FIELDS,
  Strip: { strip_left: flag, strip_right: flag },
  StripAccents: NO_FIELDS,
  Lowercase: NO_FIELDS,
  Prepend: { prepend: text },
};

const PRE_TOKENIZERS: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  Sequence: { pretokenizers: any },
  BertPreTokenizer: NO_FIELDS,
  Whitespace: NO_FIELDS,
  WhitespaceSplit: NO_FIELDS,
  ByteLevel: { add_prefix_space: flag, trim_offsets: flag, use_regex: flag },
  Metaspace: { replacement: text, prepend_scheme: metaspaceScheme, add_prefix_space: flag, split: flag, str_rep: (value, { replacement }) => (value === undefined || value === replacement ? undefined : 'the same as replacement') }, // prettier-ignore
  Split: { pattern, behavior: splitBehavior, invert: (value) => (typeof value === 'boolean' ? undefined : 'true or false') },
  Punctuation: { behavior: (value) => (typeof value === 'string' && value.toLowerCase() === 'contiguous' ? undefined : 'Contiguous') },
  Digits: { individual_digits: flag },
  FixedLength: {
    length: (value) => (typeof value === 'number' && Number.isInteger(value) && value > 0 ? undefined : 'a positive whole number'),
  },
};

const isPair: Rule = (value, _, { tokens }) =>
  Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && tokens.get(value[0]) === value[1]
    ? undefined
    : 'a token and its id';

const POST_PROCESSORS: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  Sequence: { processors: any },
  ByteLevel: { add_prefix_space: flag, trim_offsets: flag, use_regex: flag },
  BertProcessing: { sep: isPair, cls: isPair },
  RobertaProcessing: { sep: isPair, cls: isPair, trim_offsets: flag, add_prefix_space: flag },
  TemplateProcessing: { single: any, pair: any, special_tokens: specialTokens },
};

/** A special token of a template is one token, that of its name. */
function specialTokens(value: Json | undefined, _: Fields, { tokens }: Whole): string | undefined {
  if (!isObject(value)) return 'an object';
  for (const [name, entry] of Object.entries(value)) {
    const ids = isObject(entry) ? own(entry, 'ids') : undefined;
    if (!Array.isArray(ids) || ids.length !== 1 || ids[0] !== tokens.get(name))
      return `the one id of ${name}, ${tokens.get(name) ?? 'which is no token'}`;
  }
  return undefined;
}

const DECODERS: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  Sequence: { decoders: any },
  ByteLevel: { add_prefix_space: flag, trim_offsets: flag, use_regex: flag },
  WordPiece: { prefix: text, cleanup: flag },
  Metaspace: { replacement: text, prepend_scheme: marksAtBegin, add_prefix_space: oneOf(true, undefined), split: flag, str_rep: any },
  BPEDecoder: { suffix: text },
  Replace: { pattern, content },
  Fuse: NO_FIELDS,
  Strip: { content: text, start: any, stop: any },
  ByteFallback: NO_FIELDS,
};

const hasBytes = ({ tokens }: Whole): boolean =>
  Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`).every((one) => tokens.has(one));

const MODELS: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  BPE: {
    vocab: any,
    merges: any,
    dropout: oneOf(null, 0, undefined),
    unk_token: oneOfTokens,
    continuing_subword_prefix: oneOf(null, '', undefined),
    end_of_word_suffix: (value) => (value === null || value === undefined || typeof value === 'string' ? undefined : 'a text'),
    // The library fuses what is unknown across words.
    fuse_unk: (value, fields, whole) =>
      value !== true || own(fields, 'unk_token') === null || (own(fields, 'byte_fallback') === true && hasBytes(whole))
        ? undefined
        : 'false, or byte_fallback with a token for each byte',
    byte_fallback: flag,
    ignore_merges: flag,
  },
  WordPiece: {
    vocab: any,
    unk_token: (value, _, { tokens }) => (typeof value === 'string' && tokens.has(value) ? undefined : 'a token of the vocabulary'),
    continuing_subword_prefix: text,
    max_input_chars_per_word: (value) => (value === undefined || typeof value === 'number' ? undefined : 'a number'),
  },
  Unigram: {
    vocab: any,
    unk_id: (value) => (typeof value === 'number' ? undefined : 'the id of a piece'),
    byte_fallback: oneOf(false, undefined, null),
  },
};

function oneOfTokens(value: Json | undefined, _: Fields, { tokens }: Whole): string | undefined {
  return value === null || value === undefined || (typeof value === 'string' && tokens.has(value))
    ? undefined
    : 'a token of the vocabulary';
}

const ADDED: Readonly<Record<string, Rule>> = {
  id: any,
  content: any,
  single_word: oneOf(false, undefined),
  lstrip: flag,
  rstrip: flag,
  normalized: flag,
  special: flag,
};

/** transformers sets truncation and padding at each call, whatever the file says. */
const TOP: Readonly<Record<string, Rule>> = {
  version: any,
  truncation: any,
  padding: any,
  added_tokens: any,
  normalizer: any,
  pre_tokenizer: any,
  post_processor: any,
  decoder: any,
  model: any,
};

const PARTS: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Rule>>>>>> = {
  normalizer: NORMALIZERS,
  pre_tokenizer: PRE_TOKENIZERS,
  post_processor: POST_PROCESSORS,
  decoder: DECODERS,
  model: MODELS,
};

export function typesOf(part: string): string[] {
  return Object.keys(PARTS[part]);
}

/** Keys of an object that are not as the list has them, with what is expected of each. `type` is undefined for added tokens and the whole file. */
export function unsupported(
  part: 'added_tokens' | 'file' | keyof typeof PARTS,
  type: string | undefined,
  fields: Fields,
  whole: Whole,
): { key: string; expected: string }[] {
  const rules = part === 'added_tokens' ? ADDED : part === 'file' ? TOP : (PARTS[part][type ?? ''] ?? NO_FIELDS);
  const unknown = Object.keys(fields).filter((key) => key !== 'type' && !Object.hasOwn(rules, key));
  const wrong = Object.entries(rules).flatMap(([key, rule]) => {
    const expected = rule(own(fields, key), fields, whole);
    return expected === undefined ? [] : [{ key, expected }];
  });
  return [...unknown.map((key) => ({ key, expected: `no such key, or one of ${Object.keys(rules).join(', ') || 'none'}` })), ...wrong];
}

const SPACES = {
  pattern: '[\\x1c-\\x1f\\x85\\ufeff]',
  why: 'which is white space to one of the library and its original and not to the other',
};

/** The characters that a part of the file takes otherwise than its original. */
export function guardsOf(part: string, type: string, fields: Fields): Guard[] {
  if (part === 'added_tokens') return own(fields, 'lstrip') === true || own(fields, 'rstrip') === true ? [SPACES] : [];
  if (part === 'normalizer' && type === 'Strip') return [SPACES];
  if (part === 'normalizer' && type === 'Lowercase') return [{ pattern: '\\u03a3', why: 'whose small letter depends on its place' }];
  if (part !== 'pre_tokenizer') return [];
  switch (type) {
    case 'WhitespaceSplit':
    case 'BertPreTokenizer':
      return [SPACES];
    case 'Whitespace':
      return [{ pattern: '[^\\x00-\\x7f]|[\\x1c-\\x1f]', why: 'which the library does not count among letters' }];
    case 'Digits':
      return [{ pattern: '(?![0-9])\\p{N}', why: 'which the library does not count among digits' }];
    case 'FixedLength':
      return [{ pattern: '[\\u{10000}-\\u{10ffff}]', why: 'which the library counts twice' }];
    case 'ByteLevel':
      return own(fields, 'use_regex') !== false && own(fields, 'add_prefix_space') !== false ? [SPACES] : [];
    case 'Split': {
      const by = own(fields, 'pattern');
      const regex = isObject(by) ? own(by, 'Regex') : undefined;
      return typeof regex === 'string' && regex.includes('(?i')
        ? [{ pattern: '[\\u017f\\u212a]', why: 'which is s or k where case does not count' }]
        : [];
    }
    default:
      return [];
  }
}

/** The split of GPT-2's byte-level tokenizer. */
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/**
 * A pre-tokenizer written so that the library does what its original does: GPT-2's split with Unicode's white space, and Metaspace's split
 * before each mark, which the library leaves out.
 */
export function mended(value: Json): Json {
  if (!isObject(value)) return value;
  const split = (regex: string, rest: Fields): Json => ({ type: 'Split', pattern: { Regex: regex }, ...rest });
  if (value.type === 'Sequence' && Array.isArray(value.pretokenizers)) return { ...value, pretokenizers: value.pretokenizers.map(mended) };
  if (value.type === 'ByteLevel' && value.use_regex !== false && value.add_prefix_space === false)
    return { type: 'Sequence', pretokenizers: [split(GPT2, { behavior: 'Isolated', invert: false }), { ...value, use_regex: false }] };
  if (value.type === 'Metaspace' && value.split !== false && typeof value.replacement === 'string') {
    const mark = value.replacement.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    return { type: 'Sequence', pretokenizers: [value, split(`${mark}[^${mark}]*|[^${mark}]+`, { behavior: 'Removed', invert: true })] };
  }
  return value;
}
