/**
 * Whether a `tokenizer.json` is one, before any of it is used. The library that executes it trusts its input: a merge of unknown tokens, an id
 * that stands twice or a type that it does not know would surface as other ids, or not at all.
 */
import { PivotError } from '../../plan/errors.ts';
import { isObject, kindOf, own, showPath } from '../../plan/json.ts';
import type { Json, JsonFile, JsonPath } from '../../plan/json.ts';
import { beforeUnigram, guardsOf, typesOf, unsupported } from './support.ts';
import type { Guard, Whole } from './support.ts';

export interface TokenizerCheck {
  warnings: string[];
  /** Ids below this. */
  vocabulary: number;
  /** Paths of patterns that the tokenizer's author wrote, and which a text may make slow. */
  patterns: { path: string; value: Json }[];
  /** Added tokens that can be used, as the file has them. */
  added: { [key: string]: Json }[];
  /** Characters that would become other ids than by the tokenizer's original. */
  guards: Guard[];
  has(token: string): boolean;
}

/** Above this an id is a slip: no table of embeddings is as long. */
const LARGEST_ID = 1 << 24;

/** Where a `Sequence` of each part holds its members. */
const MEMBERS: Readonly<Record<string, string>> = {
  normalizer: 'normalizers',
  pre_tokenizer: 'pretokenizers',
  post_processor: 'processors',
  decoder: 'decoders',
};

/** @throws PivotError R0541 with every fault of the file, ten at most. */
export function checkTokenizer(json: JsonFile): TokenizerCheck {
  const checker = new Checker(json);
  const { value } = json;
  if (!isObject(value)) checker.fault([], 'an object', kindOf(value));
  else checker.whole(value);
  checker.settle();
  return checker.result();
}

class Checker {
  private readonly json: JsonFile;
  private readonly faults: string[] = [];
  private first: JsonPath | undefined;
  private readonly warnings: string[] = [];
  private readonly patterns: TokenizerCheck['patterns'] = [];
  private readonly tokens = new Map<string, number>();
  private readonly added: { [key: string]: Json }[] = [];
  private readonly guards: Guard[] = [];
  private about: Whole = { tokens: new Map(), normalisedTokens: false };

  constructor(json: JsonFile) {
    this.json = json;
  }

  whole(value: { [key: string]: Json }): void {
    const model = own(value, 'model');
    if (!isObject(model)) return this.fault(['model'], 'an object with type and vocab', model === undefined ? 'none' : undefined);
    const type = this.modelType(model);
    if (type === undefined) return;
    if (type === 'Unigram') this.pieces(own(model, 'vocab'));
    else this.vocabulary(own(model, 'vocab'));
    if (type === 'BPE' && this.faults.length === 0) this.merges(model);
    this.addedTokens(own(value, 'added_tokens'));
    const normalised =
      (own(value, 'normalizer') ?? null) !== null && this.added.some((one) => own(one, 'normalized') ?? own(one, 'special') !== true);
    this.about = { tokens: this.tokens, normalisedTokens: normalised };
    this.supported('file', undefined, value, []);
    this.supported('model', type, model, ['model']);
    const expected = type === 'Unigram' ? beforeUnigram(own(value, 'pre_tokenizer'), this.about) : undefined;
    if (expected !== undefined) this.fault(['pre_tokenizer'], expected);
    for (const part of ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder']) this.part(part, own(value, part), [part]);
    if (type === 'BPE' && this.isByteLevel(own(value, 'pre_tokenizer'))) this.bytes(model);
    this.count();
  }

  /** Files before the field existed are told by what they hold. */
  private modelType(model: { [key: string]: Json }): string | undefined {
    const said = own(model, 'type');
    const type = said ?? (Array.isArray(own(model, 'vocab')) ? 'Unigram' : Object.hasOwn(model, 'merges') ? 'BPE' : 'WordPiece');
    if (typeof type === 'string' && typesOf('model').includes(type)) return type;
    this.fault(['model', 'type'], `BPE, WordPiece or Unigram${type === 'WordLevel' ? ' (WordLevel is not supported)' : ''}`);
    return undefined;
  }

  private vocabulary(vocab: Json | undefined): void {
    const path = ['model', 'vocab'];
    if (!isObject(vocab)) return this.fault(path, 'an object from tokens to ids', vocab === undefined ? 'none' : kindOf(vocab));
    const holders = new Map<number, string>();
    const twice: string[] = [];
    for (const [token, id] of Object.entries(vocab)) {
      if (!isId(id)) {
        this.fault([...path, token], `a whole number from 0 to ${LARGEST_ID} as the id of ${token}`);
        continue;
      }
      const holder = holders.get(id);
      if (holder !== undefined) twice.push(`${holder} and ${token} (${id})`);
      holders.set(id, token);
      this.tokens.set(token, id);
    }
    if (Object.keys(vocab).length === 0) this.fault(path, 'tokens', 'an empty vocabulary');
    if (twice.length > 0) this.warnings.push(`${this.json.file}: tokens of model.vocab share an id: ${some(twice)}`);
  }

  /** Unigram keeps pairs of piece and score; the id is the place. */
  private pieces(vocab: Json | undefined): void {
    if (!Array.isArray(vocab))
      return this.fault(['model', 'vocab'], 'a list of pieces and scores', vocab === undefined ? 'none' : kindOf(vocab));
    if (vocab.length === 0) this.fault(['model', 'vocab'], 'pieces', 'an empty vocabulary');
    vocab.forEach((entry, id) => {
      const good = Array.isArray(entry) && entry.length === 2 && typeof entry[0] === 'string' && typeof entry[1] === 'number';
      if (good) this.tokens.set(String(entry[0]), id);
      else this.fault(['model', 'vocab', id], 'a piece and its score');
    });
  }

  private merges(model: { [key: string]: Json }): void {
    const merges = own(model, 'merges');
    if (!Array.isArray(merges)) return this.fault(['model', 'merges'], 'a list', merges === undefined ? 'none' : kindOf(merges));
    const prefix = own(model, 'continuing_subword_prefix');
    const cut = typeof prefix === 'string' ? prefix.length : 0;
    merges.forEach((merge, i) => {
      const parts = typeof merge === 'string' ? merge.split(' ') : merge;
      const name = typeof merge === 'string' ? merge : Array.isArray(merge) ? merge.join(' ') : JSON.stringify(merge);
      if (!Array.isArray(parts) || parts.length !== 2 || !parts.every((one) => typeof one === 'string')) {
        return this.fault(['model', 'merges', i], 'a merge of two tokens', name);
      }
      const [left, right] = parts.map(String);
      const missing = [left, right, left + right.slice(cut)].filter((token) => !this.tokens.has(token));
      if (missing.length > 0)
        this.fault(['model', 'merges', i], `a merge of tokens of model.vocab into another (${name})`, `no token ${missing.join(', ')}`);
    });
  }

  private part(part: string, value: Json | undefined, path: JsonPath): void {
    if (value === undefined || value === null) return;
    const type = isObject(value) ? own(value, 'type') : undefined;
    if (!isObject(value) || typeof type !== 'string' || !typesOf(part).includes(type)) {
      return this.fault(
        [...path, 'type'],
        `one of ${typesOf(part).join(', ')}, which the library does as its original`,
        typeof type === 'string' ? type : 'none',
      );
    }
    this.supported(part, type, value, path);
    const pattern = own(value, 'pattern');
    if (isObject(pattern) && typeof own(pattern, 'Regex') === 'string') {
      this.patterns.push({ path: showPath([...path, 'pattern']), value: pattern });
    }
    if (type !== 'Sequence') return;
    const members = own(value, MEMBERS[part]);
    if (!Array.isArray(members)) return this.fault([...path, MEMBERS[part]], 'a list');
    if (path.length > 8) return this.fault(path, 'a few sequences inside one another at most');
    members.forEach((member, i) => this.part(part, member, [...path, MEMBERS[part], i]));
  }

  private addedTokens(list: Json | undefined): void {
    if (list === undefined || list === null) return;
    if (!Array.isArray(list)) return this.fault(['added_tokens'], 'a list');
    const holders = new Map(Array.from(this.tokens, ([token, id]) => [id, token]));
    const before = new Map<string, number>();
    list.forEach((entry, i) => {
      const path: JsonPath = ['added_tokens', i];
      if (!isObject(entry)) return this.fault(path, 'an object');
      const content = own(entry, 'content');
      const id = own(entry, 'id');
      if (typeof content !== 'string') return this.fault([...path, 'content'], 'a text', content === undefined ? 'none' : undefined);
      if (!isId(id)) return this.fault([...path, 'id'], `a whole number from 0 to ${LARGEST_ID} as the id of ${content}`);
      if (content === '') {
        this.warnings.push(`${this.json.file}: ${showPath(path)} is an added token without content; it is passed over`);
        return;
      }
      const holder = holders.get(id);
      const known = before.get(content) ?? this.tokens.get(content);
      if (known !== undefined && known !== id)
        return this.fault([...path, 'id'], `${known}, the id that the token ${content} has already`, String(id));
      if (holder !== undefined && holder !== content) {
        return this.fault([...path, 'id'], `an id of its own for the token ${content}`, `${id}, which is that of ${holder}`);
      }
      if (before.has(content)) {
        this.warnings.push(`${this.json.file}: the added token ${content} stands twice`);
        return;
      }
      before.set(content, id);
      holders.set(id, content);
      this.supported('added_tokens', undefined, entry, path);
      this.added.push(entry);
    });
    for (const [content, id] of before) this.tokens.set(content, id);
  }

  /** Keys and values that are not on the list of what the library does. */
  private supported(part: string, type: string | undefined, value: { [key: string]: Json }, path: JsonPath): void {
    for (const { key, expected } of unsupported(part, type, value, this.about)) this.fault([...path, key], expected);
    this.guards.push(...guardsOf(part, type ?? '', value));
  }

  private isByteLevel(value: Json | undefined): boolean {
    if (!isObject(value)) return false;
    const members = own(value, 'pretokenizers');
    return own(value, 'type') === 'ByteLevel' || (Array.isArray(members) && members.some((member) => this.isByteLevel(member)));
  }

  /** Without a token for a byte, and without one for what is unknown, a text would lose letters. */
  private bytes(model: { [key: string]: Json }): void {
    if (typeof own(model, 'unk_token') === 'string' || own(model, 'byte_fallback') === true) return;
    const missing = byteLetters().filter((letter) => !this.tokens.has(letter));
    if (missing.length > 0)
      this.warnings.push(
        `${this.json.file}: model.vocab has no token for ${missing.length} bytes: ${some(missing)}; texts with them are refused`,
      );
  }

  private count(): void {
    const largest = Array.from(this.tokens.values()).reduce((a, b) => Math.max(a, b), -1);
    const holder = Array.from(this.tokens).find(([, id]) => id === largest)?.[0];
    if (largest >= 2 * this.tokens.size + 256) {
      this.warnings.push(
        `${this.json.file}: there are ${this.tokens.size} tokens, and ${holder} has the id ${largest}; the table of embeddings must hold it`,
      );
    }
  }

  fault(path: JsonPath, expected: string, found?: string): void {
    this.first ??= path;
    const where = path.length === 0 ? '' : `${showPath(path)}: `;
    if (this.faults.length < 10)
      this.faults.push(`${where}expected ${expected}, found ${found ?? this.json.source(path)?.replace(/^"(.*)"$/, '$1') ?? 'none'}`);
  }

  settle(): void {
    if (this.first === undefined) return;
    throw new PivotError('R0541', `${this.json.file} cannot be used: ${this.faults.join('; ')}`, {
      cure: 'fetch the tokenizer again, or write it with what is expected; other settings would give other ids than those that the model knows',
      place: this.json.place(this.first),
    });
  }

  result(): TokenizerCheck {
    const { tokens, warnings, patterns, added, guards } = this;
    const vocabulary = Array.from(tokens.values()).reduce((a, b) => Math.max(a, b + 1), 0);
    return { warnings, patterns, added, guards, vocabulary, has: (token) => tokens.has(token) };
  }
}

function isId(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= LARGEST_ID;
}

function some(names: string[]): string {
  return names.slice(0, 8).join(', ') + (names.length > 8 ? `, and ${names.length - 8} more` : '');
}

/** The letters that stand for the 256 bytes in byte-level vocabularies: printable ones for themselves, others from U+0100 on (GPT-2). */
function byteLetters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCodePoint(printable ? byte : next++);
  });
}
