/** Rows of several turns as a model is asked them: everything before the last answer, as the template writes it. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { joinHashes, TOKENIZER_FILES } from '../../plan/checkpoint-files.ts';
import type { DataSource } from '../../plan/plan.ts';
import { askedIds } from '../../runtime/core/data/conversation-ids.ts';
import { openSource } from '../../runtime/core/data/row.ts';
import type { Row } from '../../runtime/core/data/row.ts';
import { contentHash } from '../../runtime/node/data/content-hash.ts';
import { NODE_SOURCES } from '../../runtime/node/data/sources.ts';
import { openTokenizer } from '../../runtime/node/tokenize/open.ts';

const TOKENIZER = resolve('test/fixtures/models/tokenizer');
const folder = mkdtempSync(join(tmpdir(), 'pivot-turns-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const say = (role: string, content: string) => ({ role, content });
const ROWS = [
  [say('user', 'What colour?'), say('assistant', 'red')],
  [say('user', 'What colour?'), say('assistant', 'red'), say('user', 'And what shape?'), say('assistant', 'a square')],
];

let rows: Row[];
let asked: string[];

beforeAll(async () => {
  writeFileSync(join(folder, 'rows.jsonl'), ROWS.map((messages) => `${JSON.stringify({ messages })}\n`).join(''));
  const hash = joinHashes(TOKENIZER_FILES, (name) => (existsSync(join(TOKENIZER, name)) ? contentHash(join(TOKENIZER, name)) : undefined));
  const spec: DataSource = {
    source: 'files.captions',
    params: { folder: join(folder, 'rows.jsonl'), size: 8 },
    chat: { folder: TOKENIZER, hash },
    count: ROWS.length,
  };
  const source = await openSource(spec, { openers: NODE_SOURCES, workers: 0 });
  rows = await Promise.all(ROWS.map((_, i) => source.row(i)));
  await source.close?.();
  const tokenizer = await openTokenizer(TOKENIZER);
  asked = await tokenizer.decode(rows.map(({ ids }) => (ids ? askedIds(ids) : [])));
  await tokenizer.close();
});

test('one answer: the prompt', () => {
  expect(rows[0].ids?.last).toBeUndefined();
  expect(asked[0]).toMatch(/<\|im_start\|>user\nWhat colour\?<\|im_end\|>\n<\|im_start\|>assistant\n$/);
  expect(rows[0]).toMatchObject({ prompt: 'What colour?', answer: 'red' });
});

test('several answers: what stands before the last, and the last is the answer', () => {
  expect(asked[1]).toMatch(/assistant\nred<\|im_end\|>\n<\|im_start\|>user\nAnd what shape\?<\|im_end\|>\n<\|im_start\|>assistant\n$/);
  expect(rows[1]).toMatchObject({ answer: 'a square' });
});
