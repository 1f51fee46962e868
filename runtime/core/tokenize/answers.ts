/**
 * From conversations to token ids with a mask of what is learnt. Which tokens are the answer's is found by rendering prefixes: the
 * text of the prompt must be a beginning of the text with the answer, and what follows is the answer, the end of turn and whatever the
 * template puts behind it included. This is TRL's way (its collators for vision data), down to the ids:
 *
 * - Pairs, and conversations of which the last answer is learnt: prompt and answer are tokenised apart and joined, as they are when a model
 *   answers: the prompt is given, tokens are drawn behind it.
 * - Conversations of which all answers are learnt are tokenised whole. Where a token would hold letters of both sides of a border, the
 *   row is refused.
 * - Plain rows get no template and no end of turn.
 *
 * A row of which no token would be learnt is refused: what it adds to a mean over tokens is 0/0.
 */
import { PivotError } from '../../../plan/errors.ts';
import type { Message, Part } from '../data/conversation.ts';
import type { Json } from '../data/row.ts';
import { checkExtras } from './extras.ts';

/** What is needed of a tokenizer with a chat template (`runtime/node/tokenize/open.ts`). */
export interface ChatTokenizer {
  file: string;
  /** The file of the chat template. */
  template: string | undefined;
  encode(texts: string[]): Promise<number[][]>;
  ids(tokens: string[]): Promise<(number | undefined)[]>;
  render(conversations: RenderedConversation[], imageMark?: string): Promise<string[]>;
}

/** What a chat template is given: with `generation`, it is to begin the assistant's next turn. */
export interface RenderedConversation {
  messages: Message[];
  generation: boolean;
  tools?: Json[];
}

export interface Pair {
  prompt: Message[];
  chosen: Message[];
  rejected: Message[];
}

/** One text as a model reads it. */
export interface Sequence {
  ids: Int32Array;
  /** Where the prompt ends and the first answer that is learnt begins. */
  begin: number;
  /** 1 where the token is learnt. */
  learnt: Uint8Array;
  /** Where the tokens of pictures stand, in the order of the text: picture `index` of the row, from `begin` on, `count` tokens. */
  images: { index: number; begin: number; count: number }[];
}

export interface RenderOptions {
  /** The token that stands for a picture in texts (`<image>`), and how many of it a picture takes. Not needed for rows without pictures. */
  image?: { token: string; count: number };
  /** Names a row in messages; by default its number from 1. */
  nameOf?(row: number): string;
  /** The tools of a row, where it has some. */
  toolsOf?(row: number): Json[] | undefined;
  /** Told what the template passes over and the row can do without; once for each such key. */
  warn?(text: string): void;
}

/** How many of a conversation's tokens are learnt: every answer that its row does not exclude, the last answer, or all tokens (TRL's default for conversations). */
export type Learn = 'answers' | 'last' | 'all';

/** Pairs through the chat template. @throws PivotError R0542 (the template), R0544 (the row). */
export async function renderPairs(
  tokenizer: ChatTokenizer,
  rows: readonly Pair[],
  options: RenderOptions = {},
): Promise<{ chosen: Sequence; rejected: Sequence }[]> {
  const context = await contextOf(tokenizer, options);
  const completions = rows.flatMap((row, i) => {
    checkPrompt(row.prompt, context.nameOf(i));
    return [row.chosen, row.rejected].map((answer): Completion => ({ row: i, prompt: row.prompt, answer }));
  });
  const sequences = await renderCompletions(tokenizer, completions, context);
  return rows.map((_, i) => ({ chosen: sequences[2 * i], rejected: sequences[2 * i + 1] }));
}

/** Pairs of plain texts: what the parts say, no template, no end of turn. */
export async function renderPlainPairs(
  tokenizer: ChatTokenizer,
  rows: readonly Pair[],
  options: RenderOptions = {},
): Promise<{ chosen: Sequence; rejected: Sequence }[]> {
  const context = await contextOf(tokenizer, options);
  const mark = options.image?.token ?? '';
  const textOf = (messages: readonly Message[]): string =>
    messages.flatMap(({ content }) => content.map((part) => (part.type === 'text' ? part.text : mark))).join('');
  const ids = await tokenizer.encode(rows.flatMap((row) => [textOf(row.prompt), textOf(row.chosen), textOf(row.rejected)]));
  return rows.map((row, i) => {
    const [prompt, chosen, rejected] = ids.slice(3 * i, 3 * i + 3);
    const join = (answer: readonly number[], said: Message[], name: string): Sequence => {
      if (answer.length === 0) throw odd(`${context.nameOf(i)}:`, `${name}: the answer is empty: it has no token to learn`, FILL);
      return expand(prompt, answer, [...row.prompt, ...said], context, i);
    };
    // A row of one answer is given as a pair of it.
    const single = row.rejected === row.chosen;
    return { chosen: join(chosen, row.chosen, single ? 'answer' : 'chosen'), rejected: join(rejected, row.rejected, 'rejected') };
  });
}

/** Conversations through the chat template. @throws PivotError R0542 (the template), R0544 (the row). */
export async function renderConversations(
  tokenizer: ChatTokenizer,
  rows: readonly (readonly Message[])[],
  learn: Learn,
  options: RenderOptions = {},
): Promise<Sequence[]> {
  const context = await contextOf(tokenizer, options);
  if (learn === 'last') {
    const completions = rows.map((messages, row): Completion => {
      const answer = messages.at(-1);
      if (answer?.role !== 'assistant') throw odd(context.nameOf(row), 'does not end with an answer of the assistant');
      return { row, prompt: messages.slice(0, -1), answer: [answer] };
    });
    return renderCompletions(tokenizer, completions, context);
  }
  const whole = rows.map((messages, row) => conversation([...messages], false, context, row));
  await checkExtras(tokenizer, whole, context);
  const texts = await tokenizer.render(whole, context.mark);
  const ids = await tokenizer.encode(texts);
  const spans = learn === 'all' ? undefined : await answerSpans(tokenizer, rows, texts, ids, context);
  return rows.map((messages, row) => {
    const learnt = new Uint8Array(ids[row].length).fill(spans === undefined ? 1 : 0);
    for (const [begin, end] of spans?.[row] ?? []) learnt.fill(1, begin, end);
    const begin = learnt.indexOf(1);
    if (begin < 0) throw odd(context.nameOf(row), 'has nothing to learn: its answers are empty', FILL);
    return expandMasked(ids[row], learnt, begin, messages, context, row);
  });
}

/** Prompts that a model is to answer, up to where its answer begins. @throws PivotError R0542 (the template), R0544 (the row). */
export async function renderPrompts(
  tokenizer: ChatTokenizer,
  prompts: readonly Message[][],
  options: RenderOptions = {},
): Promise<number[][]> {
  const context = await contextOf(tokenizer, options);
  prompts.forEach((messages, row) => checkPrompt(messages, context.nameOf(row)));
  const texts = await tokenizer.render(
    prompts.map((messages, row) => conversation(messages, true, context, row)),
    context.mark,
  );
  const ids = await tokenizer.encode(texts);
  return prompts.map((messages, row) => Array.from(expand(ids[row], [], messages, context, row).ids));
}

interface Context extends Pick<RenderOptions, 'toolsOf' | 'warn'> {
  tokenizer: ChatTokenizer;
  nameOf(row: number): string;
  mark: string;
  /** Id and count of image tokens. */
  image?: { id: number; count: number };
}

async function contextOf(tokenizer: ChatTokenizer, options: RenderOptions): Promise<Context> {
  const { toolsOf, warn } = options;
  const nameOf = (row: number): string => options.nameOf?.(row) ?? `row ${row + 1}`;
  const common = { tokenizer, nameOf, toolsOf, warn };
  if (options.image === undefined) return { ...common, mark: '' };
  const { token, count } = options.image;
  const [id] = await tokenizer.ids([token]);
  if (id === undefined) {
    throw new PivotError('R0544', `${tokenizer.file} has no token ${token}, which should stand for a picture`, {
      cure: 'name the token of the model that stands for pictures',
      place: { file: tokenizer.file },
    });
  }
  return { ...common, mark: token, image: { id, count } };
}

function conversation(messages: Message[], generation: boolean, { toolsOf }: Context, row: number): RenderedConversation {
  const tools = toolsOf?.(row);
  return tools === undefined ? { messages, generation } : { messages, generation, tools };
}

interface Completion {
  row: number;
  prompt: readonly Message[];
  answer: readonly Message[];
}

/** Prompt and answer, tokenised apart. */
async function renderCompletions(tokenizer: ChatTokenizer, items: readonly Completion[], context: Context): Promise<Sequence[]> {
  const halves = items.map(({ row, prompt, answer }) => ({
    asked: conversation([...prompt], true, context, row),
    whole: conversation([...prompt, ...answer], false, context, row),
  }));
  await checkExtras(
    tokenizer,
    halves.map(({ whole }) => whole),
    { ...context, nameOf: (i) => context.nameOf(items[i].row) },
  );
  const rendered = await tokenizer.render(
    halves.flatMap(({ asked, whole }) => [asked, whole]),
    context.mark,
  );
  const texts = items.flatMap(({ row }, i) => {
    const [prompt, whole] = rendered.slice(2 * i, 2 * i + 2);
    checkPrefix(prompt, whole, context, row);
    return [prompt, whole.slice(prompt.length)];
  });
  const ids = await tokenizer.encode(texts);
  return items.map(({ row, prompt, answer }, i) => {
    if (ids[2 * i + 1].length === 0)
      throw odd(context.nameOf(row), 'has an answer that is empty: the chat_template writes nothing of it that could be learnt', FILL);
    return expand(ids[2 * i], ids[2 * i + 1], [...prompt, ...answer], context, row);
  });
}

/** Begin and end of every answer among the ids of whole conversations. */
async function answerSpans(
  tokenizer: ChatTokenizer,
  rows: readonly (readonly Message[])[],
  texts: readonly string[],
  ids: readonly number[][],
  context: Context,
): Promise<[number, number][][]> {
  const borders = rows.flatMap((messages, row) =>
    messages.flatMap(({ role, learn }, i) =>
      role === 'assistant' && learn !== false
        ? [
            { row, ...conversation(messages.slice(0, i), true, context, row) },
            { row, ...conversation(messages.slice(0, i + 1), false, context, row) },
          ]
        : [],
    ),
  );
  const prefixes = await tokenizer.render(borders, context.mark);
  borders.forEach(({ row }, i) => checkPrefix(prefixes[i], texts[row], context, row));
  const ends = await tokenizer.encode(prefixes);
  const spans = rows.map((): [number, number][] => []);
  borders.forEach(({ row, generation }, i) => {
    const end = ends[i];
    if (end.some((id, k) => id !== ids[row][k])) {
      throw new PivotError(
        'R0542',
        `the chat_template of ${templateName(tokenizer)}: in ${context.nameOf(row)} one token holds letters of an answer and of what stands ` +
          `${generation ? 'before' : 'behind'} it, so no token border divides them`,
        { cure: 'take white space off the ends of answers, or learn the last answer only', place: { file: templateName(tokenizer) } },
      );
    }
    if (generation) spans[row].push([end.length, end.length]);
    else spans[row][spans[row].length - 1][1] = end.length;
  });
  return spans;
}

function checkPrefix(prompt: string, whole: string, { tokenizer, nameOf }: Context, row: number): void {
  if (whole.startsWith(prompt)) return;
  let at = 0;
  while (at < prompt.length && prompt[at] === whole[at]) at++;
  const show = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 10), at + 20));
  throw new PivotError(
    'R0542',
    `the chat_template of ${templateName(tokenizer)}: the prompt of ${nameOf(row)} is no beginning of the prompt with its answer ` +
      `(at letter ${at + 1} ${show(prompt)} against ${show(whole)}), so what is the answer cannot be told`,
    {
      cure: 'mend the template so that later messages do not change how earlier ones are written',
      place: { file: templateName(tokenizer) },
    },
  );
}

function checkPrompt(prompt: readonly Message[], name: string): void {
  if (prompt.at(-1)?.role === 'assistant')
    throw odd(name, 'has a prompt that ends with the assistant, who would have to go on in mid-turn');
}

function templateName(tokenizer: ChatTokenizer): string {
  return tokenizer.template ?? tokenizer.file;
}

function odd(name: string, what: string, cure = 'mend the row, or leave it out'): PivotError {
  return new PivotError('R0544', `${name} ${what}`, { cure });
}

const FILL = 'give it a text, or leave the row out';

/** Rows are not at fault where a tokenizer has no token for pictures, or has one that could not be found out. */
const NAME_TOKEN =
  'name the token of the vocabulary that stands for a picture: `image_token` of a source, --image-token of `pivot data show`';

function expand(
  prompt: readonly number[],
  answer: readonly number[],
  messages: readonly Message[],
  context: Context,
  row: number,
): Sequence {
  const learnt = new Uint8Array(prompt.length + answer.length).fill(1, prompt.length);
  return expandMasked([...prompt, ...answer], learnt, prompt.length, messages, context, row);
}

/** Each image token becomes as many as a picture takes. `begin` is that of the first answer among `ids`. */
function expandMasked(
  ids: readonly number[],
  learnt: Uint8Array,
  begin: number,
  messages: readonly Message[],
  { image, nameOf }: Context,
  row: number,
): Sequence {
  const pictures = messages.flatMap(({ content }) =>
    content.filter((part): part is Extract<Part, { type: 'image' }> => part.type === 'image'),
  );
  if (pictures.length > 0 && image === undefined)
    throw odd(nameOf(row), 'has a picture, and no token that stands for pictures was named', NAME_TOKEN);
  const marks = image === undefined ? 0 : ids.filter((id) => id === image.id).length;
  if (marks !== pictures.length) {
    throw odd(nameOf(row), `has ${pictures.length} pictures, and its text has ${marks} image tokens; a text must not say the token itself`);
  }
  const count = image?.count ?? 1;
  const length = ids.length + marks * (count - 1);
  const sequence: Sequence = { ids: new Int32Array(length), begin: length, learnt: new Uint8Array(length), images: [] };
  let at = 0;
  ids.forEach((id, i) => {
    if (i === begin) sequence.begin = at;
    const isImage = image !== undefined && id === image.id;
    const next = at + (isImage ? count : 1);
    if (isImage) sequence.images.push({ index: pictures[sequence.images.length].index, begin: at, count });
    sequence.ids.fill(id, at, next);
    sequence.learnt.fill(learnt[i], at, next);
    at = next;
  });
  return sequence;
}
