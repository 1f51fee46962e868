/**
 * Rows as conversations that a checkpoint's tokenizer and chat template have written. All rows are rendered while their source is being opened,
 * so that a template's refusal of the last one is known before the first step; the process that executes templates ends with that.
 */
import { TOKENIZER_FILES } from '../../../plan/checkpoint-files.ts';
import { PivotError } from '../../../plan/errors.ts';
import type { DataSource } from '../../../plan/plan.ts';
import { wordsOf } from '../../core/data/conversation.ts';
import type { ConversationRow, Message } from '../../core/data/conversation.ts';
import type { Row, SourceContext, TokenIds } from '../../core/data/row.ts';
import { renderConversations, renderPairs, renderPlainPairs } from '../../core/tokenize/answers.ts';
import type { ChatTokenizer, Pair, RenderOptions, Sequence } from '../../core/tokenize/answers.ts';
import { imageToken } from '../tokenize/image-token.ts';
import { openTokenizer } from '../tokenize/open.ts';
import type { TextTokenizer } from '../tokenize/open.ts';
import { checkFiles } from './content-hash.ts';
import { placeOf } from './faults.ts';
import type { Form } from './plain-rows.ts';

/** What is said in a row, without its pictures. */
export type SaidRow = Pick<
  ConversationRow,
  'prompt' | 'chosen' | 'rejected' | 'messages' | 'lead' | 'conversational' | 'extra' | 'rejectedImages' | 'place'
>;

function saidRow({ prompt, chosen, rejected, messages, lead, conversational, extra, rejectedImages, place }: ConversationRow): SaidRow {
  return { prompt, chosen, rejected, messages, lead, conversational, extra, rejectedImages, place };
}

export interface RenderedRow {
  texts: Row;
  /** Pictures in the order of the text, by their index in the row. */
  pictures: readonly number[];
}

/** Rows that go through the template at once, and are held until then. */
const BATCH = 256;

/**
 * Renders rows as they come, a batch at a time, and hands each on to `keep`, in their order. A refusal is told at the end, since faults of the
 * rows themselves, which may come behind it, are to be mended first.
 */
export class ConversationRenderer<Beside> {
  private readonly form: Form;
  private readonly spec: DataSource;
  private readonly context: SourceContext;
  private readonly keep: (row: RenderedRow, beside: Beside) => void;
  private waiting: { said: SaidRow; beside: Beside }[] = [];
  private templates: Promise<Templates> | undefined;
  private refusal: { error: unknown } | undefined;

  constructor(form: Form, spec: DataSource, context: SourceContext, keep: (row: RenderedRow, beside: Beside) => void) {
    this.form = form;
    this.spec = spec;
    this.context = context;
    this.keep = keep;
  }

  /** `beside` is handed on with what becomes of the row. */
  async add(row: ConversationRow, beside: Beside): Promise<void> {
    if (this.refusal !== undefined) return;
    this.waiting.push({ said: saidRow(row), beside });
    if (this.waiting.length === BATCH) await this.render();
  }

  /** Renders the last rows. Throws R0523 (other files than when compiled), R0540 to R0544 (tokenizer, template, or a row they refuse). */
  async finish(): Promise<void> {
    if (this.waiting.length > 0) await this.render();
    if (this.refusal !== undefined) throw this.refusal.error;
    const { tokenizer } = await this.open();
    for (const warning of tokenizer.warnings) this.context.warn?.(`warning: ${warning}`);
  }

  async close(): Promise<void> {
    await this.templates?.then(
      ({ tokenizer }) => tokenizer.close(),
      () => undefined,
    );
  }

  private async render(): Promise<void> {
    const part = this.waiting;
    this.waiting = [];
    try {
      const { tokenizer, image } = await this.open();
      const made = await renderSaid(
        tokenizer,
        part.map(({ said }) => said),
        this.form,
        image,
      );
      made.forEach((row, i) => this.keep(row, part[i].beside));
    } catch (error) {
      this.refusal = { error };
    }
  }

  private open(): Promise<Templates> {
    const open = async ({ chat, params }: DataSource): Promise<Templates> => {
      if (chat === undefined) throw new Error('the plan names no chat template');
      const folder = this.context.resolve?.(chat.folder) ?? chat.folder;
      checkFiles(folder, TOKENIZER_FILES, chat.hash);
      return openTemplates(folder, params.image_token);
    };
    return (this.templates ??= open(this.spec));
  }
}

/** A token that stands for a picture in texts; its id is absent where the tokenizer does not have it. */
export interface ImageToken {
  token: string;
  id: number | undefined;
}

/** A tokenizer with its chat template, and what stands for a picture. Its owner closes it. */
export interface Templates {
  tokenizer: TextTokenizer;
  image?: ImageToken;
}

/** Opens those of a folder; `given` is the token for pictures where it is named. Throws R0504, R0540, R0541. */
export async function openTemplates(folder: string, given: unknown): Promise<Templates> {
  const tokenizer = await openTokenizer(folder);
  try {
    const token = await imageToken(tokenizer, folder, given);
    return token === undefined ? { tokenizer } : { tokenizer, image: { token, id: (await tokenizer.ids([token]))[0] } };
  } catch (error) {
    await tokenizer.close();
    throw error;
  }
}

/** Rows as ids: both answers of preferences, one answer else. An image token stands once for each picture. Throws R0542 to R0544. */
export async function renderSaid(
  tokenizer: ChatTokenizer,
  rows: readonly SaidRow[],
  form: Form,
  image: ImageToken | undefined,
): Promise<RenderedRow[]> {
  const options: RenderOptions = {
    ...(image === undefined ? {} : { image: { token: image.token, count: 1 } }),
    nameOf: (row) => placeOf(rows[row].place),
  };
  const made = await (form === 'preferences' ? pairs(tokenizer, rows, options) : answers(tokenizer, rows, options));
  return made.map((sequences, i) => joined(rows[i], sequences, image?.id ?? -1));
}

/** Writes ids one by one, each as text. */
export function spellerOf(folder: string): (ids: readonly number[]) => Promise<string[]> {
  return async (ids) => {
    const tokenizer = await openTokenizer(folder);
    try {
      return await tokenizer.decode(
        ids.map((id) => [id]),
        false,
      );
    } finally {
      await tokenizer.close();
    }
  };
}

async function pairs(tokenizer: ChatTokenizer, rows: readonly SaidRow[], options: RenderOptions): Promise<Sequence[][]> {
  const pairOf = (row: SaidRow, i: number): Pair => {
    const { prompt = [], chosen = [], rejected = [] } = row;
    if (row.rejectedImages !== undefined)
      throw odd(options, i, 'has other pictures for the rejected answer; both answers are to the same ones');
    return { prompt, chosen, rejected };
  };
  return chosenBy(
    rows,
    ({ conversational }) => conversational !== false,
    async (some, at) => (await renderPairs(tokenizer, some.map(pairOf), at(options))).map(({ chosen, rejected }) => [chosen, rejected]),
    async (some, at) =>
      (await renderPlainPairs(tokenizer, some.map(pairOf), at(options))).map(({ chosen, rejected }) => [chosen, rejected]),
  );
}

async function answers(tokenizer: ChatTokenizer, rows: readonly SaidRow[], options: RenderOptions): Promise<Sequence[][]> {
  const messagesOf = ({ messages, prompt = [], chosen = [] }: SaidRow): Message[] => messages ?? [...prompt, ...chosen];
  // Both answers of a pair are the row's own.
  const split = (row: SaidRow): Pair => {
    const messages = messagesOf(row);
    const [prompt, chosen] = [messages.slice(0, row.lead ?? -1), messages.slice(row.lead ?? -1)];
    return { prompt, chosen, rejected: chosen };
  };
  const single = (row: SaidRow): boolean => messagesOf(row).filter(({ role }) => role === 'assistant').length === 1;
  return chosenBy(
    rows,
    ({ conversational }) => conversational !== false,
    // One answer is tokenised apart from its prompt, as it is when a model answers; several can only be found in the whole.
    (conversations, outer) =>
      chosenBy(
        conversations,
        (row) => row.lead !== undefined || single(row),
        async (some, at) => (await renderPairs(tokenizer, some.map(split), at(options))).map(({ chosen }) => [chosen]),
        async (some, at) => (await renderConversations(tokenizer, some.map(messagesOf), 'answers', at(options))).map((one) => [one]),
        outer,
      ),
    async (some, at) => (await renderPlainPairs(tokenizer, some.map(split), at(options))).map(({ chosen }) => [chosen]),
  );
}

/** Options whose names of rows are those of a part of them. */
type At = (options: RenderOptions) => RenderOptions;
type Renderer = (rows: readonly SaidRow[], at: At) => Promise<Sequence[][]>;

/** Renders rows of two kinds apart, and gives them back in their order. */
async function chosenBy(
  rows: readonly SaidRow[],
  is: (row: SaidRow) => boolean,
  yes: Renderer,
  no: Renderer,
  outer: At = (options) => options,
): Promise<Sequence[][]> {
  const result: Sequence[][] = [];
  for (const [kind, render] of [[true, yes] as const, [false, no] as const]) {
    const indices = rows.flatMap((row, i) => (is(row) === kind ? [i] : []));
    if (indices.length === 0) continue;
    const at: At = (options) => {
      const { nameOf, ...rest } = outer(options);
      return { ...rest, ...(nameOf === undefined ? {} : { nameOf: (row: number) => nameOf(indices[row]) }) };
    };
    const made = await render(
      indices.map((i) => rows[i]),
      at,
    );
    indices.forEach((i, k) => (result[i] = made[k]));
  }
  return result;
}

/** A row's sequences as ids: what stands before the first learnt token is the prompt. */
function joined(row: SaidRow, [first, second]: Sequence[], image: number): RenderedRow {
  const begin = first.learnt.indexOf(1);
  const late = [first, ...(second ? [second] : [])].some(({ images }) => images.some((one) => one.begin >= begin));
  if (late) throw odd(undefined, 0, 'has a picture behind its first answer, where none can be seen yet', placeOf(row.place));
  const prompt = Array.from(first.ids.subarray(0, begin));
  const [answer, other] = [first, second].map((one) => one && Array.from(one.ids.subarray(begin)));
  const learnt = first.learnt.subarray(begin);
  const ids: TokenIds =
    other === undefined
      ? { prompt, answer, image, ...(learnt.includes(0) ? { learnt, last: lastBegin(learnt) } : {}) }
      : { prompt, chosen: answer, rejected: other, image };
  return {
    texts: { ids, ...wordsOfRow(row), ...(row.extra === undefined ? {} : { extra: row.extra }) },
    pictures: first.images.map(({ index }) => index),
  };
}

/** Where the last run of learnt tokens begins. */
function lastBegin(learnt: Uint8Array): number {
  return learnt.lastIndexOf(0, learnt.lastIndexOf(1)) + 1;
}

function wordsOfRow({ prompt, chosen, rejected, messages }: SaidRow): Pick<Row, 'prompt' | 'chosen' | 'rejected' | 'answer'> {
  if (messages !== undefined) return { prompt: wordsOf(messages.slice(0, -1)), answer: wordsOf(messages.slice(-1)) };
  return {
    prompt: wordsOf(prompt ?? []),
    chosen: wordsOf(chosen ?? []),
    ...(rejected === undefined ? {} : { rejected: wordsOf(rejected) }),
  };
}

function odd(options: RenderOptions | undefined, row: number, what: string, name?: string): PivotError {
  return new PivotError('R0544', `${name ?? options?.nameOf?.(row) ?? `row ${row + 1}`} ${what}`, {
    cure: 'mend the row, or leave it out',
  });
}
