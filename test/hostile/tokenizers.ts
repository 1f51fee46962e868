/**
 * Reads a `tokenizer.json` and encodes the text that the case gives; of a folder also the chat template, by a conversation and by
 * finding the answer in it.
 */
import { statSync } from 'node:fs';
import type { Message } from '../../runtime/core/data/conversation.ts';
import { renderPairs } from '../../runtime/core/tokenize/answers.ts';
import { openTokenizer } from '../../runtime/node/tokenize/open.ts';
import type { TextTokenizer } from '../../runtime/node/tokenize/open.ts';
import type { Result } from './result.ts';

const say = (role: Message['role'], text: string): Message => ({ role, content: [{ type: 'text', text }] });

export async function read(path: string, asked: Record<string, unknown> = {}): Promise<Result> {
  const tokenizer = await openTokenizer(path);
  try {
    const values: Record<string, unknown> = {};
    const text = typeof asked.text === 'string' ? asked.text : 'a';
    const [ids] = await tokenizer.encode([text]);
    values.last_id = ids.at(-1);
    await lookUp(tokenizer, asked, values);
    if (statSync(path).isDirectory()) {
      const prompt = [say('user', 'Hi')];
      [values.chat] = await tokenizer.render([{ messages: prompt, generation: true }]);
      await renderPairs(tokenizer, [{ prompt, chosen: [say('assistant', ' Yes. ')], rejected: [say('assistant', 'No.')] }]);
    }
    return { ids, values, warnings: tokenizer.warnings };
  } finally {
    await tokenizer.close();
  }
}

/** Ids of tokens that the case names. */
async function lookUp(tokenizer: TextTokenizer, asked: Record<string, unknown>, values: Record<string, unknown>): Promise<void> {
  if (typeof asked.token_ids === 'object' && asked.token_ids !== null) {
    const names = Object.keys(asked.token_ids);
    const ids = await tokenizer.ids(names);
    values.token_ids = Object.fromEntries(names.map((name, i) => [name, ids[i]]));
  }
  if (Array.isArray(asked.no_id_for)) {
    const names = asked.no_id_for.map(String);
    const ids = await tokenizer.ids(names);
    values.no_id_for = names.filter((_, i) => ids[i] === undefined);
  }
}
