/** Both recorded tokenizers: strings and conversations, as transformers has them. Of the large set where that is there, else of the small one. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../cli/host.ts';
import { openTokenizer } from '../../runtime/node/tokenize/open.ts';

const LARGE = join(packageRoot(), '..', 'shared', 'fixtures', 'models');
const SET = existsSync(LARGE) ? LARGE : join(packageRoot(), 'test', 'fixtures', 'models');

interface Recorded {
  size_with_added: number;
  special: Record<string, { text: string | null; id: number | null }>;
  strings: { text: string; ids: number[]; ids_with_special: number[]; tokens: string[]; decoded: string; decoded_skip_special: string }[];
  conversations: {
    name: string;
    messages: { role: string; content: string | ({ type: 'text'; text: string } | { type: 'image' })[] }[];
    text: string;
    ids: number[];
    text_generation: string;
    ids_generation: number[];
  }[];
}

const recorded = JSON.parse(readFileSync(join(SET, 'expect', 'tokens.json'), 'utf8')) as Record<string, Recorded>;

describe.each(Object.entries(recorded))('%s', (name, { special, strings, conversations, size_with_added }) => {
  const opening = openTokenizer(join(SET, name));
  afterAll(async () => (await opening).close());

  test('special tokens and size', async () => {
    const tokenizer = await opening;
    expect(tokenizer.warnings).toEqual([]);
    expect(tokenizer.vocabulary).toBe(size_with_added);
    for (const [key, { text, id }] of Object.entries(special)) {
      expect(tokenizer.specials[key] ?? null).toBe(text);
      if (text !== null) expect(await tokenizer.ids([text])).toEqual([id]);
    }
  });

  test('strings', async () => {
    const tokenizer = await opening;
    const texts = strings.map(({ text }) => text);
    expect(await tokenizer.encode(texts)).toEqual(strings.map(({ ids }) => ids));
    expect(await tokenizer.encode(texts, true)).toEqual(strings.map(({ ids_with_special: ids }) => ids));
    expect(await tokenizer.tokens(texts)).toEqual(strings.map(({ tokens }) => tokens));
    const ids = strings.map((one) => one.ids);
    expect(await tokenizer.decode(ids)).toEqual(strings.map(({ decoded }) => decoded));
    expect(await tokenizer.decode(ids, true)).toEqual(strings.map(({ decoded_skip_special: decoded }) => decoded));
  });

  test('conversations', async () => {
    const tokenizer = await opening;
    const all = conversations.map(({ messages }) =>
      messages.map(({ role, content }) => ({
        role,
        content: typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content,
      })),
    );
    const plain = await tokenizer.render(all.map((messages) => ({ messages, generation: false })));
    expect(plain).toEqual(conversations.map(({ text }) => text));
    const open = await tokenizer.render(all.map((messages) => ({ messages, generation: true })));
    expect(open).toEqual(conversations.map((one) => one.text_generation));
    expect(await tokenizer.encode(plain)).toEqual(conversations.map(({ ids }) => ids));
    expect(await tokenizer.encode(open)).toEqual(conversations.map((one) => one.ids_generation));
  });
});
