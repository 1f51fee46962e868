/** Ids and masks of TRL's collators for the recorded rows. Runs where the set is there. */
import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../cli/host.ts';
import type { Message } from '../../runtime/core/data/conversation.ts';
import { renderConversations, renderPairs, renderPlainPairs } from '../../runtime/core/tokenize/answers.ts';
import type { Learn, Pair, Sequence } from '../../runtime/core/tokenize/answers.ts';
import { openTokenizer } from '../../runtime/node/tokenize/open.ts';
import type { TextTokenizer } from '../../runtime/node/tokenize/open.ts';

const SET = join(packageRoot(), '..', 'shared', 'fixtures');
const EXPECT = join(SET, 'data', 'rows', 'expect');
const isThere = existsSync(EXPECT);
const opening = (): Promise<TextTokenizer> => openTokenizer(join(SET, 'models', 'tokenizer'));

interface Recorded<T> {
  tokenizer_json_sha256: string;
  tokens_per_image: number;
  image_token_id: number;
  rows: T[];
}

interface One {
  input_ids: number[];
  attention_mask: number[];
  completion_mask: number[];
}

function load<T>(layout: string): { recorded: Recorded<T & { id: string }>; rows: ({ id: string; messages: Message[] } & Pair)[] } {
  const read = (name: string) => JSON.parse(readFileSync(join(EXPECT, `${name}-${layout}.json`), 'utf8'));
  const rows = new Map<string, { id: string; messages: Message[] } & Pair>(read('rows').rows.map((row: { id: string }) => [row.id, row]));
  const recorded: Recorded<T & { id: string }> = read('tokens');
  return { recorded, rows: recorded.rows.map(({ id }) => rows.get(id) ?? (undefined as never)) };
}

const image = (recorded: { tokens_per_image: number }) => ({ token: '<image>', count: recorded.tokens_per_image });

/** TRL pads the shorter answer of a pair to the longer. */
function unpadded(one: One): { ids: number[]; learnt: number[] } {
  const keep = <T>(list: T[]): T[] => list.filter((_, i) => one.attention_mask[i] === 1);
  return { ids: keep(one.input_ids), learnt: keep(one.completion_mask) };
}

const shown = ({ ids, learnt }: Sequence) => ({ ids: [...ids], learnt: [...learnt] });

if (!isThere) test.skip('there are no recorded rows here', () => undefined);

(isThere ? describe : describe.skip)('as TRL', () => {
  test.each(['trl-explicit', 'trl-implicit', 'trl-image', 'trl-string-content', 'trl-strings'])('%s', async (layout) => {
    const tokenizer = await opening();
    const { recorded, rows } = load<{ chosen: One; rejected: One }>(layout);
    expect(createHash('sha256').update(readFileSync(tokenizer.file)).digest('hex')).toBe(recorded.tokenizer_json_sha256);
    const render = layout === 'trl-strings' ? renderPlainPairs : renderPairs;
    const pairs = await render(tokenizer, rows, { image: image(recorded) });
    expect(pairs.length).toBeGreaterThan(10);
    pairs.forEach(({ chosen, rejected }, i) => {
      expect(shown(chosen)).toEqual(unpadded(recorded.rows[i].chosen));
      expect(shown(rejected)).toEqual(unpadded(recorded.rows[i].rejected));
      for (const { begin, count } of chosen.images) {
        expect([...chosen.ids.slice(begin, begin + count)]).toEqual(new Array(recorded.tokens_per_image).fill(recorded.image_token_id));
      }
    });
  });

  test.each<[string, Learn, string]>([
    ['trl-sft', 'answers', 'labels_assistant'],
    ['trl-sft', 'all', 'labels_all'],
    ['trl-sft-completion', 'last', 'labels'],
  ])('%s, learning %s', async (layout, learn, labels) => {
    const tokenizer = await opening();
    const { recorded, rows } = load<Record<string, number[]>>(layout);
    const sequences = await renderConversations(
      tokenizer,
      rows.map(({ messages }) => messages),
      learn,
      { image: image(recorded) },
    );
    expect(sequences.length).toBeGreaterThan(10);
    sequences.forEach(({ ids, learnt }, i) => {
      expect([...ids]).toEqual(recorded.rows[i].input_ids);
      expect([...ids].map((id, k) => (learnt[k] === 1 ? id : -100))).toEqual(recorded.rows[i][labels]);
    });
  });
});
