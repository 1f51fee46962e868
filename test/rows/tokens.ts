/** Token ids and what is learnt of them, from files of rows through the sources of a text, against what TRL's collators recorded. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { joinHashes, TOKENIZER_FILES } from '../../plan/checkpoint-files.ts';
import type { DataSource } from '../../plan/plan.ts';
import { conversationIds } from '../../runtime/core/data/conversation-ids.ts';
import type { ConversationIds } from '../../runtime/core/data/conversation-ids.ts';
import { contentHash } from '../../runtime/node/data/content-hash.ts';
import { filesSource } from '../../runtime/node/data/files-source.ts';
import { checkAll, differs, readJson } from './check.ts';
import type { RowCheck } from './check.ts';

interface Side {
  input_ids: number[];
  attention_mask: number[];
  completion_mask: number[];
}

interface RecordedRow {
  id: string;
  chosen?: Side;
  rejected?: Side;
  input_ids?: number[];
  labels?: number[];
  labels_assistant?: number[];
}

/** Every `tokens-*.json`; the tokenizer stands beside the recordings, in `models/tokenizer`. */
export async function checkTokens(folder: string): Promise<RowCheck[]> {
  const tokenizer = join(dirname(folder), 'models', 'tokenizer');
  const names = (await readdir(join(folder, 'rows', 'expect'))).filter((name) => name.startsWith('tokens-')).sort();
  return Promise.all(
    names.map(async (name) => {
      const layout = name.slice('tokens-'.length, -'.json'.length);
      const recorded = (await readJson(join(folder, 'rows', 'expect', name))) as {
        tokens_per_image: number;
        image_size: number;
        rows: RecordedRow[];
      };
      const form = recorded.rows[0].chosen === undefined ? 'captions' : 'preferences';
      const spec: DataSource = {
        source: `files.${form}`,
        params: { folder: join(folder, 'rows', `${layout}.jsonl`), size: recorded.image_size },
        chat: {
          folder: tokenizer,
          hash: joinHashes(TOKENIZER_FILES, (file) => (existsSync(join(tokenizer, file)) ? contentHash(join(tokenizer, file)) : undefined)),
        },
        count: recorded.rows.length,
      };
      const source = await filesSource(form)(spec, { openers: {}, workers: 0 });
      const room = { image: recorded.image_size, imageTokens: recorded.tokens_per_image, prompt: 1000, answer: 1000, pictures: 4 };
      const check = await checkAll(`tokens of ${layout}`, recorded.rows.entries(), ([index, row]) => {
        const ids = conversationIds(
          source.text?.(index) ?? {},
          { layout: form === 'captions' ? 'answers' : 'pairs', ...room },
          source,
          index,
        );
        return Promise.resolve(differs(row.id, foundOf(ids), wantedOf(row)));
      });
      await source.close?.();
      return check;
    }),
  );
}

/** Each sequence as its ids and whether each is learnt. */
function foundOf({ prompt, answers, learnt }: ConversationIds): [number[], number[]][] {
  return answers.map((answer) => [
    [...prompt, ...answer],
    [...prompt.map(() => 0), ...(learnt === undefined ? answer.map(() => 1) : learnt)],
  ]);
}

function wantedOf({ chosen, rejected, input_ids: ids, labels, labels_assistant: assistant }: RecordedRow): [number[], number[]][] {
  if (chosen !== undefined && rejected !== undefined) {
    return [chosen, rejected].map((side) => {
      const real = (values: number[]): number[] => values.filter((_, i) => side.attention_mask[i] === 1);
      return [real(side.input_ids), real(side.completion_mask)];
    });
  }
  return [[ids ?? [], (assistant ?? labels ?? []).map((label) => (label === -100 ? 0 : 1))]];
}
