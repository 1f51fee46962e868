/** Special tokens: which of a folder's files names them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openTokenizer } from '../../runtime/node/tokenize/open.ts';
import { folderOf, specimen } from './specimen.ts';

const BEGINS = '{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}';

function folder(config: object, files: Record<string, object>): string {
  const path = folderOf(specimen(), { chat_template: BEGINS, ...config });
  for (const [name, value] of Object.entries(files)) writeFileSync(join(path, name), JSON.stringify(value));
  return path;
}

const messages = [{ role: 'user', content: [{ type: 'text' as const, text: 'ab' }] }];

async function rendered(config: object, files: Record<string, object>): Promise<{ text: string; warnings: string[] }> {
  const tokenizer = await openTokenizer(folder(config, files));
  const [text] = await tokenizer.render([{ messages, generation: false }]);
  return { text, warnings: tokenizer.warnings.filter((one) => one.includes('special_tokens_map')) };
}

const MAP = { bos_token: { content: '<s>', lstrip: false }, eos_token: '</s>' };
const DECODER = { added_tokens_decoder: { 300: { content: '<pic>', special: true } } };

describe('special_tokens_map.json', () => {
  test('names the special tokens of older folders', async () => {
    expect(await rendered({}, { 'special_tokens_map.json': MAP })).toEqual({ text: '<s>ab</s>', warnings: [] });
  });

  test('counts before tokenizer_config.json there, as in transformers', async () => {
    expect((await rendered({ bos_token: '</s>' }, { 'special_tokens_map.json': MAP })).text).toBe('<s>ab</s>');
  });

  test('does not count beside added_tokens_decoder; what it names alone is told', async () => {
    const { text, warnings } = await rendered({ ...DECODER, eos_token: '</s>' }, { 'special_tokens_map.json': MAP });
    expect(text).toBe('ab</s>');
    expect(warnings).toEqual([expect.stringMatching(/bos_token is <s>, and tokenizer_config.json, .*names none/)]);
  });

  test('must name tokens', async () => {
    await expect(openTokenizer(folder({}, { 'special_tokens_map.json': { pad_token: '<pad>' } }))).rejects.toThrow(
      expect.objectContaining({ code: 'R0541', message: expect.stringMatching(/special_tokens_map.json: pad_token is <pad>/) }),
    );
  });
});

test("the model's own names are the template's too", async () => {
  const config = { extra_special_tokens: { picture_token: '<s>' }, chat_template: '{{ picture_token }}' };
  expect((await rendered(config, {})).text).toBe('<s>');
});

test('tokens that only added_tokens.json lists are refused, as they would have no id', async () => {
  await expect(openTokenizer(folder({}, { 'added_tokens.json': { '<ref>': 300 } }))).rejects.toThrow(
    /lists tokens that tokenizer.json does not have: <ref>/,
  );
  await expect(openTokenizer(folder(DECODER, { 'added_tokens.json': { '<ref>': 300 } }))).resolves.toBeDefined();
});
