/** Rows as conversations that a checkpoint's tokenizer and chat template have written: ids, and what is learnt of them. */
import { PivotError } from '../../../plan/errors.ts';
import { wordsOf } from '../../core/data/conversation.ts';
import type { ConversationRow, Message } from '../../core/data/conversation.ts';
import type { Row, TokenIds } from '../../core/data/row.ts';
import { renderConversations, renderPairs, renderPlainPairs } from '../../core/tokenize/answers.ts';
import type { ChatTokenizer, Pair, RenderOptions, Sequence } from '../../core/tokenize/answers.ts';
import { requireRows } from '../../core/tokenize/table.ts';
import type { TableTokenizer } from '../../core/tokenize/table.ts';
import { imageToken } from '../tokenize/image-token.ts';
import { openTokenizer } from '../tokenize/open.ts';
import type { TextTokenizer } from '../tokenize/open.ts';
import { placeOf } from './faults.ts';
import type { Form } from './plain-rows.ts';

/** What is said in a row, without its pictures. */
export type SaidRow = Pick<
  ConversationRow,
  'prompt' | 'chosen' | 'rejected' | 'messages' | 'lead' | 'conversational' | 'tools' | 'extra' | 'rejectedImages' | 'place'
>;

export function saidRow(row: ConversationRow): SaidRow {
  const { prompt, chosen, rejected, messages, lead, conversational, tools, extra, rejectedImages, place } = row;
  return { prompt, chosen, rejected, messages, lead, conversational, tools, extra, rejectedImages, place };
}

export interface RenderedRow {
  texts: Row;
  /** Pictures in the order of the text, by their index in the row. */
  pictures: readonly number[];
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
  tokenizer: ChatTokenizer & TableTokenizer,
  rows: readonly SaidRow[],
  form: Form,
  image: ImageToken | undefined,
  warn?: (text: string) => void,
): Promise<RenderedRow[]> {
  const options: RenderOptions = {
    ...(image === undefined ? {} : { image: { token: image.token, count: 1 } }),
    nameOf: (row) => placeOf(rows[row].place),
    toolsOf: (row) => rows[row].tools,
    ...(warn === undefined ? {} : { warn }),
  };
  const made = await (form === 'preferences' ? pairs(tokenizer, rows, options) : answers(tokenizer, rows, options));
  await requireRows(
    tokenizer,
    made.map((sequences) => sequences.map(({ ids }) => ids)),
    (row) => placeOf(rows[row].place),
  );
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
      const { nameOf, toolsOf, ...rest } = outer(options);
      return { ...rest, nameOf: (row) => nameOf?.(indices[row]) ?? `row ${indices[row] + 1}`, toolsOf: (row) => toolsOf?.(indices[row]) };
    };
    const made = await render(
      indices.map((i) => rows[i]),
      at,
    );
    indices.forEach((i, k) => (result[i] = made[k]));
  }
  return result;
}

/** A row's sequences as ids: what stands before the first answer that is learnt is the prompt. Both answers of a pair follow the same one. */
function joined(row: SaidRow, [first, second]: Sequence[], image: number): RenderedRow {
  const { begin } = first;
  const late = [first, ...(second ? [second] : [])].some(({ images }) => images.some((one) => one.begin >= begin));
  if (late) throw odd(undefined, 0, 'has a picture behind its first answer, where none can be seen yet', placeOf(row.place));
  // The first token of a sequence follows nothing, so no model says how likely it is.
  if (begin === 0)
    throw odd(undefined, 0, 'has an answer without a prompt, and the first token of a sequence has no probability', placeOf(row.place));
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
