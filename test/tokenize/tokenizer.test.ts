import { describe, expect, test } from '@jest/globals';
import { readJson } from '../../plan/json.ts';
import { checkTokenizer } from '../../formats/tokenizer/check.ts';
import { openTokenizer } from '../../runtime/node/tokenize/open.ts';
import { folderOf, specimen } from './specimen.ts';
import type { Specimen } from './specimen.ts';

const check = (value: unknown) => checkTokenizer(readJson(JSON.stringify(value), 'tokenizer.json', { code: 'R0540', cure: '' }));

describe('the check of tokenizer.json', () => {
  test('a sound file', () => {
    const { warnings, vocabulary, added, has } = check(specimen());
    expect({ warnings, vocabulary, added: added.length }).toEqual({ warnings: [], vocabulary: 261, added: 3 });
    expect([has('abc'), has('</s>'), has('constructor'), has('__proto__')]).toEqual([true, true, false, false]);
  });

  test.each<[string, (t: Specimen) => void, RegExp]>([
    ['another model', (t) => (t.model.type = 'Mystery'), /model.type: expected BPE, WordPiece or Unigram, found Mystery/],
    ['an id in words', (t) => (t.model.vocab.abc = '257'), /model.vocab.abc: expected a whole number/],
    ['a huge id', (t) => (t.model.vocab.abc = 2 ** 53), /the id of abc, found 9007199254740992/],
    ['a merge of unknown tokens', (t) => t.model.merges.push('zz q'), /model.merges\[2\].*\(zz q\), found no token zz/],
    ['a merge into an unknown token', (t) => t.model.merges.push(['c', 'a']), /no token ca/],
    ['a merge of three', (t) => t.model.merges.push('a b c'), /a merge of two tokens, found a b c/],
    ['no merges', (t) => delete (t.model as { merges?: unknown }).merges, /model.merges: expected a list, found none/],
    ['an added token without content', (t) => delete t.added_tokens[1].content, /added_tokens\[1\].content: expected a text, found none/],
    [
      'an added token with the id of another',
      (t) => (t.added_tokens[0].id = 5),
      /id of its own for the token <s>, found 5, which is that of ą/,
    ],
    [
      'an unknown normalizer in a sequence',
      (t) => (t.normalizer = { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Magic' }] }),
      /normalizer.normalizers\[1\].type: expected one of .*, found Magic/,
    ],
  ])('%s is refused', (_, change, message) => {
    expect(() => check(specimen(change))).toThrow(expect.objectContaining({ code: 'R0541', message: expect.stringMatching(message) }));
  });

  test('several faults come in one error', () => {
    const broken = specimen((t) => {
      t.decoder = { type: 'Magic' };
      t.pre_tokenizer = { type: 'Magic' };
    });
    expect(() => check(broken)).toThrow(/pre_tokenizer.type.*decoder.type/);
  });

  test('what is odd is told', () => {
    expect(check(specimen((t) => (t.model.vocab.abc = 256))).warnings).toEqual([
      'tokenizer.json: tokens of model.vocab share an id: ab and abc (256)',
    ]);
    expect(check(specimen((t) => delete t.model.vocab['Ġ'])).warnings[0]).toMatch(/no token for 1 bytes: Ġ/);
    expect(check(specimen((t) => t.added_tokens.push({ ...t.added_tokens[0] }))).warnings[0]).toMatch(/<s> stands twice/);
    expect(check(specimen((t) => t.added_tokens.push({ id: 300, content: '' }))).added).toHaveLength(3);
  });
});

describe('a tokenizer', () => {
  test('encodes, decodes, looks up', async () => {
    const tokenizer = await openTokenizer(folderOf(specimen()));
    expect(await tokenizer.encode(['abcab</s>', ''])).toEqual([[257, 256, 259], []]);
    expect(await tokenizer.decode([[257, 32, 256, 259]], true)).toEqual(['abc ab']);
    expect(await tokenizer.ids(['abc', '__proto__', '<image>'])).toEqual([257, undefined, 260]);
    expect(tokenizer.specials).toEqual({ eos_token: '</s>' });
    await tokenizer.close();
  });

  test('a text with a byte that has no token is refused', async () => {
    const tokenizer = await openTokenizer(folderOf(specimen((t) => delete t.model.vocab['Ġ'])));
    const [ids] = await tokenizer.encode(['ab']);
    expect(ids).toEqual([256]);
    await expect(tokenizer.encode(['ab c'])).rejects.toThrow(expect.objectContaining({ code: 'R0541' }));
  });

  test('templates get texts or parts, as they take them', async () => {
    const messages = [{ role: 'user', content: [{ type: 'image' as const }, { type: 'text' as const, text: ' Hi ' }] }];
    const rendered = async (template?: string) => {
      const config = template === undefined ? undefined : { chat_template: template };
      const tokenizer = await openTokenizer(folderOf(specimen(), config));
      return (await tokenizer.render([{ messages, generation: true }], '<image>'))[0];
    };
    expect(await rendered()).toBe('<s>user:<image> Hi </s><s>assistant:');
    expect(await rendered('{% for m in messages %}{{ m.content | trim }}{% endfor %}')).toBe('<image> Hi');
    await expect(rendered("{{ raise_exception('No, never.') }}")).rejects.toThrow(/No, never\./);
    await expect(rendered('{% for m in messages %}')).rejects.toThrow(expect.objectContaining({ code: 'R0542' }));
  });

  test('files that do not fit one another are refused', async () => {
    await expect(openTokenizer(folderOf(specimen(), { eos_token: '<end>' }))).rejects.toThrow(/eos_token is <end>/);
    await expect(openTokenizer(folderOf(specimen(), { pad_token: { content: '</s>' } }))).resolves.toMatchObject({
      specials: { pad_token: '</s>' },
    });
    const tokenizer = await openTokenizer(folderOf(specimen(), {}));
    await expect(tokenizer.render([{ messages: [], generation: true }])).rejects.toThrow(/no chat_template/);
    await expect(openTokenizer('nowhere')).rejects.toThrow(expect.objectContaining({ code: 'R0504' }));
  });

  test('tokens that only tokenizer_config.json lists are tokens', async () => {
    const config = { added_tokens_decoder: { 300: { content: '<pic>', special: true } }, eos_token: '<pic>' };
    const tokenizer = await openTokenizer(folderOf(specimen(), config));
    expect(await tokenizer.encode(['ab<pic>'])).toEqual([[256, 300]]);
    expect(tokenizer.vocabulary).toBe(301);
  });
});
