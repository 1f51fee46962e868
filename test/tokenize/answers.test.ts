import { describe, expect, test } from '@jest/globals';
import type { Message } from '../../runtime/core/data/conversation.ts';
import { renderConversations, renderPairs, renderPlainPairs } from '../../runtime/core/tokenize/answers.ts';
import type { Sequence } from '../../runtime/core/tokenize/answers.ts';
import { openTokenizer } from '../../runtime/node/tokenize/open.ts';
import { folderOf, specimen, TEMPLATE } from './specimen.ts';

const say = (role: Message['role'], text: string): Message => ({ role, content: [{ type: 'text', text }] });
const ask: Message = {
  role: 'user',
  content: [
    { type: 'image', index: 0 },
    { type: 'text', text: 'abc?' },
  ],
};
const image = { token: '<image>', count: 3 };

const open = (template = TEMPLATE) => openTokenizer(folderOf(specimen(), { chat_template: template }));

/** The text of a sequence, what is learnt in brackets. */
async function shown(sequence: Sequence): Promise<string> {
  const tokenizer = await open();
  let text = '';
  for (const [i, id] of sequence.ids.entries()) {
    const [piece] = await tokenizer.decode([[id]]);
    text += sequence.learnt[i] === 1 ? `[${piece}]` : piece;
  }
  return text.replaceAll('][', '');
}

describe('answers', () => {
  test('of pairs: what follows the prompt, the end of turn included', async () => {
    const [{ chosen, rejected }] = await renderPairs(
      await open(),
      [{ prompt: [ask], chosen: [say('assistant', 'abc')], rejected: [say('assistant', 'no')] }],
      {
        image,
      },
    );
    expect(await shown(chosen)).toBe('<s>user:<image><image><image>abc?</s><s>assistant:[abc</s>]');
    expect(await shown(rejected)).toBe('<s>user:<image><image><image>abc?</s><s>assistant:[no</s>]');
    expect(chosen.images).toEqual([{ index: 0, begin: 6, count: 3 }]);
  });

  test('of plain pairs: no template', async () => {
    const [{ chosen }] = await renderPlainPairs(
      await open(),
      [{ prompt: [ask], chosen: [say('assistant', 'abc')], rejected: [say('assistant', 'no')] }],
      { image },
    );
    expect(await shown(chosen)).toBe('<image><image><image>abc?[abc]');
  });

  test('of conversations: every answer, the last, or all', async () => {
    const messages = [ask, say('assistant', 'ab'), say('user', 'c'), say('assistant', 'abc')];
    const texts = [];
    for (const learn of ['answers', 'last', 'all'] as const)
      texts.push(await shown((await renderConversations(await open(), [messages], learn, { image }))[0]));
    expect(texts).toEqual([
      '<s>user:<image><image><image>abc?</s><s>assistant:[ab</s>]<s>user:c</s><s>assistant:[abc</s>]',
      '<s>user:<image><image><image>abc?</s><s>assistant:ab</s><s>user:c</s><s>assistant:[abc</s>]',
      '[<s>user:<image><image><image>abc?</s><s>assistant:ab</s><s>user:c</s><s>assistant:abc</s>]',
    ]);
  });

  test('a template that writes earlier turns anew is refused', async () => {
    const pair = { prompt: [say('user', 'a')], chosen: [say('assistant', 'b')], rejected: [say('assistant', 'c')] };
    const counting = await open('{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}');
    await expect(renderPairs(counting, [pair])).rejects.toThrow(
      /chat_template of .*: the prompt of row 1 is no beginning .*"1a" against "2ab"/,
    );
  });

  test('a token across the border of an answer is refused where a text is tokenised whole', async () => {
    const bare = await open("{% for m in messages %}{{ m.content }}{% endfor %}{{ '' }}");
    const messages = [say('user', 'a'), say('assistant', 'b')];
    await expect(renderConversations(bare, [messages], 'answers', { nameOf: () => 'row x' })).rejects.toThrow(
      /in row x one token holds letters/,
    );
    const [apart] = await renderConversations(bare, [messages], 'last');
    expect([[...apart.ids], [...apart.learnt]]).toEqual([
      ['a'.charCodeAt(0), 'b'.charCodeAt(0)],
      [0, 1],
    ]);
  });

  test('rows that cannot be rendered', async () => {
    const tokenizer = await open();
    const pair = (prompt: Message[]) => [{ prompt, chosen: [say('assistant', 'b')], rejected: [say('assistant', 'c')] }];
    await expect(renderPairs(tokenizer, pair([say('user', 'a <image>')]), { image })).rejects.toThrow(
      /0 pictures, and its text has 1 image tokens/,
    );
    await expect(renderPairs(tokenizer, pair([ask]))).rejects.toThrow(/has a picture, and no token/);
    await expect(renderPairs(tokenizer, pair([ask, say('assistant', 'ab')]), { image })).rejects.toThrow(/ends with the assistant/);
    await expect(renderPairs(tokenizer, pair([ask]), { image: { token: '<pic>', count: 2 } })).rejects.toThrow(/no token <pic>/);
    await expect(renderConversations(tokenizer, [[ask]], 'last', { image })).rejects.toThrow(expect.objectContaining({ code: 'R0544' }));
  });
});
