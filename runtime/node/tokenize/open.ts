/**
 * A tokenizer as others have it on disk: `tokenizer.json`, beside it `tokenizer_config.json`, and a chat template in one of three places.
 * Everything is checked when it is opened; what executes it runs bounded (`runner.ts`).
 */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readKnownArchitecture } from '../../../formats/config/config.ts';
import { readsClock } from '../../../formats/template/template.ts';
import { PivotError } from '../../../plan/errors.ts';
import { isObject, kindOf, own, readJson } from '../../../plan/json.ts';
import type { Json, JsonFile } from '../../../plan/json.ts';
import { mended } from '../../../formats/tokenizer/support.ts';
import { checkTokenizer } from '../../../formats/tokenizer/check.ts';
import type { TokenizerCheck } from '../../../formats/tokenizer/check.ts';
import type { Conversation, EngineFiles } from './engine.ts';
import { contentOf, specialsOf } from './specials.ts';
import type { ObjectFile } from './specials.ts';
import { openRunner } from './runner.ts';
import type { RunnerOptions } from './runner.ts';

export interface TextTokenizer {
  /** Path of `tokenizer.json`. */
  file: string;
  /** Path of the file that holds the chat template; undefined where there is none. */
  template: string | undefined;
  warnings: string[];
  /** All ids are below this. The table of embeddings may be longer. */
  vocabulary: number;
  /** Rows of the table of embeddings, by the config beside the tokenizer; undefined where there is none of a language model. */
  table: number | undefined;
  /** Texts of the special tokens that `tokenizer_config.json` names: `bos_token`, `eos_token`, `pad_token`, `unk_token`, ... */
  specials: Record<string, string>;
  /** Ids of texts. `special` adds what the tokenizer puts around a text (a BOS); texts of chat templates bring their own. */
  encode(texts: string[], special?: boolean): Promise<number[][]>;
  /** The tokens of texts as the vocabulary spells them. */
  tokens(texts: string[], special?: boolean): Promise<string[][]>;
  decode(ids: number[][], skipSpecial?: boolean): Promise<string[]>;
  /** Ids of tokens; undefined for what is no token. */
  ids(tokens: string[]): Promise<(number | undefined)[]>;
  /** The chat template's text for conversations; pictures are `imageMark` where the template takes texts only. */
  render(conversations: Conversation[], imageMark?: string): Promise<string[]>;
  close(): Promise<void>;
}

const CURE = 'fetch the file again';

/**
 * Opens a tokenizer. `path` is a `tokenizer.json`, alone, or a folder with it and the files beside it.
 * @throws PivotError R0504 (no such file), R0540 (not JSON), R0541 (not a tokenizer, or one that is not supported).
 * Its methods throw R0541 (a text without ids), R0542 (the template's own refusal, or none there) and R0543 (too slow, or too much memory).
 */
export async function openTokenizer(path: string, options: RunnerOptions = {}): Promise<TextTokenizer> {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const file = isFolder ? join(path, 'tokenizer.json') : path;
  const bytes = await readOwn(file);
  const json = readJson(bytes, file, { code: 'R0540', cure: CURE });
  const check = checkTokenizer(json);
  const config = isFolder ? await readObject(join(path, 'tokenizer_config.json')) : undefined;
  const beside = async (name: string): Promise<ObjectFile | undefined> => (isFolder ? readObject(join(path, name)) : undefined);
  const [map, addedFile] = [await beside('special_tokens_map.json'), await beside('added_tokens.json')];
  const { specials, warnings } = specialsOf(
    { ...(config ? { config } : {}), ...(map ? { map } : {}), ...(addedFile ? { added: addedFile } : {}) },
    check,
  );
  const added = withConfigured(check, config);
  const table = isFolder ? await tableOf(path) : undefined;
  const template = isFolder ? await templateOf(path, config) : undefined;
  const files: EngineFiles = {
    tokenizer: { ...partsOf(json), added_tokens: added.tokens },
    config: config === undefined ? { clean_up_tokenization_spaces: false } : libraryConfig(config),
    patterns: check.patterns,
    guards: check.guards,
    template: template?.text,
    specials,
  };
  const names = { tokenizer: file, template: template?.file ?? config?.file ?? file };
  const runner = openRunner(files, names, bytes.length, options);
  return {
    file,
    template: template?.file,
    warnings: [
      ...(table !== undefined && added.vocabulary > table ? [tableWarning(file, added.vocabulary, table)] : []),
      ...check.warnings,
      ...warnings,
      ...(template !== undefined && readsClock(template.text) ? [clockWarning(template.file)] : []),
    ],
    vocabulary: added.vocabulary,
    table,
    specials,
    encode: async (items, special = false) => (await runner.run({ kind: 'encode', items, special })) as number[][],
    tokens: async (items, special = false) => (await runner.run({ kind: 'tokens', items, special })) as string[][],
    decode: async (items, skipSpecial = false) => (await runner.run({ kind: 'decode', items, skipSpecial })) as string[],
    ids: async (items) => ((await runner.run({ kind: 'ids', items })) as (number | null)[]).map((id) => id ?? undefined),
    render: async (items, imageMark = '') => {
      if (template === undefined) {
        throw new PivotError(
          'R0542',
          `${basename(dirname(file))} has no chat_template, in tokenizer_config.json, chat_template.json or chat_template.jinja`,
          {
            cure: 'use the tokenizer of a model that was tuned for conversations, or rows of plain texts',
            place: { file: names.template },
          },
        );
      }
      return (await runner.run({ kind: 'render', items, imageMark })) as string[];
    },
    close: runner.close,
  };
}

/** Rows of the table of the language model whose config lies in a folder. */
async function tableOf(folder: string): Promise<number | undefined> {
  const file = join(folder, 'config.json');
  if (!existsSync(file)) return undefined;
  const known = readKnownArchitecture(await readFile(file), file)?.architecture;
  const language = known !== undefined && 'language' in known ? known.language : known;
  return language !== undefined && 'vocabulary' in language ? language.vocabulary : undefined;
}

function tableWarning(file: string, vocabulary: number, table: number): string {
  return `${file} has ids up to ${vocabulary - 1}, and the table of embeddings beside it ${table} rows (vocab_size): rows with tokens beyond it are refused`;
}

function clockWarning(file: string): string {
  return (
    `the chat_template of ${file} may write today's date (strftime_now), so that rows become other tokens on another day; ` +
    'where a run is to be repeated, write the date into the template'
  );
}

/** What the library reads of the file. */
function partsOf(json: JsonFile): { [key: string]: Json } {
  const value = isObject(json.value) ? json.value : {};
  const keys = ['normalizer', 'pre_tokenizer', 'model', 'post_processor', 'decoder'];
  return Object.fromEntries(
    keys.map((key) => [key, key === 'pre_tokenizer' ? mended(own(value, key) ?? null) : (own(value, key) ?? null)]),
  );
}

async function readOwn(file: string): Promise<Uint8Array> {
  if (!existsSync(file))
    throw new PivotError('R0504', `there is no file ${file}`, { cure: 'give a folder with tokenizer.json', place: { file } });
  return readFile(file);
}

/** A JSON file whose value is an object; undefined where there is no such file. */
async function readObject(file: string): Promise<ObjectFile | undefined> {
  if (!existsSync(file)) return undefined;
  const json = readJson(await readFile(file), file, { code: 'R0540', cure: CURE });
  if (!isObject(json.value)) {
    throw new PivotError('R0541', `${file}: expected an object, found ${kindOf(json.value)}`, { cure: CURE, place: { file } });
  }
  return { ...json, value: json.value };
}

/** Added tokens of `tokenizer.json`, and those that only `tokenizer_config.json` lists, as transformers takes them. */
function withConfigured(check: TokenizerCheck, config: ObjectFile | undefined): { tokens: { [key: string]: Json }[]; vocabulary: number } {
  const tokens = [...check.added];
  let { vocabulary } = check;
  const decoder = config === undefined ? undefined : own(config.value, 'added_tokens_decoder');
  for (const [id, entry] of Object.entries(isObject(decoder) ? decoder : {})) {
    const content = contentOf(entry);
    if (!isObject(entry) || content === undefined || content === '' || check.has(content)) continue;
    if (!/^\d{1,7}$/.test(id)) {
      throw new PivotError('R0541', `${config?.file}: added_tokens_decoder: expected an id for ${content}, found ${id}`, {
        cure: CURE,
        place: { file: config?.file ?? '' },
      });
    }
    tokens.push({ ...entry, id: Number(id) });
    vocabulary = Math.max(vocabulary, Number(id) + 1);
  }
  return { tokens, vocabulary };
}

/** What the library reads of the config; the rest, such as templates, need not reach the process. */
function libraryConfig(config: ObjectFile): { [key: string]: Json } {
  // `clean_up_tokenization_spaces` is not among them: transformers 5 passes over it, and decoded texts stay as they were encoded.
  // Nor are `remove_space` and `do_lowercase_and_remove_accent`: what transformers executes is the file of the tokenizer alone.
  const kept = ['unk_token', 'eos_token'];
  const entries = kept.filter((key) => Object.hasOwn(config.value, key)).map((key): [string, Json] => [key, config.value[key]]);
  return { clean_up_tokenization_spaces: false, ...Object.fromEntries(entries) };
}

/** The template: a file of its own, a processor's, or the tokenizer's. The processor's knows of pictures. */
async function templateOf(folder: string, config: ObjectFile | undefined): Promise<{ text: string; file: string } | undefined> {
  const plain = join(folder, 'chat_template.jinja');
  if (existsSync(plain)) return { text: await readFile(plain, 'utf8'), file: plain };
  for (const json of [await readObject(join(folder, 'chat_template.json')), config]) {
    const value = json === undefined ? undefined : own(json.value, 'chat_template');
    if (json === undefined || value === undefined || value === null) continue;
    const text = Array.isArray(value) ? named(value) : value;
    if (typeof text === 'string') return { text, file: json.file };
    throw new PivotError(
      'R0542',
      `${json.file}: chat_template: expected a text, or a list of names and templates, found ${kindOf(value)}`,
      {
        cure: CURE,
        place: json.place(['chat_template']),
      },
    );
  }
  return undefined;
}

/** Of several templates the one named `default`. */
function named(list: Json[]): Json | undefined {
  const found = list.filter(isObject).find((one) => own(one, 'name') === 'default');
  return found === undefined ? undefined : own(found, 'template');
}
