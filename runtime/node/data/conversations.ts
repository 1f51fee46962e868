/**
 * Rows as conversations that a checkpoint's tokenizer and chat template have written. All rows are rendered when their source is opened, so that
 * a template's refusal of the last one is known before the first step; the process that executes templates ends with that.
 */
import { TOKENIZER_FILES } from '../../../plan/checkpoint-files.ts';
import { PivotError } from '../../../plan/errors.ts';
import type { DataSource } from '../../../plan/plan.ts';
import { wordsOf } from '../../core/data/conversation.ts';
import type { ConversationRow, Message } from '../../core/data/conversation.ts';
import type { Row, SourceContext, TokenIds } from '../../core/data/row.ts';
import { renderConversations, renderPairs, renderPlainPairs } from '../../core/tokenize/answers.ts';
import type { Pair, RenderOptions, Sequence } from '../../core/tokenize/answers.ts';
import { imageToken } from '../tokenize/image-token.ts';
import { openTokenizer } from '../tokenize/open.ts';
import type { TextTokenizer } from '../tokenize/open.ts';
import { checkFiles } from './content-hash.ts';
import type { Form } from './plain-rows.ts';

/** What is said in a row, without its pictures. */
export type SaidRow = Pick<
  ConversationRow,
  'prompt' | 'chosen' | 'rejected' | 'messages' | 'lead' | 'conversational' | 'extra' | 'rejectedImages'
>;

export function saidRow({ prompt, chosen, rejected, messages, lead, conversational, extra, rejectedImages }: ConversationRow): SaidRow {
  return { prompt, chosen, rejected, messages, lead, conversational, extra, rejectedImages };
}

export interface RenderedRow {
  texts: Row;
  /** Pictures in the order of the text, by their index in the row. */
  pictures: readonly number[];
}

/** Rows that go through the template at once. */
const BATCH = 256;

/** Throws R0523 (other files than when compiled), R0540 to R0544 (tokenizer, template, or a row they refuse). */
export async function renderRows(
  rows: readonly SaidRow[],
  form: Form,
  { chat, params }: DataSource,
  context: SourceContext,
  nameOf: (row: number) => string,
): Promise<RenderedRow[]> {
  if (chat === undefined) throw new Error('the plan names no chat template');
  const folder = context.resolve?.(chat.folder) ?? chat.folder;
  checkFiles(folder, TOKENIZER_FILES, chat.hash);
  const tokenizer = await openTokenizer(folder);
  try {
    for (const warning of tokenizer.warnings) context.warn?.(`warning: ${warning}`);
    const token = await imageToken(tokenizer, folder, params.image_token);
    const image = token === undefined ? {} : { image: { token, count: 1 } };
    const [id] = token === undefined ? [] : await tokenizer.ids([token]);
    const rendered: RenderedRow[] = [];
    for (let begin = 0; begin < rows.length; begin += BATCH) {
      const part = rows.slice(begin, begin + BATCH);
      const options: RenderOptions = { ...image, nameOf: (row) => nameOf(begin + row) };
      const made = form === 'preferences' ? await pairs(tokenizer, part, options) : await answers(tokenizer, part, options);
      made.forEach((sequences, i) => rendered.push(joined(part[i], sequences, id ?? -1, nameOf(begin + i))));
    }
    return rendered;
  } finally {
    await tokenizer.close();
  }
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

async function pairs(tokenizer: TextTokenizer, rows: readonly SaidRow[], options: RenderOptions): Promise<Sequence[][]> {
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

async function answers(tokenizer: TextTokenizer, rows: readonly SaidRow[], options: RenderOptions): Promise<Sequence[][]> {
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
function joined(row: SaidRow, [first, second]: Sequence[], image: number, name: string): RenderedRow {
  const begin = first.learnt.indexOf(1);
  const late = [first, ...(second ? [second] : [])].some(({ images }) => images.some((one) => one.begin >= begin));
  if (late) throw odd(undefined, 0, 'has a picture behind its first answer, where none can be seen yet', name);
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
