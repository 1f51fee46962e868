/**
 * Executes a tokenizer and its chat template. Others' patterns and templates may take for ever or fill the memory, so this runs in a process
 * (`process.ts`) that can be ended; its input has been checked (`formats/tokenizer/check.ts`).
 */
import { TemplateError } from '../../../formats/template/errors.ts';
import { ChatTemplate } from '../../../formats/template/template.ts';
import type { Guard } from '../../../formats/tokenizer/support.ts';
import { isObject } from '../../../plan/json.ts';
import type { Json } from '../../../plan/json.ts';
import { SplitPreTokenizer, Tokenizer } from './library.ts';
import type { LibraryTokenizer } from './library.ts';

/** What it is built from. `tokenizer` and `config` are the parsed files. */
export interface EngineFiles {
  tokenizer: { [key: string]: Json };
  config: { [key: string]: Json };
  /** Patterns of the file, for messages. */
  patterns: { path: string; value: Json }[];
  /** Characters that would become other ids than by the tokenizer's original. */
  guards: Guard[];
  template?: string;
  /** Texts of special tokens by name (`bos_token`), as templates see them. */
  specials: Record<string, string>;
}

/** A message as a template sees it: parts, or one text, and whatever else the message says. */
export interface TemplateMessage {
  role: string;
  content: string | ({ type: 'text'; text: string } | { type: 'image' })[];
  [key: string]: Json | undefined;
}

export interface Conversation {
  messages: { role: string; content: ({ type: 'text'; text: string } | { type: 'image' })[]; more?: { [key: string]: Json } }[];
  generation: boolean;
  tools?: Json[];
}

/** One job; each job answers with a list as long as its items. */
export type Job =
  | { kind: 'encode'; items: string[]; special: boolean }
  | { kind: 'tokens'; items: string[]; special: boolean }
  | { kind: 'decode'; items: number[][]; skipSpecial: boolean }
  | { kind: 'ids'; items: string[] }
  | { kind: 'render'; items: Conversation[]; imageMark: string };

/** A fault of the user's files, told by the engine: `about` is the file at fault. */
export class EngineFault extends Error {
  readonly about: 'tokenizer' | 'template';

  constructor(about: 'tokenizer' | 'template', message: string) {
    super(message);
    this.name = 'EngineFault';
    this.about = about;
  }
}

export class Engine {
  private readonly tokenizer: LibraryTokenizer;
  private readonly files: EngineFiles;
  private template: { parsed: ChatTemplate; takesParts: boolean } | undefined;

  /** @throws EngineFault where a pattern cannot be compiled. */
  constructor(files: EngineFiles) {
    this.files = files;
    for (const { path, value } of files.patterns) {
      try {
        // Only to compile the pattern by itself, so that a fault has a name.
        void new SplitPreTokenizer({ type: 'Split', pattern: value, behavior: 'Isolated', invert: false });
      } catch (error) {
        throw new EngineFault('tokenizer', `${path} ${JSON.stringify(value)} is no pattern: ${said(error)}`);
      }
    }
    try {
      this.tokenizer = new Tokenizer(withoutLoss(files.tokenizer), files.config);
    } catch (error) {
      throw new EngineFault('tokenizer', said(error));
    }
  }

  /** Does one item of a job. @throws EngineFault */
  item(job: Job, index: number): number[] | string[] | string | number | null {
    try {
      return this.do(job, index);
    } catch (error) {
      // The library trusts its files: what it stumbles over is a value in them.
      throw error instanceof EngineFault ? error : new EngineFault('tokenizer', said(error));
    }
  }

  private do(job: Job, index: number): ReturnType<Engine['item']> {
    switch (job.kind) {
      case 'encode':
        return this.encode(job.items[index], job.special);
      case 'tokens':
        return this.tokenizer.tokenize(job.items[index], { add_special_tokens: job.special });
      case 'decode':
        return job.items[index].length === 0 ? '' : this.tokenizer.decode(job.items[index], { skip_special_tokens: job.skipSpecial });
      case 'ids':
        return this.tokenizer.token_to_id(job.items[index]) ?? null;
      case 'render':
        return this.render(job.items[index], job.imageMark);
    }
  }

  private encode(text: string, special: boolean): number[] {
    for (const { pattern, why } of this.files.guards) {
      const found = new RegExp(pattern, 'u').exec(text);
      if (found !== null)
        throw new EngineFault(
          'tokenizer',
          `the text ${brief(text)} has ${JSON.stringify(found[0])} (U+${(found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}), ${why}`,
        );
    }
    const { ids } = this.tokenizer.encode(text, { add_special_tokens: special });
    return ids.map((id) => {
      if (id !== undefined) return id;
      throw new EngineFault('tokenizer', `it has no token for a letter of the text ${brief(text)}, and none for what is unknown`);
    });
  }

  private render(conversation: Conversation, imageMark: string): string {
    const { parsed, takesParts } = this.templateOf();
    const messages: TemplateMessage[] = conversation.messages.map(({ role, content, more }) => ({
      ...more,
      role,
      content: takesParts ? content : content.map((part) => (part.type === 'text' ? part.text : imageMark)).join(''),
    }));
    return this.run(parsed, messages, conversation.generation, conversation.tools);
  }

  private templateOf(): { parsed: ChatTemplate; takesParts: boolean } {
    if (this.template !== undefined) return this.template;
    if (this.files.template === undefined) throw new EngineFault('template', 'there is none');
    let parsed: ChatTemplate;
    try {
      parsed = new ChatTemplate(this.files.template);
    } catch (error) {
      throw templateFault(error, 'it cannot be read');
    }
    this.template = { parsed, takesParts: this.takesParts(parsed) };
    return this.template;
  }

  /** Templates of text models want a text where those of multimodal models want parts; what one does with parts tells which it is. */
  private takesParts(parsed: ChatTemplate): boolean {
    const word = 'qzxjk';
    try {
      const out = this.run(parsed, [{ role: 'user', content: [{ type: 'text', text: word }] }], false);
      return out.includes(word) && !/["']?type["']?\s*:/.test(out);
    } catch {
      return false;
    }
  }

  private run(parsed: ChatTemplate, messages: TemplateMessage[], generation: boolean, tools: Json[] | null = null): string {
    try {
      return parsed.render({
        ...this.files.specials,
        messages: messages.map(asJson),
        add_generation_prompt: generation,
        tools,
        documents: null,
      });
    } catch (error) {
      throw templateFault(error, 'it refuses the conversation');
    }
  }
}

/** Without keys that have no value: a template would take these for values that are not defined. */
function asJson(message: TemplateMessage): Json {
  return Object.fromEntries(
    Object.entries(message).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as [string, Json]])),
  );
}

function templateFault(error: unknown, what: string): EngineFault {
  const line = error instanceof TemplateError ? error.line : undefined;
  return new EngineFault('template', `${what}${line === undefined ? '' : ` at its line ${line}`}: ${said(error)}`);
}

/**
 * Where BPE has no token for a letter and none for what is unknown, the library drops the letter, as its original does. Named a token for the
 * unknown that is none, it yields one without an id instead, which `encode` refuses.
 */
function withoutLoss(tokenizer: EngineFiles['tokenizer']): EngineFiles['tokenizer'] {
  const { model } = tokenizer;
  if (!isObject(model) || !Object.hasOwn(model, 'merges') || (model.unk_token ?? null) !== null) return tokenizer;
  return { ...tokenizer, model: { ...model, unk_token: '\u0000 no token' } };
}

function said(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 500) : String(error);
}

function brief(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text);
}
