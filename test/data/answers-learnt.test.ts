/** One rule for conversations, and for answers without words. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from '../../plan/plan.ts';
import { joinHashes, TOKENIZER_FILES } from '../../plan/checkpoint-files.ts';
import { openSource } from '../../runtime/core/data/row.ts';
import type { Row } from '../../runtime/core/data/row.ts';
import { contentHash } from '../../runtime/node/data/content-hash.ts';
import { NODE_SOURCES } from '../../runtime/node/data/sources.ts';
import { lines, png, rowsFolder } from '../support/rows-folder.ts';
import { folderOf, specimen, TEMPLATE } from '../tokenize/specimen.ts';
import { existsSync } from 'node:fs';

const { root, put, remove } = await rowsFolder();
const folder = folderOf(specimen(), { chat_template: TEMPLATE });
/** Writes nothing but contents, so that an answer without words has no token. */
const bare = folderOf(specimen(), { chat_template: '{% for m in messages %}{{ m.content }}{% endfor %}{# none #}' });
afterAll(async () => {
  await remove();
  for (const one of [folder, bare]) await rm(one, { recursive: true, force: true });
});
await put({ 'p.png': png });
let files = 0;

/** Rows as a run reads them, and what it says of them. */
async function read(rows: object[], form: 'captions' | 'preferences', tokenizer = folder): Promise<{ rows: Row[]; told: string[] }> {
  const name = `rows-${files++}.jsonl`;
  await put({ [name]: lines(rows) });
  const hash = joinHashes(TOKENIZER_FILES, (file) => (existsSync(join(tokenizer, file)) ? contentHash(join(tokenizer, file)) : undefined));
  const spec: DataSource = {
    source: `files.${form}`,
    params: { folder: join(root, name), size: 8 },
    chat: { folder: tokenizer, hash },
    count: rows.length,
  };
  const told: string[] = [];
  const source = await openSource(spec, { openers: NODE_SOURCES, workers: 0, warn: (text) => told.push(text) });
  const all = await Promise.all(rows.map((_, i) => source.row(i)));
  await source.close?.();
  return { rows: all, told };
}

const say = (role: string, content: string) => ({ role, content });
const asked = [say('user', 'hi'), say('assistant', 'ab')];
const twice = [...asked, say('user', 'c'), say('assistant', 'abc')];

describe('what follows the last answer is passed over, and told', () => {
  test.each<[string, object[], object[]]>([
    ['one answer, one message', asked, [say('user', 'bye')]],
    ['one answer, two messages', asked, [say('user', 'bye'), say('user', 'now')]],
    ['one answer, a system text', asked, [say('system', 'x')]],
    ['two answers', twice, [say('user', 'bye')]],
    ['two answers, a tool', twice, [say('user', 'bye'), say('tool', 'x')]],
  ])('%s', async (_, messages, rest) => {
    const { rows, told } = await read([{ messages }, { messages: [...messages, ...rest] }], 'captions');
    expect(rows[1]).toEqual(rows[0]);
    expect(told).toEqual([expect.stringMatching(new RegExp(`:2: messages\\[${messages.length}\\]: it .* and passed over`))]);
  });

  test("in ShareGPT's names as well", async () => {
    const conversations = [
      { from: 'human', value: 'hi' },
      { from: 'gpt', value: 'ab' },
    ];
    const { rows, told } = await read(
      [{ conversations }, { conversations: [...conversations, { from: 'human', value: 'bye' }] }],
      'captions',
    );
    expect(rows[1]).toEqual(rows[0]);
    expect(told).toHaveLength(1);
  });

  test('pairs whose answers end with the user are refused', async () => {
    const row = { prompt: [say('user', 'q')], chosen: [say('assistant', 'a'), say('user', 'b')], rejected: [say('assistant', 'c')] };
    await expect(read([row], 'preferences')).rejects.toThrow(/chosen\[1\].role: expected assistant, since it is an answer, found user/);
  });
});

describe('answers without words', () => {
  const pair = { prompt: 'q', chosen: 'ab', rejected: 'abc' };
  test.each<[string, 'captions' | 'preferences', object, string]>([
    ['chosen', 'preferences', { ...pair, chosen: '' }, 'chosen'],
    ['rejected', 'preferences', { ...pair, rejected: '' }, 'rejected'],
    ['both', 'preferences', { ...pair, chosen: '', rejected: '' }, 'chosen'],
    ['a picture before', 'preferences', { ...pair, prompt: '<image>q', images: ['p.png'], chosen: '' }, 'chosen'],
    ['a caption', 'captions', { prompt: 'q', answer: '' }, 'answer'],
    ['a completion', 'captions', { prompt: 'q', completion: '' }, 'answer'],
    ['the chosen one as a caption', 'captions', { ...pair, chosen: '' }, 'answer'],
  ])('plain, %s: refused by row and name', async (_, form, row, name) => {
    await expect(read([form === 'captions' ? { prompt: 'q', answer: 'a' } : pair, row], form)).rejects.toMatchObject({
      code: 'R0544',
      message: expect.stringMatching(new RegExp(`rows-\\d+.jsonl:2: ?${name}: the answer is empty`)),
    });
  });

  test.each<[string, 'captions' | 'preferences', object]>([
    ['a pair', 'preferences', { ...pair, prompt: '' }],
    ['a caption', 'captions', { prompt: '', answer: 'ab' }],
  ])('%s without a prompt is refused: nothing stands before its first token', async (_, form, row) => {
    await expect(read([row], form)).rejects.toMatchObject({
      code: 'R0544',
      message: expect.stringContaining('has an answer without a prompt'),
    });
  });

  test('plain pairs: neither the prompt nor the other answer is cut', async () => {
    const { rows } = await read([pair], 'preferences');
    expect(rows[0].ids).toMatchObject({ prompt: [113], chosen: [256], rejected: [257] });
  });

  test('in conversations the end of the turn is learnt, which is told', async () => {
    const { rows, told } = await read([{ messages: [say('user', 'q'), say('assistant', '')] }], 'captions');
    expect(rows[0].ids?.answer).toEqual([259]);
    expect(told).toEqual([expect.stringMatching(/messages\[1\]: it is empty/)]);
  });

  test.each<[object]>([
    [{ messages: [say('user', 'q'), say('assistant', '')] }],
    [{ messages: [say('user', 'q'), say('assistant', ''), say('user', 'q'), say('assistant', '')] }],
  ])('a template that writes no end: %j is refused as empty', async (row) => {
    await expect(read([row], 'captions', bare)).rejects.toMatchObject({ code: 'R0544', message: expect.stringContaining('empty') });
  });

  test('several refusals are told at once, each with its row', async () => {
    await expect(read([{ ...pair, chosen: '' }, pair, { ...pair, rejected: '' }], 'preferences')).rejects.toMatchObject({
      message: expect.stringMatching(/^2 rows are refused[^]*:1: chosen: the answer is empty[^]*:3: rejected: the answer is empty/),
    });
  });
});

test('a column that is missing everywhere is told once', async () => {
  const rows = Array.from({ length: 30 }, () => ({ prompt: 'q', choosen: 'a', rejected: 'b' }));
  const error: unknown = await read(rows, 'preferences').catch((e: unknown) => e);
  expect(error).toMatchObject({ code: 'R0520' });
  const { message } = error as Error;
  expect(message.split('\n')).toHaveLength(2);
  expect(message).toMatch(/^1 fault in[^]*: chosen: there is no such column; .*is it choosen\? \(nor has any of the 30 rows\)$/);
});
