/** Rows that wait on the disk: what is put in comes back, nothing is left behind, and sources over many rows are none the worse. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { joinHashes, TOKENIZER_FILES } from '../../plan/checkpoint-files.ts';
import type { Collate, DataSource, Tokenizer } from '../../plan/plan.ts';
import { collate } from '../../runtime/core/data/collate.ts';
import { feed } from '../../runtime/core/data/feed.ts';
import { rowsOfStep } from '../../runtime/core/data/order.ts';
import { openSource } from '../../runtime/core/data/row.ts';
import type { Row, RowSource } from '../../runtime/core/data/row.ts';
import { renderPairs } from '../../runtime/core/tokenize/answers.ts';
import type { Pair } from '../../runtime/core/tokenize/answers.ts';
import { contentHash } from '../../runtime/node/data/content-hash.ts';
import { encodePng } from '../../runtime/node/data/export-rows.ts';
import { decodeBytes } from '../../runtime/node/data/pictures/decode.ts';
import { RowStore } from '../../runtime/node/data/row-store.ts';
import { NODE_SOURCES } from '../../runtime/node/data/sources.ts';
import { openTokenizer } from '../../runtime/node/tokenize/open.ts';
import { folderOf, specimen, TEMPLATE } from '../tokenize/specimen.ts';

const root = await mkdtemp(join(tmpdir(), 'pivot-store-'));
const tokenizers: string[] = [];
afterAll(async () => {
  for (const folder of [root, ...tokenizers]) await rm(folder, { recursive: true, force: true });
});

/** Scratch files of this process. Their names are gone while they are open, but for systems that cannot do that. */
const left = async (folder = tmpdir()): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith(`pivot-rows-${process.pid}-`));

describe('the store', () => {
  const odd: unknown[] = [
    { texts: { prompt: 'a\u2028\ud800 \u{1f600}', answer: '', extra: JSON.parse('{"__proto__": [1, null, {"deep": -0}]}') as object } },
    { ids: [0, 1, 2 ** 31 - 1], learnt: Uint8Array.of(0, 1, 1), missing: undefined },
    { boxes: [{ x: 0.1, y: NaN, w: -Infinity, h: 1e-300 }], pixels: Float32Array.of(0.1, -0) },
    { long: 'x'.repeat(3 * 2 ** 20) },
    {},
  ];
  const record = (i: number): unknown => (i < odd.length ? odd[i] : { text: `row ${i} ${'abc'.repeat(i % 50)}`, ids: [i, i * i] });

  test('gives back each record, in whatever order, also while others are put in', () => {
    const store = new RowStore();
    for (let i = 0; i < 3000; i++) {
      store.append(record(i));
      if (i % 7 === 0) expect(store.read(i >> 1)).toEqual(record(i >> 1));
    }
    expect(store.count).toBe(3000);
    for (let i = 0; i < 3000; i++) expect(store.read((i * 1009) % 3000)).toEqual(record((i * 1009) % 3000));
    const [{ texts }] = [store.read(0) as { texts: { extra: object } }];
    expect(Object.keys(texts.extra)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(texts.extra)).toBe(Object.getPrototypeOf(texts));
    for (const none of [-1, 3000, NaN]) expect(() => store.read(none)).toThrow(RangeError);
    store.close();
  });

  test('what is read is its own: no later reading changes it', () => {
    const store = new RowStore<{ learnt: Uint8Array }>();
    for (let i = 0; i < 4; i++) store.append({ learnt: Uint8Array.of(i, i) });
    const first = store.read(1);
    first.learnt.fill(9);
    expect(store.read(1)).toEqual({ learnt: Uint8Array.of(1, 1) });
    expect(store.read(2)).toEqual({ learnt: Uint8Array.of(2, 2) });
    store.close();
  });

  test('leaves no file behind', async () => {
    const store = new RowStore(root);
    store.append(record(3));
    if (process.platform !== 'win32') expect(await left(root)).toEqual([]);
    expect(store.read(0)).toEqual(record(3));
    store.close();
    store.close();
    expect(await left(root)).toEqual([]);
    expect(() => store.read(0)).toThrow('closed');
  });

  test('says where it would write and cannot', () => {
    expect(() => new RowStore(join(root, 'nowhere'))).toThrow(
      expect.objectContaining({ code: 'R0526', message: expect.stringContaining('nowhere') }),
    );
  });
});

const COUNT = 700;
const said = (role: string, ...content: object[]): object[] => [{ role, content }];
const text = (words: string): { type: 'text'; text: string } => ({ type: 'text', text: words });
const words = ['pad', 'end', 'what', 'is', 'here', ...Array.from({ length: COUNT }, (_, i) => `n${i}`)];
const tokenizer: Tokenizer = { kind: 'words', words, pad: 0, end: 1 };
const texts = (i: number): Required<Pick<Row, 'prompt' | 'chosen' | 'rejected'>> => ({
  prompt: `what is here n${i}`,
  chosen: `n${i} n${(i * 3) % COUNT}`,
  rejected: `n${(i * 7) % COUNT}`,
});
const fileRow = (i: number): object => {
  const { prompt, chosen, rejected } = texts(i);
  return {
    images: [`${i % 3}.png`],
    prompt: said('user', { type: 'image' }, text(prompt)),
    chosen: said('assistant', text(chosen)),
    rejected: said('assistant', text(rejected)),
    score: i,
  };
};
const pictures = await Promise.all(
  [40, 90, 200].map((level) => encodePng({ width: 8, height: 8, rgb: Uint8Array.from({ length: 192 }, (_, k) => (level + k) % 256) })),
);

async function write(name: string, rows: readonly object[]): Promise<string> {
  await mkdir(join(root, name), { recursive: true });
  for (const [i, png] of pictures.entries()) await writeFile(join(root, name, `${i}.png`), png);
  await writeFile(join(root, name, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return join(root, name);
}

function chatOf(template: string): { folder: string; hash: string } {
  const folder = folderOf(specimen(), { chat_template: template, eos_token: '</s>' });
  tokenizers.push(folder);
  const hash = joinHashes(TOKENIZER_FILES, (file) => (existsSync(join(folder, file)) ? contentHash(join(folder, file)) : undefined));
  return { folder, hash };
}

const open = (folder: string, more: Partial<DataSource> = {}): Promise<RowSource> =>
  openSource({ source: 'files.preferences', params: { folder, size: 8 }, count: COUNT, ...more }, { openers: NODE_SOURCES, workers: 0 });

describe('a source over more rows than are held', () => {
  const all = Array.from({ length: COUNT }, (_, i) => fileRow(i));

  test('plain rows: the batches of a run are those of the rows as they were written', async () => {
    const source = await open(await write('plain', all));
    const layout: Collate = { layout: 'pairs', image: 8, imageTokens: 4, prompt: 6, answer: 4 };
    const decoded = await Promise.all(pictures.map(async (png) => (await decodeBytes(png)).picture));
    const order = { count: COUNT, batch: 32, seed: 3 };
    const rows = (step: number): number[] => rowsOfStep(step, order);
    let batches = 0;
    for await (const { step, batch } of feed({ source, collate: layout, tokenizer, rows, from: 0, to: 25 })) {
      const wanted = rows(step).map((i): Row => ({ ...texts(i), image: decoded[i % 3] }));
      expect(batch).toEqual(collate(wanted, layout, tokenizer, { source, indices: rows(step) }));
      batches++;
    }
    expect(batches).toBe(25);
    expect(source.text?.(COUNT - 1)).toEqual({ ...texts(COUNT - 1), extra: { score: COUNT - 1 } });
    await source.close?.();
    expect(await left()).toEqual([]);
  });

  test('conversations: ids are those of all rows rendered at once', async () => {
    const chat = chatOf(TEMPLATE);
    const source = await open(await write('chat', all), { chat });
    const engine = await openTokenizer(chat.folder);
    const pairs = all.map((_, i): Pair => {
      const { prompt, chosen, rejected } = texts(i);
      return {
        prompt: [{ role: 'user', content: [{ type: 'image', index: 0 }, text(prompt)] }],
        chosen: [{ role: 'assistant', content: [text(chosen)] }],
        rejected: [{ role: 'assistant', content: [text(rejected)] }],
      };
    });
    const sequences = await renderPairs(engine, pairs, { image: { token: '<image>', count: 1 } });
    await engine.close();
    for (const [i, { chosen, rejected }] of sequences.entries()) {
      const { ids, ...rest } = source.text?.(i) ?? {};
      expect(rest).toEqual({ ...texts(i), extra: { score: i } });
      expect([...(ids?.prompt ?? []), ...(ids?.chosen ?? [])]).toEqual([...chosen.ids]);
      expect([...(ids?.prompt ?? []), ...(ids?.rejected ?? [])]).toEqual([...rejected.ids]);
    }
    expect((await source.row(5)).pixels).toHaveLength(3 * 8 * 8);
    await source.close?.();
    expect(await left()).toEqual([]);
  });

  test('faults of late rows come before refusals of early ones, and either leaves no file', async () => {
    const chat = chatOf("{% if 'n290' in messages | string %}{{ raise_exception('not this one') }}{% endif %}" + TEMPLATE);
    const broken = all.map((row, i) => (i === COUNT - 1 || i === COUNT - 2 ? { ...row, chosen: 7 } : row));
    await expect(open(await write('broken', broken), { chat })).rejects.toMatchObject({
      code: 'R0520',
      message: expect.stringMatching(/2 faults[^]*rows.jsonl:699: chosen[^]*rows.jsonl:700: chosen/),
    });
    await expect(open(join(root, 'chat'), { chat })).rejects.toMatchObject({
      code: 'R0542',
      message: expect.stringContaining('not this one'),
    });
    expect(await left()).toEqual([]);
  });
});
