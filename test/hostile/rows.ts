/** Reads hostile rows as the preferences of a text are read. */
import { wordsOf } from '../../runtime/core/data/conversation.ts';
import { openRows } from '../../runtime/node/data/open-rows.ts';
import type { Result } from './result.ts';

/** Rows whose texts are given back. */
const SHOWN = 100;

export async function read(path: string): Promise<Result> {
  const texts: Record<string, unknown> = {};
  const rows = await openRows(path, path.split('/').slice(-1)[0], {
    wanted: 'preferences',
    visit: ({ images, prompt, chosen, rejected }, index) => {
      if (index >= SHOWN || prompt === undefined || chosen === undefined || rejected === undefined) return;
      const [first] = images;
      const name = first === undefined ? '' : 'path' in first ? first.path : (first.name ?? '');
      texts[`row_${index + 1}`] = [name, wordsOf(prompt), wordsOf(chosen), wordsOf(rejected)];
      texts[`row_${index + 1}_chosen`] = wordsOf(chosen);
    },
  });
  await rows.close();
  texts['({}).polluted'] = String(({} as Record<string, unknown>).polluted);
  return { rows: rows.count, row_groups: rows.rowGroups, entry: rows.entry, warnings: rows.warnings, ...texts };
}
