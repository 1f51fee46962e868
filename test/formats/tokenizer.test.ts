/** Settings of tokenizers against the ids that Hugging Face's own library gives: each is done alike, or refused by name. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { PivotError } from '../../plan/errors.ts';
import { openTokenizer } from '../../runtime/node/tokenize/open.ts';

interface Recorded {
  bases: Record<string, Record<string, unknown>>;
  texts: string[];
  /** Name, base, what is changed of it, and the ids of each text; null where the original does not take it either. */
  cases: [name: string, base: string, changes: Record<string, unknown>, ids: number[][] | null][];
}

const { bases, texts, cases } = JSON.parse(readFileSync(join('test', 'fixtures', 'tokenizers', 'recorded.json'), 'utf8')) as Recorded;
const root = mkdtempSync(join(tmpdir(), 'pivot-settings-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;

/** The ids of every text, or why there are none; of a file that is refused, why. */
async function idsOf(tokenizer: unknown): Promise<string | (number[] | string)[]> {
  const file = join(root, `${count++}.json`);
  writeFileSync(file, JSON.stringify(tokenizer));
  const said = (error: unknown): string => {
    if (error instanceof PivotError && error.code === 'R0541') return error.message;
    throw error;
  };
  try {
    const opened = await openTokenizer(file);
    return await Promise.all(texts.map((text) => opened.encode([text]).then(([ids]) => ids, said)));
  } catch (error) {
    return said(error);
  }
}

/** Files that are done alike, so that the list does not come to refuse all. */
const DONE = [
  ...['bytes as it is', 'pieces as it is', 'unigram as it is', 'words as it is', 'marks as it is', 'split Isolated false'],
  ...['split Removed true', 'prefix space', 'no regex', 'digits true', 'punctuation Contiguous', 'unigram metaspace always true'],
  ...[
    'marks metaspace always true',
    'marks metaspace never true',
    'normalizer NFC',
    'normalizer Lowercase',
    'bytes added lstrip',
    'ignore merges',
    'truncation',
  ],
];

describe('a tokenizer with', () => {
  test.each(cases)('%s', async (name, base, changes, ids) => {
    const found = await idsOf({ ...bases[base], ...changes });
    if (typeof found === 'string') {
      expect(DONE).not.toContain(name);
      expect(found).toMatch(/cannot be used: .*expected .*found/);
      return;
    }
    expect(ids).not.toBeNull();
    const alike = found.map((one, i) => (typeof one === 'string' ? one : [texts[i], one]));
    const wanted = found.map((one, i) =>
      typeof one === 'string' ? expect.stringMatching(/has "|no token for a letter/) : [texts[i], ids?.[i]],
    );
    expect(alike).toEqual(wanted);
    // Most texts are taken.
    expect(found.filter((one) => typeof one !== 'string').length).toBeGreaterThanOrEqual(5);
  });
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ['a key that is not known', { ...bases.bytes, extra: 1 }, /extra: expected no such key, or one of version,.*found 1/],
  [
    'an option that is not known',
    { ...bases.bytes, normalizer: { type: 'NFC', strict: true } },
    /normalizer.strict: expected no such key, or one of none, found true/,
  ],
  [
    'byte fallback of Unigram',
    { ...bases.unigram, model: { ...(bases.unigram.model as object), byte_fallback: true } },
    /model.byte_fallback: expected false or none or null, found true/,
  ],
  [
    'dropout',
    { ...bases.bytes, model: { ...(bases.bytes.model as object), dropout: 0.1 } },
    /model.dropout: expected null or 0 or none, found 0.1/,
  ],
])('%s is refused with its place', async (_, tokenizer, message) => {
  expect(await idsOf(tokenizer)).toMatch(message);
});
