/** Ids beyond the table of embeddings: told when a tokenizer is opened, refused in rows. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readArchitecture } from '../../formats/config/config.ts';
import { renderSaid } from '../../runtime/node/data/conversations.ts';
import type { SaidRow } from '../../runtime/node/data/conversations.ts';
import { openTokenizer } from '../../runtime/node/tokenize/open.ts';
import { folderOf, specimen, TEMPLATE } from './specimen.ts';

const QWEN = {
  model_type: 'qwen2',
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  intermediate_size: 8,
};

/** A tokenizer with the token `<ref>` of this id, beside a model of so many rows. */
function folder(id: number, config: object): string {
  const tokenizer = specimen((t) => t.added_tokens.push({ id, content: '<ref>', single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })); // prettier-ignore
  const path = folderOf(tokenizer, { chat_template: TEMPLATE, eos_token: '</s>' });
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
  return path;
}

const row = (answer: string): SaidRow => ({
  prompt: [{ role: 'user', content: [{ type: 'text', text: 'ab' }] }],
  chosen: [{ role: 'assistant', content: [{ type: 'text', text: answer }] }],
  lead: -1,
  place: { file: 'rows.jsonl', line: 7 },
});

describe.each<[string, object]>([
  ['at the top', { ...QWEN, vocab_size: 261 }],
  [
    'in text_config',
    {
      model_type: 'llava',
      image_token_index: 260,
      vision_config: { model_type: 'siglip_vision_model' },
      text_config: { ...QWEN, vocab_size: 261 },
    },
  ],
])('a table of 261 rows, said %s', (_, config) => {
  test('a token beyond it is told, and a row with it is refused by place and token', async () => {
    const tokenizer = await openTokenizer(folder(300, config));
    expect(tokenizer.table).toBe(261);
    expect(tokenizer.warnings).toContainEqual(expect.stringMatching(/has ids up to 300, and the table of embeddings beside it 261 rows/));
    await expect(renderSaid(tokenizer, [row('ab'), row('ab<ref>')], 'captions', undefined)).rejects.toThrow(
      expect.objectContaining({
        code: 'R0544',
        message: expect.stringMatching(/rows.jsonl.*7.* has the token "<ref>" with the id 300, and .* has 261 rows/),
      }),
    );
    await expect(renderSaid(tokenizer, [row('ab')], 'captions', undefined)).resolves.toHaveLength(1);
  });

  test('the last row of it is one', async () => {
    const tokenizer = await openTokenizer(
      folder(261, { ...config, ...('vocab_size' in config ? { vocab_size: 262 } : { text_config: { ...QWEN, vocab_size: 262 } }) }),
    );
    expect(tokenizer.warnings.filter((one) => one.includes('table'))).toEqual([]);
    await expect(renderSaid(tokenizer, [row('<ref>')], 'captions', undefined)).resolves.toHaveLength(1);
  });
});

test.each([
  ['eos_token_id', 600],
  ['eos_token_id', [2, 600]],
  ['pad_token_id', 261],
  ['bos_token_id', 'x'],
])('%s %j of a config must have a row', (key, value) => {
  expect(() => readArchitecture(JSON.stringify({ ...QWEN, vocab_size: 261, [key]: value }), 'config.json')).toThrow(
    new RegExp(`${key}: expected`),
  );
  expect(() =>
    readArchitecture(JSON.stringify({ ...QWEN, vocab_size: 261, pad_token_id: -1, eos_token_id: [2] }), 'config.json'),
  ).not.toThrow();
});
