/**
 * What messages say beside role and content (`tool_calls`, `reasoning_content`, `name`), and the tools of a row, are handed to the chat
 * template whole, as TRL does. A template that does not know such a key would drop it without a word. Whether it does is found out by leaving the
 * key out: the text up to that message must differ.
 */
import { PivotError } from '../../../plan/errors.ts';
import type { Message } from '../data/conversation.ts';
import type { ChatTokenizer, RenderedConversation } from './answers.ts';

/** Keys that only say which call or speaker is meant. Most templates write none of them. */
const LABELS: ReadonlySet<string> = new Set(['name', 'tool_call_id', 'id']);

/** Keys of messages by role, and `tools`, of which is known what a template does: it writes them, or a warning has been given. */
const known = new WeakMap<ChatTokenizer, Set<string>>();

interface Context {
  mark: string;
  nameOf(row: number): string;
  warn?(text: string): void;
}

/** Throws R0544 for a key that the template does not write; the template's refusals (R0542) are left to the rendering of the whole row. */
export async function checkExtras(tokenizer: ChatTokenizer, rows: readonly RenderedConversation[], context: Context): Promise<void> {
  let settled = known.get(tokenizer);
  if (settled === undefined) known.set(tokenizer, (settled = new Set()));
  for (const [row, { messages, tools }] of rows.entries()) {
    if (tools !== undefined && !settled.has('tools')) {
      const told = { messages, generation: false };
      if (await alike(tokenizer, { ...told, tools }, told, context.mark)) throw unwritten(tokenizer, context.nameOf(row), 'tools');
      settled.add('tools');
    }
    for (const [i, message] of messages.entries()) {
      for (const key of Object.keys(message.more ?? {})) {
        const kind = `${message.role}.${key}`;
        if (settled.has(kind)) continue;
        const before = messages.slice(0, i);
        const common = { generation: false, ...(tools === undefined ? {} : { tools }) };
        const full = { ...common, messages: [...before, message] };
        if (await alike(tokenizer, full, { ...common, messages: [...before, without(message, key)] }, context.mark)) {
          if (!LABELS.has(key)) throw unwritten(tokenizer, context.nameOf(row), `message ${i + 1} (${message.role}): ${key}`);
          context.warn?.(
            `${context.nameOf(row)}: message ${i + 1} (${message.role}): ${key} is not used: the chat_template of ${nameOf(tokenizer)} does not write it`,
          );
        }
        settled.add(kind);
      }
    }
  }
}

function without({ more, ...message }: Message, key: string): Message {
  return { ...message, more: Object.fromEntries(Object.entries(more ?? {}).filter(([name]) => name !== key)) };
}

/** Whether two conversations become the same text. A template that refuses one of them does look at what differs. */
async function alike(tokenizer: ChatTokenizer, one: RenderedConversation, other: RenderedConversation, mark: string): Promise<boolean> {
  const [first, second] = [await attempt(tokenizer, one, mark), await attempt(tokenizer, other, mark)];
  return first !== undefined && first === second;
}

async function attempt(tokenizer: ChatTokenizer, conversation: RenderedConversation, mark: string): Promise<string | undefined> {
  try {
    return (await tokenizer.render([conversation], mark))[0];
  } catch (error) {
    if (error instanceof PivotError) return undefined;
    throw error;
  }
}

function unwritten(tokenizer: ChatTokenizer, row: string, what: string): PivotError {
  return new PivotError('R0544', `${row}: ${what} is given, and the chat_template of ${nameOf(tokenizer)} does not write it`, {
    cure: 'use the tokenizer of a model whose template takes it, or remove it from the rows',
  });
}

function nameOf({ template, file }: ChatTokenizer): string {
  return template ?? file;
}
