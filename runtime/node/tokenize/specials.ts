/**
 * The special tokens of a tokenizer's folder, as transformers 5 takes them: those of `tokenizer_config.json`, and, of folders that list no
 * `added_tokens_decoder` there, those of `special_tokens_map.json`, which then count first. `added_tokens.json` belongs to such folders too.
 */
import { basename, dirname } from 'node:path';
import type { TokenizerCheck } from '../../../formats/tokenizer/check.ts';
import { PivotError } from '../../../plan/errors.ts';
import { isObject, own } from '../../../plan/json.ts';
import type { Json, JsonFile } from '../../../plan/json.ts';

/** A file whose value is an object. */
export type ObjectFile = JsonFile & { value: { [key: string]: Json } };

export interface SpecialFiles {
  config?: ObjectFile;
  map?: ObjectFile;
  added?: ObjectFile;
}

/** Those that a model is told by must be tokens: ids beyond the table of embeddings would follow else. */
const MUST_BE_TOKENS = ['bos_token', 'eos_token', 'pad_token'];

/** Texts of the special tokens by name, and what is odd. @throws PivotError R0541 */
export function specialsOf(
  { config, map, added }: SpecialFiles,
  check: TokenizerCheck,
): { specials: Record<string, string>; warnings: string[] } {
  const decoder = config === undefined ? undefined : own(config.value, 'added_tokens_decoder');
  const isOld = !isObject(decoder);
  const configured = isObject(decoder) ? Object.values(decoder).map(contentOf) : [];
  if (isOld && added !== undefined) requireKnown(added, check);
  const specials: Record<string, string> = {};
  for (const file of [config, ...(isOld ? [map] : [])]) {
    if (file === undefined) continue;
    for (const [key, content] of namedIn(file)) {
      const known = check.has(content) || configured.includes(content);
      if (!known && MUST_BE_TOKENS.includes(key)) {
        throw new PivotError(
          'R0541',
          `${file.file}: ${key} is ${content}, which is no token of ${basename(dirname(file.file))}/tokenizer.json`,
          {
            cure: 'name a token of the vocabulary, or take both files from the same model',
            place: file.place([key]),
          },
        );
      }
      specials[key] = content;
    }
  }
  const warnings = isOld || map === undefined ? [] : unread(map, specials);
  return { specials, warnings };
}

/** A special token is written as a text, or as an object with its content. */
export function contentOf(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value;
  const content = isObject(value) ? own(value, 'content') : undefined;
  return typeof content === 'string' ? content : undefined;
}

/** `bos_token` and the like, and the model's own names among `extra_special_tokens`. */
function namedIn({ value }: ObjectFile): [string, string][] {
  const extra = own(value, 'extra_special_tokens');
  const entries = [
    ...Object.entries(value).filter(([key]) => /^[a-z]+_token$/.test(key)),
    ...(isObject(extra) ? Object.entries(extra) : []),
  ];
  return entries.flatMap(([key, one]): [string, string][] => {
    const content = contentOf(one);
    return content === undefined ? [] : [[key, content]];
  });
}

/** What a file names that does not count beside a newer one. */
function unread(map: ObjectFile, specials: Readonly<Record<string, string>>): string[] {
  return namedIn(map).flatMap(([key, content]) =>
    MUST_BE_TOKENS.includes(key) && specials[key] !== content
      ? [
          `${map.file}: ${key} is ${content}, and tokenizer_config.json, which counts where it has added_tokens_decoder, ` +
            `${specials[key] === undefined ? 'names none' : `says ${specials[key]}`}`,
        ]
      : [],
  );
}

/** Tokens that only an old file lists would have no id here. */
function requireKnown(added: ObjectFile, check: TokenizerCheck): void {
  const missing = Object.keys(added.value).filter((content) => !check.has(content));
  if (missing.length === 0) return;
  throw new PivotError('R0541', `${added.file} lists tokens that tokenizer.json does not have: ${missing.slice(0, 8).join(', ')}`, {
    cure: 'save the tokenizer anew with the library that made it, which writes them into tokenizer.json',
    place: { file: added.file },
  });
}
